"""The emulator and the gateway as separate processes, and the requests that the emulator counted."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from genesys_provider.client.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

COMMAND = Path(sys.prefix) / "bin" / "genesys-eventbridge"
CREDENTIALS = ("dev-client", "dev-secret")
SECONDS_TO_END = 20.0


class Service:
    """A `genesys-eventbridge` service on a free port."""

    def __init__(self, name: str, log: Path, *options: str) -> None:
        with log.open("w") as errors:
            self._process = subprocess.Popen(  # noqa: S603
                [str(COMMAND), name, "--port", "0", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        try:
            ready = self._process.stdout.readline() if self._process.stdout else ""
        except BaseException:
            self.close()
            raise
        if "ready at" not in ready:
            self.close()
            raise RuntimeError(f"the {name} did not start: {log.read_text()}")
        self.url = ready.rsplit(" ", 1)[1].strip()

    def close(self) -> None:
        """Stops the service."""
        self._process.terminate()
        self._process.wait(SECONDS_TO_END)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Traffic:
    """The requests of one run."""

    def __init__(self, log: list[dict[str, object]]) -> None:
        self.total = len(log)
        self.throttled = sum(each["status"] == 429 for each in log)  # noqa: PLR2004
        self.kinds = Counter(_kind(str(each["method"]), str(each["path"])) for each in log)

    @property
    def by_kind(self) -> dict[str, int]:
        """The number of requests of each kind, the most frequent first."""
        return dict(self.kinds.most_common())


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


class Organisation:
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
        with ExitStack() as services:
            gateway = Service("gateway", directory / "gateway.log", "--certificate-dir", str(certificates))
            services.callback(gateway.close)
            emulator = Service(
                "emulator",
                directory / "emulator.log",
                "--verification-seconds",
                str(verification_seconds),
                "--rate-limit",
                str(rate_limit),
                "--ca-file",
                str(certificates / "ca.pem"),
            )
            services.callback(emulator.close)
            self._control = services.enter_context(httpx.Client(base_url=f"{emulator.url}/emulator"))
            self._services = services.pop_all()
        self.gateway_url, self.emulator_url = gateway.url, emulator.url

    def __enter__(self) -> Organisation:  # noqa: PYI034
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    @contextmanager
    def latency(self, seconds: float) -> Iterator[None]:
        """Delays every request before it is served, like the way to another continent does."""
        self._control.post("/behaviour", json={"latencySeconds": seconds}).raise_for_status()
        try:
            yield
        finally:
            # A row that fails here must not slow the rows that use the same organisation after it.
            self._control.post("/behaviour", json={}).raise_for_status()
