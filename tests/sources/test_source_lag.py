"""A service that shows writes with a delay; the seconds are the manager's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from genesys_provider.common.ownership import Owner
from genesys_provider.common.times import utc_now
from genesys_provider.common.writes import LastWrite
from genesys_provider.sources.errors import ActivationFailed, SourceChanged
from genesys_provider.sources.models import Source
from tests.sources.quick import (
    DELETE,
    HASTE,
    OWNER,
    PATCH,
    POST,
    PUT,
    ROUTING,
    URN,
    config,
    current,
    made,
    reconfigure,
    the_one,
    there,
)
from tests.support.shared_cloud import at_once

if TYPE_CHECKING:
    from genesys_provider import SourceManager
    from tests.support.cloud import Cloud

LAGS = [
    pytest.param(1, marks=pytest.mark.full_length),
    3,
    pytest.param(10, marks=pytest.mark.full_length),
]
OTHER = "v2.routing.queues.{id}.users"


@pytest.fixture(params=LAGS)
def lag(cloud: Cloud, request: pytest.FixtureRequest) -> float:
    """Lets the service lag by so many of the manager's seconds from now on."""
    seconds: float = request.param
    cloud.set_behaviour(readLagSeconds=seconds / HASTE)
    return seconds


@pytest.mark.usefixtures("lag")
def test_a_life_cycle_under_lag(cloud: Cloud, manager: SourceManager) -> None:
    """Each step follows immediately after the previous one, and returns the actual state."""
    source = manager.register(config()).source

    def shown() -> tuple[str, list[str]]:
        seen = the_one(cloud)
        return seen["reportedState"]["code"], seen["config"]["current"]["properties"]["eventFilter"]

    assert shown() == (source.status, source.topics) == ("ACTIVE", config().topics)
    for change in (
        {"topics": [ROUTING]},
        {"topics": [OTHER]},
        {"topics": [OTHER], "enabled": False},
        {"topics": [OTHER]},
        {"topics": [ROUTING], "enabled": False},
        {"topics": [OTHER], "enabled": False},
        {"topics": [ROUTING]},
    ):
        source = manager.update(source.id, config(**change)).source
        assert shown() == (source.status, source.topics)
        assert source.status == ("ACTIVE" if change.get("enabled", True) else "INACTIVE")
    got = manager.get(source.id)
    assert got
    assert got.visible == source.visible
    assert manager.delete(source.id, owner=Owner(OWNER)) is None
    assert there(cloud) == []
    assert manager.get(source.id) is None
    # And immediately another one with the same name and suffix.
    again = manager.register(config()).source
    assert again.id != source.id
    assert the_one(cloud)["id"] == again.id


@pytest.mark.usefixtures("lag")
def test_many_sources_under_lag(cloud: Cloud, manager: SourceManager) -> None:
    outcomes = at_once(8, lambda number: manager.register(config(f"s{number}")))
    assert {outcome.source.status for outcome in outcomes} == {"ACTIVE"}
    ids = [outcome.source.id for outcome in outcomes]
    changed = at_once(8, lambda n: manager.update(ids[n], config(f"s{n}", topics=[ROUTING])).source)
    assert {(source.status, *source.topics) for source in changed} == {("ACTIVE", ROUTING)}
    assert {each["reportedState"]["code"] for each in there(cloud)} == {"ACTIVE"}
    at_once(8, lambda n: manager.delete(ids[n], owner=Owner(f"{URN}s{n}")))
    assert there(cloud) == []


@pytest.mark.usefixtures("lag")
@pytest.mark.parametrize("match", [POST, PUT, PATCH, DELETE], ids=["POST", "PUT", "PATCH", "DELETE"])
def test_a_lost_answer_under_lag(cloud: Cloud, manager: SourceManager, match: dict[str, str]) -> None:
    cloud.control("faults", match=match, action="drop_after", times=1)
    source = manager.register(config()).source
    assert source.status == "ACTIVE"
    assert the_one(cloud)["id"] == source.id
    assert current(cloud)["version"] == 2
    manager.delete(source.id, owner=Owner(OWNER))
    assert there(cloud) == []


@pytest.mark.parametrize("after", ["topics", "disabled"])
@pytest.mark.usefixtures("lag")
def test_a_failure_after_a_change_is_not_hidden_by_the_previous_state(
    cloud: Cloud, manager: SourceManager, after: str, lag: float
) -> None:
    source = manager.register(config()).source
    if after == "disabled":
        manager.update(source.id, config(enabled=False))
    cloud.set_behaviour(readLagSeconds=lag / HASTE, activationError="the account is closed")
    with pytest.raises(ActivationFailed, match="the account is closed"):
        manager.update(source.id, config(topics=[ROUTING]))
    assert the_one(cloud)["reportedState"]["code"] == "ERROR"
    # And the failure is not mistaken for the result of the next attempt.
    cloud.set_behaviour(readLagSeconds=lag / HASTE)
    assert manager.update(source.id, config(topics=[ROUTING])).source.status == "ACTIVE"
    assert the_one(cloud)["reportedState"]["code"] == "ACTIVE"


@pytest.mark.usefixtures("lag")
def test_a_change_without_a_new_activation_under_lag(
    cloud: Cloud, manager: SourceManager, lag: float
) -> None:
    cloud.set_behaviour(readLagSeconds=lag / HASTE, reactivates=False)
    source = manager.register(config()).source
    for topics in ([ROUTING], [OTHER]):
        assert manager.update(source.id, config(topics=topics)).source.status == "ACTIVE"
        assert current(cloud)["properties"]["eventFilter"] == topics


@pytest.mark.usefixtures("lag")
def test_a_recent_write_of_an_earlier_process_is_recognized(cloud: Cloud, manager: SourceManager) -> None:
    """The state has what it wrote, and that no read has confirmed it."""
    source_id = made(cloud)
    written = config(topics=[ROUTING])
    reconfigure(cloud, source_id, written)

    def expected(seen: Source) -> bool:
        return seen.visible == written.visible

    last = LastWrite(utc_now(), seen=False)
    outcome = manager.update(source_id, config(topics=[OTHER]), last_write=last, expected=expected)
    assert outcome.source.status == "ACTIVE"
    assert current(cloud)["properties"]["eventFilter"] == [OTHER]


@pytest.mark.usefixtures("lag")
def test_a_change_by_somebody_else_under_lag_is_not_overwritten(
    cloud: Cloud, manager: SourceManager, another: SourceManager
) -> None:
    source = manager.register(config()).source
    reconfigure(cloud, source.id, config(topics=[OTHER]))
    with pytest.raises(SourceChanged):
        another.update(source.id, config(topics=[ROUTING]))
    assert current(cloud)["properties"]["eventFilter"] == [OTHER]
