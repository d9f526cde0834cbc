"""The form of topics, the suggested corrections, and the topics that an organization offers."""

from __future__ import annotations

import pytest

from genesys_provider.emulator import topics as emulated
from genesys_provider.sources.topics import offered, topic_fault, warnings

PUBLISHED = [each["id"] for each in emulated.topics((), preview=True)]
LISTING = {
    "entities": [
        {"id": "v2.users.{id}.presence", "transports": ["All"]},
        {"id": "v2.detail.events.conversation.{id}.acw", "transports": ["EventBridge"]},
        {"id": "v2.routing.queues.{id}.users", "transports": ["Websocket", "eventbridge"]},
        {"id": "v2.system.socket_closing", "transports": ["Websocket"]},
        {"id": "v2.flows.{id}"},
        {"id": None, "transports": ["All"]},
        "v2.text",
    ]
}


@pytest.mark.parametrize("topic", PUBLISHED)
def test_published_topics_are_well_formed(topic: str) -> None:
    assert topic_fault(topic) is None


@pytest.mark.parametrize(
    ("topic", "hint"),
    {
        "v2.users.*.presence": "must have no wildcard",
        "v2.users.#": "must have no wildcard",
        "v2.users.3b1e6f0c-4b0e-4b7e-9c57-0a6a2b0f5a11.presence": "all objects at once: v2.users.{id}.presence",
        "v2.users.4711.x.12": "in place of a real id, for all objects at once: v2.users.{id}.x.{id}",
        "v2.users.{userId}.presence": "where an object's id stands: v2.users.{id}.presence",
        "v2.users.:id.presence": "where an object's id stands: v2.users.{id}.presence",
        "v2.users.<id>.presence": "where an object's id stands: v2.users.{id}.presence",
        "users.{id}.presence": "must begin with its version: v2.users.{id}.presence",
        " v2.users.{id}.presence": "must have no white space around it: v2.users.{id}.presence",
        "v2.users.{id}.presence\n": "must have no white space around it",
        "": "must be the template of a topic, such as v2.users.{id}.presence",
        "v2": "must be the template of a topic",
        "v2.": "must be the template of a topic",
        "v2.users..presence": "must be the template of a topic",
        "v2.users. {id}": "must be the template of a topic",
    }.items(),
)
def test_the_error_of_a_malformed_topic_has_the_correct_form(topic: str, hint: str) -> None:
    fault = topic_fault(topic)
    assert fault is not None
    assert hint in fault


def test_topics_for_eventbridge_are_offered() -> None:
    assert offered(LISTING) == {
        "v2.users.{id}.presence",
        "v2.detail.events.conversation.{id}.acw",
        "v2.routing.queues.{id}.users",
        "v2.flows.{id}",
    }


@pytest.mark.parametrize("answer", [{}, {"entities": None}, {"entities": {"id": "v2.flows.{id}"}}])
def test_an_answer_without_a_list_offers_nothing(answer: dict[str, object]) -> None:
    assert offered(answer) == frozenset()


def test_the_warning_names_the_nearest_topic() -> None:
    wanted = ["v2.users.{id}.presences", "v2.flows.{id}", "v2.zzz"]
    first, second = warnings(wanted, offered(LISTING))
    assert "'v2.users.{id}.presences'" in first
    assert "is 'v2.users.{id}.presence' meant?" in first
    assert "'v2.zzz'" in second
    assert "meant" not in second
