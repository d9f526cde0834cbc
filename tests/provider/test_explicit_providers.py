"""Several organizations in one program: each resource belongs to the organization of its provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import CANARIES, CLIENT_SECRET, Cloud
from tests.support.declared import opts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.declared import Declared
    from tests.support.engine import Stack

LONG = pytest.mark.full_length
EU, US = opts(provider="eu"), opts(provider="us")


@pytest.fixture
def two(declared: Declared, cloud: Cloud, other: Cloud) -> list[str]:
    """The lines that declare a provider for each organization."""
    return [
        declared.provider("eu", cloud, max_retries="2", verification_timeout="30.5"),
        declared.provider("us", other),
    ]


@pytest.fixture
def stack(declared: Declared, two: list[str], host: Path | None) -> Stack:
    """The environment has no settings of an organization; only the providers have."""
    lines = [
        *two,
        declared.target("orders", called="eu-orders", opts=EU),
        declared.sync("orders", called="eu-orders-sync", opts=EU),
        declared.source("events", called="eu-events", opts=EU),
        declared.target("orders", called="us-orders", name="'eu-orders'", opts=US),
        declared.sync("orders", called="us-orders-sync", opts=US),
    ]
    stack = declared.stack(declared.program(*lines), host=host, env=dict.fromkeys(declared.cloud.env, ""))
    result = stack.up()
    assert result.code == 0, result.output
    return stack


@pytest.mark.full_length
def test_two_organizations_in_one_program(stack: Stack, cloud: Cloud, other: Cloud) -> None:
    resources = stack.resources()
    assert cloud.living() == {"eu-orders": resources["eu-orders"]["id"]}
    assert other.living() == {"eu-orders": resources["us-orders"]["id"]}
    assert list(cloud.integrations()) == ["eu-events"]
    assert other.integrations() == {}
    assert resources["eu-orders"]["outputs"]["organizationId"] == cloud.organization
    assert resources["us-orders"]["outputs"]["organizationId"] == other.organization
    assert [each for each in CANARIES if each in stack.stored()] == []
    cloud.requests()
    other.requests()
    assert "8 unchanged" in stack.up().output
    assert (cloud.requests(), other.requests()) == ([], [])
    assert stack.refresh().code == 0
    result = stack.destroy()
    assert result.code == 0, result.output
    assert (cloud.living(), other.living()) == ({}, {})
    assert cloud.integrations() == {}


def test_a_rotated_secret_does_not_change_a_target(
    stack: Stack, declared: Declared, cloud: Cloud, other: Cloud
) -> None:
    rotated = "canary-client-rotated"
    other.control("client-secret", clientSecret=rotated)
    # The state has the old secret.
    stale = stack.refresh()
    assert stale.code != 0, stale.output
    assert "run `pulumi up` first" in stale.output
    source = (stack.directory / "__main__.py").read_text()
    changed = declared.provider("us", other, client_secret=repr(rotated))
    stack.program(source.replace(declared.provider("us", other), changed))
    for each in (cloud, other):
        each.requests()
    result = stack.up()
    assert result.code == 0, result.output
    assert "1 updated" in result.output
    assert "7 unchanged" in result.output
    assert (cloud.requests(), other.requests()) == ([], [])
    # A plain refresh uses the new secret from the state.
    refreshed = stack.refresh()
    assert refreshed.code == 0, refreshed.output
    assert any("/oauth/token" in each for each in other.requests())
    assert [each for each in (*CANARIES, rotated) if each in stack.stored()] == []


@LONG
@pytest.mark.parametrize("switched", ["the provider's address", "the resource's provider"])
def test_a_switch_to_the_other_organization_is_refused(
    stack: Stack, declared: Declared, cloud: Cloud, other: Cloud, switched: str
) -> None:
    source = (stack.directory / "__main__.py").read_text()
    if switched == "the provider's address":
        changed = source.replace(cloud.emulator.url, other.emulator.url)
    else:
        changed = source.replace("provider=eu", "provider=us")
    assert changed != source
    living, organizations = (cloud.living(), other.living()), (cloud.organization, other.organization)
    told = cloud.told()
    stack.program(changed)
    result = stack.up()
    assert result.code != 0, result.output
    assert all(each in result.output for each in organizations)
    assert (cloud.living(), other.living()) == living
    assert cloud.told() == told
    # Set back, all is well.
    stack.program(source)
    for mended in (stack.up(), stack.refresh()):
        assert mended.code == 0, mended.output
    assert (cloud.living(), other.living()) == living


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"login_url": "None", "client_secret": "pulumi.Output.from_input('')"}, "no region or login_url"),
        pytest.param({"max_retries": "-1"}, "max_retries of provider 'eu'", marks=LONG),
        # Although the URLs take its place.
        pytest.param(
            {"region": "pulumi.Output.from_input({'name': 'eu-central-1'})"},
            "region of provider 'eu' must be text",
            marks=LONG,
        ),
    ],
)
def test_missing_or_wrong_provider_arguments_are_an_error(
    declared: Declared, cloud: Cloud, arguments: dict[str, str], named: str
) -> None:
    """Although the environment and the stack's config have all of them."""
    lines = [declared.provider("eu", cloud, **arguments), declared.target("orders", opts=EU)]
    stack = declared.stack(declared.program(*lines), config={"genesys:region": "eu-central-1"})
    result = stack.preview()
    assert result.code != 0, result.output
    assert named in result.output
    assert "Traceback" not in result.output
    assert cloud.requests() == []


@LONG
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"login_url": "None"}, "provider 'eu' has no region or login_url"),
        (
            {"region": "pulumi.Output.from_input({'name': 'eu-central-1'})"},
            "region of provider 'eu' must be text",
        ),
    ],
)
def test_the_stock_host_reports_it_at_the_first_use(
    declared: Declared, cloud: Cloud, arguments: dict[str, str], named: str
) -> None:
    lines = [declared.provider("eu", cloud, **arguments), declared.target("orders", opts=EU)]
    stack = declared.stack(declared.program(*lines), host=None)
    result = stack.up()
    assert result.code != 0, result.output
    assert named in result.output
    assert cloud.requests() == []


@pytest.mark.full_length
def test_messages_name_the_arguments_of_the_provider(declared: Declared, cloud: Cloud) -> None:
    """Also those of a target that exists but is not verified, and the warning of a sync."""
    lines = [
        declared.provider("eu", cloud),
        declared.provider("blind", cloud, ca_file="None"),
        declared.target("users", opts=EU),
        declared.sync("users", required="False", opts=opts(provider="blind")),
    ]
    stack = declared.stack(declared.program(*lines), env=dict.fromkeys(declared.cloud.env, ""))
    warned = stack.up()
    assert warned.code == 0, warned.output
    assert "that ca_file of provider 'blind' trusts its certificate" in warned.output
    stack.program(declared.program(*lines, declared.target("slow", verification_timeout="0.01", opts=EU)))
    failed = stack.up()
    assert failed.code != 0, failed.output
    assert "verification_timeout of the target, verification_timeout of provider 'eu'" in failed.output
    assert not re.search(r"(?<!dynamic/)genesys:", warned.output + failed.output)


@LONG
def test_arguments_of_the_wrong_kind(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(
        declared.program(declared.provider("eu", cloud, client_id="None", max_retries="'x'"))
    )
    result = stack.preview()
    assert result.code != 0
    assert "client_id is None; it must be text" in result.output
    assert "max_retries is a str; it must be a number" in result.output
    assert "Traceback" not in result.output


@LONG
def test_with_the_default_provider_and_in_components(declared: Declared, cloud: Cloud, other: Cloud) -> None:
    """The default organization comes from the environment; a component passes its provider on."""
    lines = [
        declared.provider("us", other),
        declared.target("here"),
        declared.component("house", providers="[us]"),
        declared.target("there", opts=opts(parent="house")),
        declared.sync("there", opts=opts(parent="house")),
    ]
    stack = declared.stack(declared.program(*lines))
    result = stack.up()
    assert result.code == 0, result.output
    assert list(cloud.living()) == ["here"]
    assert list(other.living()) == ["there"]


@LONG
def test_a_move_into_an_explicit_provider(declared: Declared, cloud: Cloud) -> None:
    """From the stack's config to an explicit provider of the same organization and back, without replacements."""
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    assert stack.up().code == 0
    living, told = cloud.living(), cloud.told()
    explicit = [
        declared.provider("eu", cloud),
        declared.target("orders", opts=EU),
        declared.sync("orders", opts=EU),
    ]
    for lines in (explicit, [declared.target("orders"), declared.sync("orders")]):
        cloud.requests()
        stack.program(declared.program(*lines))
        result = stack.up()
        assert result.code == 0, result.output
        assert cloud.writes() == []
        assert cloud.living() == living
        assert cloud.told() == told


@LONG
def test_a_sync_without_the_provider_of_its_target(declared: Declared, cloud: Cloud, other: Cloud) -> None:
    lines = [declared.provider("us", other), declared.target("orders", opts=US), declared.sync("orders")]
    stack = declared.stack(declared.program(*lines))
    result = stack.up()
    assert result.code != 0
    assert "provider=" in result.output
    assert list(other.living()) == ["orders"]
    lines[-1] = declared.sync("orders", opts=US)
    stack.program(declared.program(*lines))
    mended = stack.up()
    assert mended.code == 0, mended.output


@LONG
def test_values_that_are_unknown_in_a_preview(declared: Declared, cloud: Cloud) -> None:
    """Credentials that another resource creates, so that they are unknown in a preview."""
    made = (
        "from pulumi.dynamic import *\n"
        "class Made(ResourceProvider):\n"
        "    def create(self, props): return CreateResult('made', {'secret': props['given']})\n"
        "class Vault(Resource):\n"
        "    secret: pulumi.Output[str]\n"
        f"vault = Vault(Made(), 'vault', {{'secret': None, 'given': {CLIENT_SECRET!r}}})"
    )
    lines = [
        made,
        declared.provider("eu", cloud, client_secret="vault.secret"),
        declared.target("orders", opts=EU),
    ]
    stack = declared.stack(declared.program(*lines))
    preview = stack.preview()
    assert preview.code == 0, preview.output
    # Missing arguments are known in a preview too.
    lacking = declared.provider("eu", cloud, client_secret="vault.secret", login_url="None")
    stack.program(declared.program(lines[0], lacking))
    refused = stack.preview()
    assert refused.code != 0, refused.output
    assert "provider 'eu' has no region or login_url" in refused.output
    stack.program(declared.program(*lines))
    result = stack.up()
    assert result.code == 0, result.output
    assert list(cloud.living()) == ["orders"]
