"""nginx in front of the gateway: each breakage has its own clear status, and recovers after the repair."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import TargetManager
from genesys_provider.client.settings import Settings
from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from genesys_provider.targets.errors import SyncFailed
from tests.real_parts.proxy import NGINX, Authority, Gateway, Proxy
from tests.support.cloud import CANARIES, CLIENT_SECRET, PASSWORD, SIGNING_SECRET, USERNAME, reaching
from tests.support.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here: install Debian's package nginx-light")

ENDPOINT_SECONDS = 2.0
"""The emulator's timeout for endpoints."""

STATUSES = {
    "stopped": r"FAILED: endpoint unreachable: .*connection",
    "expired": r"FAILED: endpoint failed TLS: .*certificate has expired",
    "renamed": r"FAILED: endpoint failed TLS: .*certificate is not valid for '127\.0\.0\.1'",
    "untrusted": r"FAILED: endpoint failed TLS: .*(unable to get local issuer|self-signed) certificate",
    "password": r"FAILED: endpoint answered 401",
    "slow": rf"TIMEOUT: endpoint did not answer within {ENDPOINT_SECONDS:g} s",
    "orphaned": r"FAILED: endpoint answered 502",
}
"""The breakages, each in its own proxy, and the status of the target behind it."""


class Site:
    """A proxy for each breakage, two gateways behind them, and an emulator that trusts the CA."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.authority = Authority.made(directory)
        self.gateway = Gateway(directory / "gateway", free_port())
        stack.callback(self.gateway.close)
        self.other_gateway = Gateway(directory / "other", free_port())
        stack.callback(self.other_gateway.close)
        self.proxies = {
            name: stack.enter_context(
                Proxy(
                    directory / name,
                    self.other_gateway if name == "orphaned" else self.gateway,
                    self.authority.good(),
                    PASSWORD,
                )
            )
            for name in STATUSES
        }
        self.emulator = stack.enter_context(
            EmulatorServer(
                EmulatorSettings(
                    ca_file=self.authority.ca_file,
                    client_secret=CLIENT_SECRET,
                    verification_seconds=0.2,
                    rate_limit=0,
                    endpoint_seconds=ENDPOINT_SECONDS,
                )
            )
        )
        another = directory / "another"
        another.mkdir()
        self._strangers = Authority.made(another)

    @property
    def env(self) -> dict[str, str]:
        return reaching(self.emulator, self.authority.ca_file)

    def program(self, round_: int) -> str:
        """A program with a target behind each proxy, and a sync through it; a new round verifies all again."""
        lines = [
            f"t = EventBridgeTarget({name!r}, endpoint_url='{proxy.url}/v1/genesys/events/{name}', "
            f"event_types=['A'], auth=BasicAuth({USERNAME!r}, {PASSWORD!r}), headers={{'X-Round': '{round_}'}})\n"
            f"GatewaySync('{name}-sync', target_id=t.id, revision=t.revision, signing_secret={SIGNING_SECRET!r}, "
            f"webhook_url='{proxy.url}/webhooks/genesys/targets')"
            for name, proxy in self.proxies.items()
        ]
        return "\n".join(["from genesys_provider import *", *lines, ""])

    def break_proxy(self, name: str) -> None:
        """Breaks the proxy with this name."""
        proxy = self.proxies[name]
        breaks: dict[str, Callable[[], None]] = {
            "stopped": proxy.stop,
            "expired": lambda: proxy.set_certificate(self.authority.expired()),
            "renamed": lambda: proxy.set_certificate(self.authority.of_another_name()),
            "untrusted": lambda: proxy.set_certificate(self._strangers.good()),
            "password": lambda: proxy.set_password("another"),
            "slow": lambda: self.gateway.behave("/v1/genesys/events/slow", seconds=60),
            "orphaned": self.other_gateway.stop,
        }
        breaks[name]()

    def repair(self, name: str) -> None:
        """Repairs the proxy with this name."""
        proxy = self.proxies[name]
        repairs: dict[str, Callable[[], None]] = {
            "stopped": proxy.start,
            "password": lambda: proxy.set_password(PASSWORD),
            "slow": self.gateway.behave_as_usual,
            "orphaned": self.other_gateway.start,
        }
        repairs.get(name, lambda: proxy.set_certificate(self.authority.good()))()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path_factory.mktemp("site"), stack)


@pytest.mark.full_length
def test_each_breakage_has_its_status_and_recovers(site: Site, make_stack: Callable[..., Any]) -> None:
    stack = make_stack(site.program(1), env=site.env)
    created = stack.up()
    assert created.code == 0, created.output
    assert [event["path"] for event in site.other_gateway.received()["events"]] == [
        "/v1/genesys/events/orphaned"
    ]
    resources = stack.resources()
    ids = {resources[name]["id"] for name in STATUSES}
    told = [*site.gateway.received()["syncs"], *site.other_gateway.received()["syncs"]]
    assert ids <= {sync["body"]["targetId"] for sync in told}

    for name in STATUSES:
        site.break_proxy(name)
    # Otherwise the engine would stop at the first failure.
    stack.program(site.program(2))
    broken = stack.up("--continue-on-error")
    assert broken.code != 0
    assert "Traceback" not in broken.output
    diagnostics = broken.output.partition("Diagnostics:")[2]
    for name, status in STATUSES.items():
        assert re.search(rf"target '{name}' \(\S+\) is not verified, {status}", diagnostics), (
            f"{name} in {broken.output}"
        )
    resources = stack.resources()
    assert {name: resources[name]["outputs"]["status"] for name in STATUSES} == {
        name: status.partition(":")[0] for name, status in STATUSES.items()
    }

    for name in STATUSES:
        site.repair(name)
    healed = stack.up()
    assert healed.code == 0, healed.output
    resources = stack.resources()
    assert {resources[name]["outputs"]["status"] for name in STATUSES} == {"VERIFIED"}
    assert not any("initErrors" in each for each in resources.values())
    said = created.output + broken.output + healed.output + stack.stored()
    assert not [canary for canary in CANARIES if canary in said]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("stopped", "Connection refused"),
        ("expired", "certificate has expired"),
        ("renamed", "certificate is not valid for '127.0.0.1'"),
        ("untrusted", "certificate"),
        ("orphaned", "HTTP 502"),
    ],
)
def test_a_sync_reports_what_is_broken(site: Site, broken: str, said: str) -> None:
    webhook = f"{site.proxies[broken].url}/webhooks/genesys/targets"
    site.break_proxy(broken)
    try:
        with TargetManager(
            Settings.resolve({"caFile": site.authority.ca_file, "maxRetries": 0}, {})
        ) as manager:
            with pytest.raises(SyncFailed, match=re.escape(said)):
                manager.sync(webhook, "a-target", signing_secret=SIGNING_SECRET)
            site.repair(broken)
            manager.sync(webhook, "a-target", signing_secret=SIGNING_SECRET)
            with pytest.raises(SyncFailed, match="HTTP 401"):
                manager.sync(webhook, "a-target", signing_secret="another")
    finally:
        site.repair(broken)
