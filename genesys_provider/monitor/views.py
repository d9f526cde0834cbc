"""Targets and sources as JSON, with the API's names. Without secrets: of headers, only the names."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from genesys_provider.client.urls import shown_url
from genesys_provider.common.times import parsed_time, utc_text
from genesys_provider.sources.models import Source
from genesys_provider.targets.models import Target
from genesys_provider.targets.vocabulary import PENDING_VERIFICATION

NO_STATE = "UNKNOWN"
"""The status of a source for which the service gives none."""


def facts_of(thing: Target | Source) -> dict[str, Any]:
    """The fields of the API, except the status."""
    return _target(thing) if isinstance(thing, Target) else _source(thing)


def status_of(thing: Target | Source) -> str:
    """The status. A target without one is waiting for its verification; of a source it means nothing."""
    return thing.status or (PENDING_VERIFICATION if isinstance(thing, Target) else NO_STATE)


def _target(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "name": target.name,
        "endpointUrl": shown_url(target.endpoint_url),
        "authType": target.auth_type,
        "authConfig": {
            name: shown_url(value) if name == "tokenUrl" else value
            for name, value in target.auth_config.items()
        },
        "eventTypes": sorted(target.event_types),
        "owner": target.owner,
        "retryPolicy": target.retry_policy,
        "headerNames": sorted(target.headers),
        "selfUri": target.self_uri,
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "name": source.name,
        "awsAccountId": source.aws_account_id,
        "awsRegion": source.aws_region,
        "eventSourceSuffix": source.event_source_suffix,
        "topics": sorted(source.topics),
        "owner": source.owner,
        "notes": source.notes,
        "enabled": source.enabled,
        "configVersion": source.config_version,
    }


def iso(at: float | None) -> str | None:
    """Formats a time in seconds since 1970 as the project shows times: UTC, ISO 8601."""
    return None if at is None else utc_text(datetime.fromtimestamp(at, timezone.utc))


def seconds(time: str | None) -> float | None:
    """Parses a time from a service or a file to seconds since 1970; None if it is not a time."""
    parsed = parsed_time(time)
    return None if parsed is None else parsed.timestamp()
