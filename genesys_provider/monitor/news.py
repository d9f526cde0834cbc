"""Reports changes: as a metric, as a line in the log, and by a webhook if one is set."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from genesys_provider.client.errors import Cancelled, GenesysError
from genesys_provider.client.progress import reporting_to
from genesys_provider.client.redaction import shortened
from genesys_provider.monitor.fleet import Change
from genesys_provider.monitor.metrics import Metrics
from genesys_provider.monitor.views import iso
from genesys_provider.targets.vocabulary import HEALTHY
from genesys_provider.targets.webhook import TIMEOUT_SECONDS, Webhooks

SOURCE = "genesys-eventbridge-monitor"
"""The source that the webhook names."""
PATIENCE_SECONDS = 300.0
"""How long a change may wait for its webhook to be accepted; later ones wait behind it."""
MAX_RETRIES = 20
"""More than a back-off makes of that time. A receiver may ask to be called again at once."""
MOST_WAITING = 5_000
"""The length of the webhook queue; when it is full, further changes are only logged."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WebhookSettings:
    """The webhook that receives changes.

    Attributes:
        url: An `https://` URL.
        signing_secret: The shared secret.
        ca_file: A CA that is trusted in addition to the system's.
    """

    url: str
    signing_secret: str
    ca_file: Path | None


class News:
    """Reports changes. Thread-safe.

    Args:
        metrics: Count the changes.
        webhook: The webhook, if any.
        cancelled: Set when the monitor ends.
    """

    def __init__(self, metrics: Metrics, webhook: WebhookSettings | None, cancelled: threading.Event) -> None:
        self._metrics = metrics
        self._webhook = webhook
        self._waiting: queue.Queue[tuple[float, Change]] = queue.Queue(MOST_WAITING)
        self._webhooks: Webhooks | None = None
        if webhook is not None:
            self._webhooks = Webhooks(webhook.ca_file, max_retries=MAX_RETRIES, cancelled=cancelled)
            threading.Thread(
                target=self._send, args=(webhook, self._webhooks), name="webhooks", daemon=True
            ).start()

    def close(self) -> None:
        """Stops sending, and logs what was not sent."""
        if self._webhooks is not None:
            if left := self._waiting.unfinished_tasks:
                _log.warning("the monitor ends before the webhook could have the last changes: %d", left)
            self._webhooks.close()

    def tell(self, changes: Sequence[Change], *, first: bool = False) -> None:
        """Reports changes, except the findings of the `first` reading and a first good health."""
        for change in changes:
            thing = f"{change.kind} {shortened(change.name)} ({shortened(change.id)})"
            after = shortened(change.after)
            if change.before == change.after:
                # Only the reason is new.
                _log.info("%s is %s: %s", thing, after, change.reason)
                continue
            if change.before is None and (first or change.after == HEALTHY):
                continue
            if change.what == "status":
                self._metrics.changes.labels(change.kind, change.after).inc()
            why = f": {change.reason}" if change.reason else ""
            before = shortened(change.before or "new")
            _log.info("%s: %s %s -> %s%s", thing, change.what, before, after, why)
            if self._webhook is not None:
                try:
                    self._waiting.put_nowait((time.monotonic(), change))
                except queue.Full:
                    _log.warning("no webhook is sent for this change: %d are queued already", MOST_WAITING)

    def _send(self, webhook: WebhookSettings, webhooks: Webhooks) -> None:
        """Sends one webhook after the other, so that they arrive in order."""
        while True:
            happened, change = self._waiting.get()
            about = f"{change.kind} {shortened(change.id)}"
            left = happened + PATIENCE_SECONDS - time.monotonic()
            try:
                with reporting_to(partial(_log.warning, "the webhook for %s: %s", about)):
                    webhooks.send(
                        webhook.url,
                        partial(_body, change),
                        about,
                        signing_secret=webhook.signing_secret,
                        # At least one whole attempt: the receiver may be back.
                        timeout=max(TIMEOUT_SECONDS, left),
                    )
            except Cancelled:
                return
            except GenesysError as error:
                # Without its hint, which is about Genesys Cloud or a GatewaySync.
                _log.warning(
                    "the webhook for %s failed and is not sent again: %s. Check the receiver of --webhook",
                    about,
                    error.message.removesuffix("."),
                )
            except Exception as error:  # noqa: BLE001 - the next change must be sent all the same
                _log.error(
                    "the webhook for %s failed and is not sent again, by a fault of this monitor: %s: %s",
                    about,
                    type(error).__name__,
                    shortened(str(error)),
                )
            self._waiting.task_done()


def _body(change: Change, _: str) -> Mapping[str, Any]:
    """The body of a webhook; its timestamp is that of the change, not of the attempt."""
    return {
        "eventType": f"{change.kind}_{change.what}_changed".upper(),
        f"{change.kind}Id": change.id,
        "name": change.name,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
        "timestamp": iso(change.at),
        "source": SOURCE,
    }
