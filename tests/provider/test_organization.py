"""Resources of one organization are never read, written or removed with the credentials of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import Cloud

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.declared import Declared
    from tests.support.engine import Stack
    from tests.support.process import Result


@pytest.fixture
def stack(declared: Declared, cloud: Cloud, host: Path | None) -> Stack:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")), host=host)
    result = stack.up()
    assert result.code == 0, result.output
    return stack


LONG = pytest.mark.full_length
COMMANDS = {
    "up": ("up", "--yes", "--skip-preview"),
    "up --refresh": ("up", "--yes", "--skip-preview", "--refresh"),
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
    "destroy --refresh": ("destroy", "--yes", "--skip-preview", "--refresh"),
}


def reads_and_writes(cloud: Cloud) -> list[str]:
    """The requests since the last call, except those for the organization itself."""
    return [each for each in cloud.requests() if "/oauth/token" not in each and "/organizations/" not in each]


def assert_told(result: Result, cloud: Cloud, other: Cloud) -> None:
    """Checks that the error names both organizations, and the possible solutions."""
    assert result.code != 0, result.output
    for each in (
        cloud.organization,
        other.organization,
        cloud.emulator.url,
        other.emulator.url,
        "pulumi state delete",
        "destroy",
    ):
        assert each in result.output, f"{each!r} is missing in:\n{result.output}"


@pytest.mark.parametrize(
    "command",
    [
        "destroy",
        *(
            pytest.param(each, marks=LONG)
            for each in ("up", "refresh", "up --refresh", "destroy --refresh", "up with a change")
        ),
    ],
)
def test_another_organization_is_refused(
    declared: Declared, stack: Stack, cloud: Cloud, other: Cloud, command: str
) -> None:
    before, recorded = stack.resources(), stack.recorded()
    told = cloud.told()
    if command == "up with a change":
        changed = declared.target("orders", retry_policy="RetryPolicy(max_retries=9)")
        stack.program(declared.program(changed, declared.sync("orders")))
    cloud.requests()
    other.requests()
    result = stack.run(*COMMANDS.get(command, COMMANDS["up"]), env=other.env)
    assert reads_and_writes(other) == []
    assert cloud.requests() == []
    assert_told(result, cloud, other)
    # Nothing was lost, removed or sent.
    assert other.living() == {}
    assert cloud.living() == {"orders": before["orders"]["id"]}
    assert stack.recorded() == recorded
    assert cloud.told() == told
    # With the old setting everything works again.
    if command != "up with a change":
        assert "3 unchanged" in stack.up().output
    assert stack.up("--refresh").code == 0
    assert cloud.living() == {"orders": before["orders"]["id"]}


@pytest.mark.full_length
def test_a_preview_shows_a_changed_address(stack: Stack, cloud: Cloud, other: Cloud) -> None:
    """The preview sends no request; the planned update does, and refuses."""
    cloud.requests()
    shown = stack.preview("--diff", env=other.env)
    assert shown.code == 0, shown.output
    assert cloud.emulator.url in shown.output
    assert other.emulator.url in shown.output
    assert (cloud.requests(), other.requests()) == ([], [])


@pytest.mark.full_length
def test_the_outputs_name_the_organization(stack: Stack, cloud: Cloud, other: Cloud) -> None:
    outputs = stack.resources()["orders"]["outputs"]
    cloud.requests()
    assert outputs["organizationId"] == cloud.organization
    assert outputs["apiUrl"] == cloud.emulator.url
    assert cloud.organization != other.organization


@pytest.mark.full_length
def test_the_organization_is_requested_once_per_run(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    def asked() -> int:
        return sum("/organizations/me" in each for each in cloud.requests())

    assert asked() == 1
    # Without reads or writes, the organization is not requested.
    assert "3 unchanged" in stack.up().output
    assert cloud.requests() == []
    names = ["orders", "more", "most"]
    stack.program(declared.program(*(declared.target(each) for each in names), declared.sync("orders")))
    assert stack.up().code == 0
    assert asked() == 1


@pytest.mark.full_length
def test_a_move_to_another_organization_destroys_in_the_old_one_first(
    stack: Stack, cloud: Cloud, other: Cloud
) -> None:
    assert stack.destroy().code == 0
    assert cloud.living() == {}
    stack.env |= other.env
    result = stack.up()
    assert result.code == 0, result.output
    assert cloud.living() == {}
    assert list(other.living()) == ["orders"]
    other.requests()
    assert stack.resources()["orders"]["outputs"]["organizationId"] == other.organization


@pytest.mark.full_length
def test_resources_of_a_lost_organization_are_removed_manually(
    stack: Stack, cloud: Cloud, other: Cloud
) -> None:
    """The organization no longer exists, so this is the last solution that the error names."""
    stack.env |= other.env
    result = stack.destroy()
    assert_told(result, cloud, other)
    urn = stack.urn("orders")
    assert urn in result.output
    stack.must("state", "delete", "--yes", "--target-dependents", urn)
    assert stack.up().code == 0
    assert list(other.living()) == ["orders"]


@pytest.mark.full_length
def test_another_address_of_the_same_organization(stack: Stack, cloud: Cloud) -> None:
    """The new address is recorded, and nothing is written."""
    target_id = stack.resources()["orders"]["id"]
    address = cloud.emulator.url.replace("127.0.0.1", "localhost")
    stack.env["GENESYSCLOUD_API_URL"] = address
    cloud.requests()
    shown = stack.preview("--diff").output
    assert address in shown
    assert cloud.requests() == []
    result = stack.up()
    assert result.code == 0, result.output
    assert cloud.writes() == []
    assert cloud.living() == {"orders": target_id}
    assert stack.resources()["orders"]["outputs"]["apiUrl"] == address
    cloud.requests()
    assert "3 unchanged" in stack.up().output
    assert cloud.requests() == []
    assert stack.destroy().code == 0
    assert cloud.living() == {}


@pytest.mark.parametrize(
    ("variable", "ending"),
    [
        ("GENESYSCLOUD_API_URL", "/api/v2"),
        pytest.param("GENESYSCLOUD_LOGIN_URL", "/oauth/token", marks=LONG),
    ],
    ids=["API", "login"],
)
@pytest.mark.full_length
@pytest.mark.parametrize("command", ["destroy", pytest.param("refresh", marks=LONG)])
def test_a_wrong_address_does_not_mean_that_a_target_is_gone(
    stack: Stack, cloud: Cloud, variable: str, ending: str, command: str
) -> None:
    """The 404 of a login, or of an unknown path, tells nothing about a target."""
    before, recorded = stack.resources(), stack.recorded()
    result = stack.run(*COMMANDS[command], env={variable: cloud.emulator.url + ending})
    assert cloud.living() == {"orders": before["orders"]["id"]}
    assert result.code != 0, result.output
    assert stack.recorded() == recorded
    assert stack.destroy().code == 0
    assert cloud.living() == {}


@pytest.mark.full_length
def test_a_service_without_an_organization_id(stack: Stack, cloud: Cloud, other: Cloud) -> None:
    """Then the address identifies it."""
    for each in (cloud, other):
        each.control("faults", match={"path": "/api/v2/organizations/me"}, action="status", status=404)
    target_id = stack.resources()["orders"]["id"]
    result = stack.destroy(env=other.env)
    assert result.code != 0, result.output
    assert cloud.emulator.url in result.output
    assert other.emulator.url in result.output
    assert cloud.living() == {"orders": target_id}
    assert stack.destroy().code == 0
    assert cloud.living() == {}
