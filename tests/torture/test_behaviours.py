"""A service with unusual behaviours, from the first `up` to `destroy`: no orphan, duplicate or endless update."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_provider.emulator import Behaviour
from tests.support.cloud import Cloud
from tests.support.engine import Stack
from tests.support.process import Result
from tests.support.thoroughness import LIMIT, examples
from tests.support.waiting import eventually
from tests.torture.agreement import Heard, disagreements
from tests.torture.wanted import Wanted, program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.keys import Keys
    from tests.torture.tally import Tally

pytestmark = pytest.mark.timeout(max(LIMIT, 300))

Unlike = dict[str, Any]

LABELS = ["somebody's own"]
_EVERY: dict[str, tuple[Any, ...]] = {
    "readLagSeconds": (1, 3),
    "deleteAnswer": (200, 202),
    "putAnswer": ("part", "none"),
    "createAnswer": (200, 202),
    "extraFields": (True,),
    "idStyle": ("number", "opaque"),
    "statusCase": ("lower",),
    "listOrder": ("name", "random"),
    "omit": (["pageCount"], ["total", "nextUri"], ["pageCount", "total", "selfUri", "nextUri", "pageNumber"]),
    "normalise": (True,),
    "oddEntries": (12, 120),
    "latencySeconds": (0.3,),
}
ALONE = {f"{key}-{value}": {key: value} for key, values in _EVERY.items() for value in values}
TOGETHER = {
    "all at once": {
        **{key: values[-1] for key, values in _EVERY.items()},
        "readLagSeconds": 1,
        "latencySeconds": 0.05,
    }
}
QUICK = ("all at once",)
DRAWN = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(values) for key, values in _EVERY.items()}
).filter(lambda drawn: len(drawn) > 1)

FIRST = (Wanted("kept"), Wanted("changed"), Wanted("moved"), Wanted("gone"))
_kept, _changed, _moved, _ = FIRST
THEN = (
    _kept,
    replace(_changed, max_retries=7),
    replace(_moved, path="/new", event_types=("A", "B")),
    Wanted("new"),
)


class UpperCaseHost(Cloud):
    """An organization whose endpoints have a host in capital letters, as a user may type it."""

    def endpoint(self, name: str) -> str:
        """The event endpoint with this name."""
        return super().endpoint(name).replace("127.0.0.1", "LOCALHOST")


class LifeCycle:
    """The life cycle of a stack in an organization with this behaviour."""

    def __init__(self, cloud: Cloud, behaviour: Unlike, keys: Keys) -> None:
        self.cloud = cloud
        self.behaviour = behaviour
        env = {**cloud.env, "GENESYSCLOUD_VERIFICATION_TIMEOUT": "25"}
        self.stack = Stack(cloud.directory / "stack", "", env=env, keys=keys)
        self._heard = Heard([], {}, set())
        self._wanted: tuple[Wanted, ...] = ()

    def want(self, wanted: Iterable[Wanted]) -> None:
        """Changes what the program declares."""
        self._wanted = tuple(wanted)
        self.stack.program(program(self.cloud, self._wanted))

    def agrees(self, result: Result) -> None:
        """Checks that the command succeeded, and that everything matches the program."""
        assert result.code == 0, result.output
        assert disagreements(self.cloud, {self.stack: self._wanted}, self._heard) == [], result.output

    def seen_by_all(self) -> None:
        """Waits until reads show the current state."""
        eventually(lambda: self._shown(as_usual=False) == self._shown(as_usual=True))

    def _shown(self, *, as_usual: bool) -> dict[str, tuple[Any, ...]]:
        self.cloud.requests()
        entities: list[dict[str, Any]] = []
        while page := self.cloud.api(
            "GET", f"?pageSize=100&pageNumber={len(entities) // 100 + 1}", as_usual=as_usual
        ).json()["entities"]:
            entities += page
            if len(page) < 100:
                break
        return {
            each["id"]: (
                each["name"],
                each["endpointUrl"],
                each["retryPolicy"]["maxRetries"],
                each["status"].upper(),
            )
            for each in entities
            if not each["id"].startswith("0ddba110")
        }

    def label(self, name: str) -> None:
        """Sets an unknown field of the service, as somebody else."""
        target_id = self.cloud.living()[name]
        body = {**self.cloud.configuration(target_id), "labels": LABELS}
        self.cloud.api("PUT", f"/{target_id}", as_usual=False, json=body).raise_for_status()
        self.seen_by_all()
        eventually(lambda: self._labels(target_id) == LABELS)

    def labels(self, name: str) -> Any:
        """The current values of that field."""
        target_id = self.cloud.living()[name]
        self.cloud.set_behaviour(extraFields=True)
        labels = self._labels(target_id)
        self.cloud.set_behaviour(**self.behaviour)
        return labels

    def _labels(self, target_id: str) -> Any:
        return self.cloud.api("GET", f"/{target_id}", as_usual=False).json().get("labels")

    def run(self) -> None:
        """Runs everything from the first `up` to `destroy`."""
        stack, cloud = self.stack, self.cloud
        self.want(FIRST)
        self.agrees(stack.up())

        # Immediately: an object that reads don't show yet is not gone.
        refreshed = stack.refresh()
        assert refreshed.code == 0, refreshed.output
        assert set(stack.resources()) >= {each.resource for each in FIRST}, refreshed.output
        self.agrees(stack.up())
        self.seen_by_all()

        if labelled := self.behaviour.get("extraFields", False):
            self.label("changed")
        self.want(THEN)
        self.agrees(stack.up())
        self.seen_by_all()
        self.agrees(stack.refresh())

        cloud.requests()
        for command in (("--expect-no-changes",), ("--refresh", "--expect-no-changes")):
            unchanged = stack.up(*command)
            assert cloud.writes() == [], unchanged.output
            self.agrees(unchanged)
        if labelled:
            assert self.labels("changed") == LABELS

        cloud.requests()
        destroyed = stack.destroy()
        assert destroyed.code == 0, destroyed.output
        if self.behaviour.get("deleteAnswer", 204) != 204:
            # An accepted deletion is not done until a read confirms it.
            requests = cloud.requests()
            last = max(place for place, each in enumerate(requests) if each.startswith("DELETE"))
            assert any(each.startswith("GET /") for each in requests[last:]), requests
        assert stack.resources() == {}
        assert cloud.living() == {}, destroyed.output
        self.want(())
        self.agrees(destroyed)


def run_life_cycle(behaviour: Unlike, tally: Tally, keys: Keys) -> None:
    """Runs the life cycle in its own folder."""
    with (
        tempfile.TemporaryDirectory() as directory,
        UpperCaseHost(Path(directory), behaviour=Behaviour.model_validate(behaviour)) as cloud,
    ):
        LifeCycle(cloud, behaviour, keys).run()
    tally.faults["unlike the usual, from up to destroy: as wanted"] += 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function is test_one_behaviour:
        rows = {"as usual": {}, **ALONE, **TOGETHER}
        if not metafunc.config.getoption("--torture"):
            rows = {name: rows[name] for name in QUICK}
        metafunc.parametrize("behaviour", rows.values(), ids=list(rows))


def test_one_behaviour(behaviour: Unlike, tally: Tally, keys: Keys) -> None:
    run_life_cycle(behaviour, tally, keys)


@pytest.mark.full_length
@examples(1, 25)
@given(behaviour=DRAWN)
def test_any_combination_of_behaviours(behaviour: Unlike, tally: Tally, keys: Keys) -> None:
    run_life_cycle(behaviour, tally, keys)
