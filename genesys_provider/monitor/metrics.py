"""The metrics for Prometheus: gauges of the current fleet, and counters and a histogram of events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from genesys_provider.monitor.fleet import GONE, Fleet, Kind
from genesys_provider.sources.vocabulary import ACTIVE, ERROR
from genesys_provider.targets.vocabulary import (
    FINAL_STATUSES,
    HEALTHY,
    PENDING_VERIFICATION,
    UNHEALTHY,
    UNKNOWN_HEALTH,
)

PREFIX = "genesys_eventbridge"
_KNOWN: Mapping[Kind, Collection[str]] = {
    "target": (*FINAL_STATUSES, PENDING_VERIFICATION, GONE),
    "source": (ACTIVE, ERROR, GONE),
}
BUCKETS = (0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 75, 120)
"""Seconds; the default limit of a verification is 75."""


class Metrics:
    """The metrics of one monitor."""

    def __init__(self, fleet: Fleet) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_FleetCollector(fleet))
        self.verification = Histogram(
            f"{PREFIX}_verification_seconds",
            "Time from the request to the verdict VERIFIED, for each verification in the audit file.",
            buckets=BUCKETS,
            registry=self._registry,
        )
        self.checks = Counter(
            f"{PREFIX}_health_checks",
            "Health checks by result; UNKNOWN means that the check could not be made.",
            ["health"],
            registry=self._registry,
        )
        self.changes = Counter(
            f"{PREFIX}_changes",
            "Observed changes of a status, by the new status.",
            ["kind", "status"],
            registry=self._registry,
        )
        # Prometheus sees no increase in a series that begins with its first event.
        for kind, statuses in _KNOWN.items():
            for each in statuses:
                self.changes.labels(kind, each)
        for health in (HEALTHY, UNHEALTHY, UNKNOWN_HEALTH):
            self.checks.labels(health)

    def text(self, accept: str) -> tuple[bytes, str]:
        """The metrics in the requested format, and their content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _FleetCollector(Collector):
    """Reads the fleet at each scrape, so that no series remains for a deleted target."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        """All metrics that are read from the fleet; nothing is counted before the first reading."""
        if self._fleet.reading.read_at is not None:
            yield from self._things()
        yield from self._reading()

    def describe(self) -> Iterator[Metric]:
        """Nothing, since otherwise the registry would collect once more at registration."""
        return iter(())

    def _things(self) -> Iterator[Metric]:
        gone = GaugeMetricFamily(f"{PREFIX}_gone", "Objects that no longer exist, by kind.", labels=["kind"])
        kinds: tuple[tuple[Kind, str], ...] = (("target", "Targets"), ("source", "Sources"))
        for kind, title in kinds:
            counts = dict(self._fleet.counts(kind))
            gone.add_metric([kind], counts.pop(GONE, 0))
            family = GaugeMetricFamily(
                f"{PREFIX}_{kind}s", f"{title} by status, as the API spells it.", labels=["status"]
            )
            for name, count in counts.items():
                family.add_metric([name], count)
            yield family
        yield gone
        status = GaugeMetricFamily(
            f"{PREFIX}_target_status",
            "1, with the status of a target as a label.",
            labels=["id", "name", "status"],
        )
        health = GaugeMetricFamily(
            f"{PREFIX}_target_healthy",
            "Whether the last health check of a target returned HEALTHY.",
            labels=["id", "name", "health"],
        )
        for row in self._fleet.rows("target"):
            status.add_metric([row.id, row.name, row.status], 1)
            if row.health is not None:
                health.add_metric([row.id, row.name, row.health], row.health == HEALTHY)
        source = GaugeMetricFamily(
            f"{PREFIX}_source_status",
            "1, with the state of a source as a label.",
            labels=["id", "name", "status"],
        )
        for row in self._fleet.rows("source"):
            source.add_metric([row.id, row.name, row.status], 1)
        yield from (status, health, source)

    def _reading(self) -> Iterator[Metric]:
        reading = self._fleet.reading
        yield CounterMetricFamily(
            f"{PREFIX}_reads", "Readings of the lists, successful or not.", value=reading.reads
        )
        yield CounterMetricFamily(f"{PREFIX}_read_errors", "Failed readings.", value=reading.errors)
        yield GaugeMetricFamily(
            f"{PREFIX}_up",
            "Whether the last reading succeeded.",
            value=reading.error is None and reading.reads > 0,
        )
        if reading.read_at is not None:
            yield GaugeMetricFamily(
                f"{PREFIX}_last_read_timestamp_seconds",
                "When the last successful reading ended.",
                value=reading.read_at,
            )
        if reading.rate_limit is not None:
            allowed, left = reading.rate_limit
            yield GaugeMetricFamily(
                f"{PREFIX}_rate_limit", "Requests per minute that the token may make.", value=allowed
            )
            yield GaugeMetricFamily(
                f"{PREFIX}_rate_limit_left",
                "Requests that the token may still make in this minute.",
                value=left,
            )
