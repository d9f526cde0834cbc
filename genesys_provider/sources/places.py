"""Where a source sends its events: an AWS account, a region, and the suffix of the event source's name."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from genesys_provider.common.fields import matching

PARTNER_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Regions with partner event sources, from an older copy of the AWS guide [G]; there may be more now."""

_LONGEST_SUFFIX = 64

AwsAccountId = Annotated[
    str, matching(r"[0-9]{12}", "must be 12 digits, as text, so that leading zeros are kept")
]
AwsRegion = Annotated[
    str, matching(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "must be an AWS region, such as us-east-1")
]
EventSourceSuffix = Annotated[
    str,
    matching(
        rf"[A-Za-z0-9._-]{{1,{_LONGEST_SUFFIX}}}",
        f"must be 1 to {_LONGEST_SUFFIX} letters, digits, dots, hyphens and underscores",
    ),
]


class Place(NamedTuple):
    """The identity of an event source."""

    aws_account_id: str
    aws_region: str
    event_source_suffix: str


def region_warning(region: str) -> str | None:
    """The warning for a region that is not known to have partner event sources."""
    if region in PARTNER_REGIONS:
        return None
    return (
        f"it is not known here whether AWS has partner event sources in {region}: if the source does not become "
        "active, choose another region, such as us-east-1"
    )
