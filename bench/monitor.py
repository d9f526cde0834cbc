"""`python -m bench.monitor`: what a monitor costs while many browsers look at it, for docs/monitor.md."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import cycle, product
from pathlib import Path

import click
import httpx

from bench.processes import processes
from bench.services import Organization
from genesys_provider import TargetConfig, TargetManager
from genesys_provider.targets.vocabulary import FAILED, VERIFIED
from tests.support.process import Service

CHANGES_EVERY = 5.0
"""Seconds between two changes. Each target fails once; then each is verified again, and so on."""
SAMPLES = 10


class Browsers:
    """Streams of server-sent events, read as fast as they come."""

    def __init__(self, url: str, count: int) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, limits=httpx.Limits(max_connections=None))
        self._lock = threading.Lock()
        self._received = 0
        self._threads = [threading.Thread(target=self._read, daemon=True) for _ in range(count)]
        for each in self._threads:
            each.start()

    def _read(self) -> None:
        # At the end of the measurement the monitor ends first.
        with suppress(httpx.HTTPError), self._client.stream("GET", "/api/events") as answer:
            for part in answer.iter_raw():
                with self._lock:
                    self._received += len(part)

    @property
    def watching(self) -> int:
        """How many streams are still open."""
        return sum(each.is_alive() for each in self._threads)

    def megabytes_each(self) -> float:
        """What each browser has received since the last call, on average."""
        with self._lock:
            received, self._received = self._received, 0
        return received / len(self._threads) / 1e6


@click.command()
@click.option("--targets", default=2000, show_default=True)
@click.option("--browsers", default=50, show_default=True)
@click.option("--minutes", default=10.0, show_default=True)
def main(targets: int, browsers: int, minutes: float) -> None:
    """Measure the monitor's memory, processor time and requests while targets change one after another."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, ExitStack() as stack:
        organization = stack.enter_context(Organization(Path(directory) / "cloud", verification_seconds=0.1))
        changes = cycle(product((FAILED, VERIFIED), _registered(organization, targets)))
        history = Path(directory) / "history.sqlite"
        options = ("--port", 0, "--history", history)
        monitor = stack.enter_context(Service("monitor", *options, env=organization.env))
        organization.traffic()
        click.echo(f"before a browser: {processes()[monitor.pid].megabytes:.0f} MB")
        watching = Browsers(monitor.url, browsers)
        time.sleep(30)
        click.echo(f"with {browsers} after half a minute: {processes()[monitor.pid].megabytes:.0f} MB")
        click.echo(f"to each browser when it opens: {watching.megabytes_each():.1f} MB")
        used, began = processes()[monitor.pid].processor_seconds, time.monotonic()
        for sample in range(SAMPLES):
            _until(
                began + (sample + 1) * minutes * 60 / SAMPLES,
                lambda: organization.give(*next(changes)),
            )
            passed = (sample + 1) * minutes / SAMPLES
            click.echo(f"after {passed:.0f} minutes: {processes()[monitor.pid].megabytes:.0f} MB")
        lasted = time.monotonic() - began
        click.echo(f"to each browser: {watching.megabytes_each() / lasted * 60:.2f} MB a minute")
        click.echo(f"processor: {(processes()[monitor.pid].processor_seconds - used) / lasted:.1%} of a core")
        click.echo(f"requests: {organization.traffic().by_kind}")
        history_bytes = sum(each.stat().st_size for each in history.parent.glob(f"{history.name}*"))
        click.echo(f"history: {history_bytes / 1e6:.1f} MB")
        if watching.watching < browsers:
            raise click.ClickException(f"only {watching.watching} of {browsers} streams are still open")


def _registered(organization: Organization, count: int) -> list[str]:
    def register(number: int) -> str:
        config = TargetConfig(
            name=f"target-{number:04}",
            endpoint_url=f"{organization.gateway_url}/v1/genesys/events/{number}",
            event_types=["CONVERSATION_STARTED"],
        )
        return manager.register(config).target.id

    with TargetManager(organization.settings) as manager, ThreadPoolExecutor(64) as pool:
        return list(pool.map(register, range(count)))


def _until(end: float, work: Callable[[], None]) -> None:
    while (left := end - time.monotonic()) > 0:
        work()
        time.sleep(min(CHANGES_EVERY, left))


if __name__ == "__main__":
    main()
