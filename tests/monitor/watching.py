"""The monitor as clients see it, and helpers to change what it watches."""

from __future__ import annotations

import json
import queue
import threading
from typing import TYPE_CHECKING, Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from genesys_provider import Settings
from genesys_provider.sources.manager import SourceManager
from genesys_provider.sources.models import SourceConfig
from tests.support.process import Service
from tests.support.shared_cloud import body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

    from tests.support.cloud import Cloud

INTERVAL = 0.2
"""Seconds between two readings in tests."""
SECONDS = 20.0


class Stream:
    """A browser's stream of server-sent events."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(timeout=httpx.Timeout(SECONDS))
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(url,), daemon=True)
        self._thread.start()

    def _read(self, url: str) -> None:
        name = ""
        try:
            with self._client.stream("GET", f"{url}/api/events") as answer:
                for line in answer.iter_lines():
                    kind, _, value = line.partition(": ")
                    if kind == "event":
                        name = value
                    elif kind == "data":
                        self._events.put((name, json.loads(value)))
        except httpx.HTTPError:
            pass
        finally:
            self._ended.set()

    def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first event that matches."""
        while True:
            _, data = self._events.get(timeout=SECONDS)
            if wanted(data):
                return data

    def row(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first row in an event that matches."""
        found = self.until(lambda data: any(wanted(row) for row in data["rows"]))
        return next(row for row in found["rows"] if wanted(row))

    def ends(self) -> bool:
        """Whether the server ends the stream."""
        return self._ended.wait(SECONDS)

    def close(self) -> None:
        self._client.close()


class Watch(Service):
    """A monitor that is ready."""

    def __init__(self, *options: object, env: dict[str, str]) -> None:
        given = options if "--interval" in options else (*options, "--interval", INTERVAL)
        super().__init__("monitor", "--port", 0, *given, env=env)
        self.http = httpx.Client(base_url=self.url, timeout=SECONDS)
        self._streams: list[Stream] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        super().__exit__()
        for stream in self._streams:
            stream.close()

    def json(self, path: str) -> Any:
        answer = self.http.get(path)
        answer.raise_for_status()
        return answer.json()

    def targets(self) -> dict[str, dict[str, Any]]:
        """The targets of `/api/targets`, by name."""
        return {each["name"]: each for each in self.json("/api/targets")}

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """The samples of `/metrics`, parsed by the real parser."""
        families = text_string_to_metric_families(self.http.get("/metrics").text)
        return {
            (each.name, frozenset(each.labels.items())): each.value
            for one in families
            for each in one.samples
        }

    def metric(self, name: str, /, **labels: str) -> float | None:
        return self.metrics().get((f"genesys_eventbridge_{name}", frozenset(labels.items())))

    def stream(self) -> Stream:
        stream = Stream(self.url)
        self._streams.append(stream)
        return stream


def register(cloud: Cloud, names: Iterable[str], **fields: Any) -> dict[str, str]:
    """Creates targets directly, and returns their ids by name once all have a verdict."""
    cloud.requests()
    ids = {}
    for name in names:
        answer = cloud.api("POST", json=body(cloud, name, **fields))
        answer.raise_for_status()
        ids[name] = answer.json()["id"]
    return ids


def activate(cloud: Cloud) -> str:
    """Creates the source `all`, and returns its id once it is active."""
    with SourceManager(Settings.resolve({}, cloud.env)) as manager:
        config = SourceConfig(
            name="all",
            aws_account_id="123456789012",
            aws_region="us-east-1",
            event_source_suffix="prod",
            topics=["v2.users.{id}.presence"],
        )
        return manager.register(config).source.id


def force(cloud: Cloud, target_id: str, status: str, message: str | None = None) -> None:
    """Forces the status of a target."""
    cloud.control(f"targets/{target_id}/status", status=status, message=message)
