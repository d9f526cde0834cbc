"""Compares the requests of our client for the life of a source with those of the official SDK.

Each difference is intended and named here; everything else is the same: method, path, query and body.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genesys_provider import SourceConfig, SourceManager
from genesys_provider.client.settings import Settings
from tests.sources.quick import QuickTime
from tests.support.recorder import Exchange, answer_faults, request_faults
from tests.support.sdk_life import NAME, PROPERTIES, Sent, by_sdk, recorded, sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INTEGRATIONS = "/api/v2/integrations"
TOPICS = Sent("GET", "/api/v2/notifications/availabletopics", (("expand", "transports"),), None)


@contextmanager
def managed(url: str) -> Iterator[SourceManager]:
    time = QuickTime()
    client = {"clientId": "dev-client", "clientSecret": "dev-secret", "apiUrl": url, "loginUrl": url}
    with SourceManager(Settings.resolve(client, {}), cancelled=time, clock=time.clock) as manager:
        yield manager


def run_life_cycle(url: str) -> str:
    """The steps of `sdk_life.run_life_cycle` with our manager."""

    def config(topics: Sequence[str], **more: Any) -> SourceConfig:
        return SourceConfig(
            name=NAME,
            aws_account_id=PROPERTIES["awsAccountId"],
            aws_region=PROPERTIES["awsAccountRegion"],
            event_source_suffix=PROPERTIES["eventSourceSuffix"],
            topics=list(topics),
            notes="ours",
            **more,
        )

    with managed(url) as manager:
        assert manager.organization().id
        source = manager.register(config(PROPERTIES["eventFilter"][:1])).source
        manager.update(source.id, config(PROPERTIES["eventFilter"]))
        assert [each.id for each in manager.list()] == [source.id]
        manager.update(source.id, config(PROPERTIES["eventFilter"], enabled=False))
        manager.delete(source.id)
        assert manager.get(source.id) is None
    return source.id


def writes(requests: list[Sent]) -> list[Sent]:
    return [each for each in requests if each.method != "GET"]


def reads(requests: list[Sent]) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Path and query of the reads, except the list."""
    return {
        (each.path, each.query) for each in requests if each.method == "GET" and each.path != INTEGRATIONS
    }


def listed(requests: list[Sent]) -> set[tuple[tuple[str, str], ...]]:
    """The queries of the list."""
    return {each.query for each in requests if (each.method, each.path) == ("GET", INTEGRATIONS)}


def types_without_a_body(exchanges: list[Exchange]) -> set[str | None]:
    """The content types of requests without a body."""
    return {
        each.request_headers.get("content-type")
        for each in exchanges
        if each.path.startswith("/api/") and each.method in ("GET", "DELETE")
    }


def test_our_client_sends_what_the_sdk_sends() -> None:
    with recorded(activation_seconds=0.2) as (by_them, url):
        theirs = sent(by_them, by_sdk("run_life_cycle", url)["id"])
    with recorded(activation_seconds=0.2) as (by_us, url):
        ours = sent(by_us, run_life_cycle(url))
    # The writes are the same, request by request, in order and with their bodies.
    assert writes(ours) == writes(theirs)
    assert [each.method for each in writes(ours)] == ["POST", "PUT", "PATCH", "PUT", "PATCH", "DELETE"]
    # The list is read in the same way, except that we name the page, since there may be several.
    assert listed(ours) == {tuple(sorted((*query, ("pageNumber", "1")))) for query in listed(theirs)}
    # We also read the topics once, to warn about unknown ones.
    assert ours.count(TOPICS) == 1
    # All other reads are the same calls, without a query, but their number depends on our own polling.
    assert reads(ours) - {(TOPICS.path, TOPICS.query)} == reads(theirs)
    # The SDK sends a content type without a body, or the JSON `null`; we send neither.
    assert types_without_a_body(by_them) == {"application/json"}
    assert types_without_a_body(by_us) == {None}
    for each in by_us:
        assert not request_faults(each), each
        assert not answer_faults(each), each
