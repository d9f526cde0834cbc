"""The emulator and the gateway as separate processes, and the requests that the emulator counted."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from genesys_provider.client.settings import Settings
from genesys_provider.targets.vocabulary import FAILED
from tests.support.process import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

CREDENTIALS = ("dev-client", "dev-secret")


class Traffic:
    """The requests of one run."""

    def __init__(self, log: list[dict[str, object]]) -> None:
        self.total = len(log)
        self.throttled = sum(each["status"] == 429 for each in log)
        self.kinds = Counter(_kind(str(each["method"]), str(each["path"])) for each in log)

    @property
    def by_kind(self) -> dict[str, int]:
        """The number of requests of each kind, the most frequent first."""
        return dict(self.kinds.most_common())


def _ready(service: Service) -> str:
    if not service.url:
        raise RuntimeError(f"a service did not start: {service.end()[1]}")
    return service.url


def _kind(method: str, path: str) -> str:
    if path == "/oauth/token":
        return "login"
    if path.endswith("/organizations/me"):
        return "organization"
    if path.endswith("/verify"):
        return "verify"
    if path.endswith("/targets") and method == "GET":
        return "list"
    return method


class Organization:
    """An emulated organization, and the gateway that receives the events of its targets.

    Args:
        directory: The directory for the certificate and the logs, which is created.
        verification_seconds: The minimum duration of a verification.
        rate_limit: Requests per minute; 0 means no limit.
    """

    def __init__(self, directory: Path, *, verification_seconds: float = 5, rate_limit: int = 0) -> None:
        directory.mkdir(parents=True)
        self.verification_seconds = verification_seconds
        certificates = directory / "certificate"
        options = ("--verification-seconds", verification_seconds, "--rate-limit", rate_limit)
        with ExitStack() as services:
            gateway = Service("gateway", "--port", 0, "--certificate-dir", certificates)
            self.gateway_url = _ready(services.enter_context(gateway))
            emulator = Service("emulator", "--port", 0, *options, "--ca-file", certificates / "ca.pem")
            self.emulator_url = _ready(services.enter_context(emulator))
            self._control = services.enter_context(httpx.Client(base_url=f"{self.emulator_url}/emulator"))
            self._services = services.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._services.close()

    @property
    def env(self) -> dict[str, str]:
        """The environment for processes that use the organization, and for programs that use its gateway."""
        return {
            "BENCH_GATEWAY": self.gateway_url,
            "GENESYSCLOUD_API_URL": self.emulator_url,
            "GENESYSCLOUD_LOGIN_URL": self.emulator_url,
            "GENESYSCLOUD_OAUTHCLIENT_ID": CREDENTIALS[0],
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": CREDENTIALS[1],
        }

    @property
    def settings(self) -> Settings:
        """The same connection for a script."""
        return Settings(*CREDENTIALS, api_url=self.emulator_url, login_url=self.emulator_url)

    def traffic(self) -> Traffic:
        """The requests since the last call."""
        log = self._control.get("/requests").json()
        self._control.delete("/requests").raise_for_status()
        return Traffic(log)

    def give(self, status: str, target_id: str) -> None:
        """Gives a target this status, as if its endpoint had broken or been mended."""
        given = {"status": status, "message": "endpoint answered 503" if status == FAILED else None}
        self._control.post(f"/targets/{target_id}/status", json=given).raise_for_status()

    @contextmanager
    def latency(self, seconds: float) -> Iterator[None]:
        """Delays every request before it is served, like the way to another continent does."""
        self._control.post("/behaviour", json={"latencySeconds": seconds}).raise_for_status()
        try:
            yield
        finally:
            # A row that fails here must not slow the rows that use the same organization after it.
            self._control.post("/behaviour", json={}).raise_for_status()
