"""The organization check: what is compared, and what counts if the service does not return the id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import TargetManager
from genesys_provider.client.errors import ApiError, ServerError
from genesys_provider.common.organization import OtherOrganization
from tests.support.cloud import CLIENT_SECRET
from tests.support.shared_cloud import at_once, outcomes_at_once, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud

ORGANIZATION = "/api/v2/organizations/me"
ELSEWHERE = "https://api.example.com"


@pytest.fixture
def manager(cloud: Cloud, tmp_path: Path) -> Iterator[TargetManager]:
    with TargetManager(settings_of(cloud, tmp_path, maxRetries=0)) as manager:
        yield manager


def test_the_organization_is_requested_once(cloud: Cloud, manager: TargetManager) -> None:
    ids = {each.id for each in at_once(16, lambda _: manager.organization())}
    assert len(ids) == 1
    assert cloud.requests() == ["POST /oauth/token 200", f"GET {ORGANIZATION} 200"]


def test_another_organization_is_refused_with_both_ids_and_advice(manager: TargetManager) -> None:
    now = manager.organization()
    assert manager.require_organization("target 'orders'", now.id, ELSEWHERE) == now
    with pytest.raises(OtherOrganization) as refused:
        manager.require_organization("target 'orders'", "another-id", ELSEWHERE)
    said = str(refused.value)
    for each in ("target 'orders'", "another-id", ELSEWHERE, now.id, now.api_url, "GENESYSCLOUD_REGION"):
        assert str(each) in said
    assert CLIENT_SECRET not in said


def test_a_state_without_an_organization_passes(manager: TargetManager) -> None:
    assert manager.require_organization("target 'orders'", None, None).id


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_without_an_organization_id_the_address_counts(
    cloud: Cloud, manager: TargetManager, status: int
) -> None:
    cloud.control("faults", match={"path": ORGANIZATION}, action="status", status=status)
    assert manager.organization().id is None
    # The recorded organization is kept.
    assert manager.require_organization("t", "some-id", cloud.emulator.url).id == "some-id"
    assert manager.require_organization("t", None, cloud.emulator.url)
    with pytest.raises(OtherOrganization):
        manager.require_organization("t", "some-id", ELSEWHERE)
    with pytest.raises(OtherOrganization):
        manager.require_organization("t", None, ELSEWHERE)


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_page_of_a_proxy_does_not_disable_the_guard(
    cloud: Cloud, manager: TargetManager, status: int
) -> None:
    page: dict[str, Any] = {"action": "status", "status": status, "body": "<html>blocked</html>"}
    cloud.control("faults", match={"path": ORGANIZATION}, times=1, **page)
    with pytest.raises(ApiError):
        manager.require_organization("t", "some-id", cloud.emulator.url)
    with pytest.raises(OtherOrganization):
        manager.require_organization("t", "some-id", cloud.emulator.url)


def test_a_failure_is_not_cached(cloud: Cloud, manager: TargetManager) -> None:
    cloud.control("faults", match={"path": ORGANIZATION}, action="status", status=500, times=1)
    with pytest.raises(ServerError):
        manager.organization()
    assert manager.organization().id


def test_many_share_a_failed_call(cloud: Cloud, manager: TargetManager) -> None:
    """Without sharing, a fleet would wait for the retries of each call in turn."""
    cloud.control("faults", match={"path": ORGANIZATION}, action="status", status=503)
    outcomes = outcomes_at_once(30, lambda _: manager.organization())
    assert all(isinstance(each, ServerError) for each in outcomes)
    assert len({id(each) for each in outcomes}) == 30, "raising an error writes to it"
    # A thread that starts after the others' call has ended makes its own, with another correlation id.
    calls = len({str(each) for each in outcomes})
    assert calls <= 3
    assert cloud.requests().count(f"GET {ORGANIZATION} 503") <= 5 * calls
