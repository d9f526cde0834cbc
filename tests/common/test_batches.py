"""Questions that many threads ask together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.errors import ServerError
from genesys_provider.client.progress import report, reporting_to
from genesys_provider.common.batches import Batches
from tests.support.shared_cloud import outcomes_at_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genesys_provider.client.progress import Say


def test_each_thread_gets_an_error_of_its_own() -> None:
    """Raising an error changes it, so that threads with the same one would overwrite each other's context."""
    failure = ServerError("the service fails", status=503)

    def fail(_: Mapping[str, Say]) -> dict[str, str]:
        raise failure

    batches = Batches[str, str](fail, lambda: None, threading.Event(), "failing")
    nothing: dict[int, str] = {}

    def ask(number: int) -> None:
        try:
            _ = nothing[number]
        except KeyError:
            batches.ask("question")

    raised = outcomes_at_once(8, ask)

    assert [str(each) for each in raised] == [str(failure)] * 8
    contexts = [each.__context__ for each in raised if isinstance(each, ServerError)]
    assert [each.args for each in contexts if each] == [(number,) for number in range(8)]


def test_an_error_of_one_question_is_for_those_who_asked_it() -> None:
    answers: dict[str, str | Exception] = {"good": "yes", "bad": ServerError("this one fails", status=503)}
    batches = Batches[str, str](lambda _: answers, lambda: None, threading.Event(), "answering")
    assert batches.ask("good") == "yes"
    with pytest.raises(ServerError, match="this one fails"):
        batches.ask("bad")


def test_the_worker_reports_to_those_who_asked() -> None:
    said: dict[int, list[str]] = {number: [] for number in range(4)}

    def answer(askers: Mapping[int, Say]) -> dict[int, bool]:
        report("for all")
        for key, say in askers.items():
            say(f"for {key}")
        return dict.fromkeys(askers, True)

    batches = Batches[int, bool](answer, lambda: None, threading.Event(), "reporting")

    def ask(number: int) -> None:
        with reporting_to(said[number].append):
            batches.ask(number % 2)

    outcomes_at_once(4, ask)

    assert said == {number: ["for all", f"for {number % 2}"] for number in range(4)}
