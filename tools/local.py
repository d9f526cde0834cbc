"""`make up` and `make down`: the stack `dev`, with the emulator, the gateway and the monitor.

All files are in `.local/`: the state of the stack, the emulator's state, the gateway's certificate, the monitor's
history, logs and process ids. `up` starts the services that are not running, runs the real `pulumi up`, and then
shows that it works: each target's status, the syncs that the gateway received, and the delivery of an event; the
monitor shows it in a browser. `down` destroys the stack and stops the services.
"""

from __future__ import annotations

import fcntl
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from genesys_provider import Settings, SourceManager, TargetManager
from genesys_provider.sources.vocabulary import event_source_name

ROOT = Path(__file__).parent.parent
LOCAL = ROOT / ".local"
STACK = "dev"
PASSPHRASE = "emulator"  # noqa: S105  (the stack only has the emulator's credentials, which are not secret)
START_SECONDS = 20
MONITOR_URL = "http://127.0.0.1:18791"
# The settings of the machine's own Pulumi and of a real organization do not apply here.
INHERITED = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PULUMI_", "GENESYSCLOUD_")) or name in {"PULUMI_HOME", "PULUMI_PARALLEL"}
}
ENV = {
    "PULUMI_PARALLEL": "256",  # lets all targets wait for their verification at the same time
    **INHERITED,
    "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}:{ROOT / '.pulumi' / 'bin'}",
    # Without the option Pulumi also rewrites a second file, and can't load the state if it is killed meanwhile.
    "PULUMI_BACKEND_URL": f"{(LOCAL / 'state').as_uri()}?metadata=skip",
    "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
    "PULUMI_SKIP_UPDATE_CHECK": "true",
}


def pulumi(*arguments: str, shown: bool = True) -> str:
    """Runs Pulumi on the local backend, and exits if Pulumi fails."""
    done = subprocess.run(
        ["pulumi", *arguments],
        cwd=ROOT,
        env=ENV,
        check=False,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"`pulumi {' '.join(arguments)}` failed{'' if shown else ': ' + done.stderr.strip()}")
    return "" if shown else done.stdout.strip()


def config(key: str) -> str:
    """A value of the stack's config."""
    return pulumi("config", "get", key, "--path", "--stack", STACK, shown=False)


class Service:
    """A local service that runs in the background until `make down`."""

    def __init__(self, name: str, url: str, *options: str, secrets: dict[str, str] | None = None) -> None:
        self.name = name
        self.url = url
        self._options = options
        self._secrets = secrets or {}
        self._pid_file = LOCAL / f"{name}.pid"
        self._log = LOCAL / f"{name}.log"

    @property
    def running(self) -> bool:
        """Whether the service is running: it keeps the lock of its log until it ends."""
        try:
            with self._log.open("a") as log:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False

    def start(self) -> None:
        """Starts the service unless it is running, and waits until it is ready."""
        if not self.running:
            self._launch()
        deadline = time.monotonic() + START_SECONDS
        while "ready at" not in self._log.read_text():
            if not self.running or time.monotonic() > deadline:
                sys.exit(f"the {self.name} did not start:\n{self._log.read_text()}")
            time.sleep(0.05)

    def _launch(self) -> None:
        print(f"starting the {self.name} at {self.url}", flush=True)
        # Not the script of that name: its first line can't express every path.
        program = [sys.executable, "-m", "genesys_provider.cli"]
        command = [*program, self.name, "--port", str(urlsplit(self.url).port), *self._options]
        with self._log.open("w") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**ENV, **self._secrets},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))

    def stop(self) -> None:
        """Stops the service, if it is running."""
        if self.running:
            print(f"stopping the {self.name}", flush=True)
            os.kill(int(self._pid_file.read_text()), signal.SIGTERM)
            while self.running:
                time.sleep(0.05)
        self._pid_file.unlink(missing_ok=True)


def services() -> tuple[Service, Service]:
    """The gateway and the emulator, configured from the stack's config."""
    gateway = Service(
        "gateway",
        config("gateway.url"),
        *("--certificate-dir", str(LOCAL / "gateway")),
        secrets={
            "GENESYS_GATEWAY_USERNAME": config("gateway.username"),
            "GENESYS_GATEWAY_PASSWORD": config("gatewaySecret"),
            "GENESYS_GATEWAY_SIGNING_SECRET": config("signingSecret"),
        },
    )
    emulator = Service(
        "emulator",
        config("genesys:apiUrl"),
        *("--state", str(LOCAL / "emulator.sqlite"), "--ca-file", str(LOCAL / "gateway" / "ca.pem")),
        secrets={"GENESYS_EMULATOR_CLIENT_SECRET": config("genesys:clientSecret")},
    )
    return gateway, emulator


def monitor() -> Service:
    """The monitor, with the connection from the stack's config."""
    return Service(
        "monitor",
        MONITOR_URL,
        *("--stack", STACK, "--interval", "5", "--history", str(LOCAL / "history.sqlite")),
    )


def up() -> None:
    """Starts the services, brings the stack up, and shows that events arrive."""
    (LOCAL / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
    pulumi("stack", "select", "--create", STACK, shown=False)
    gateway, emulator = services()
    # The gateway starts first, since it creates the CA that the emulator trusts.
    gateway.start()
    emulator.start()
    pulumi("up", "--yes", "--stack", STACK)
    summary(gateway.url, emulator.url)
    monitor().start()
    print(f"\nThe monitor shows them at {MONITOR_URL}")


def summary(gateway_url: str, emulator_url: str) -> None:
    """Prints the stack as the organization and the gateway report it, and the delivery of an event."""
    ca_file = LOCAL / "gateway" / "ca.pem"
    settings = Settings.resolve(
        {
            "clientId": config("genesys:clientId"),
            "clientSecret": config("genesys:clientSecret"),
            "apiUrl": emulator_url,
            "loginUrl": emulator_url,
        }
    )
    with TargetManager(settings) as manager:
        targets = sorted(manager.list(), key=lambda target: target.name)
        organization = manager.organization().id
        sources = list(SourceManager(settings, beside=manager).list())
    print("\nTargets in the organization")
    for target in targets:
        print(f"  {target.name:<20} {target.status:<10} {target.endpoint_url}")
    # What is on this machine is not reached through a proxy.
    with (
        httpx.Client(
            base_url=gateway_url,
            verify=ssl.create_default_context(cafile=str(ca_file)),
            trust_env=False,
        ) as client,
        httpx.Client(base_url=emulator_url, trust_env=False) as control,
    ):
        syncs = client.get("/received").json()["syncs"]
        print("\nSyncs that the gateway received")
        for target in targets:
            mine = [sync for sync in syncs if sync["body"]["targetId"] == target.id]
            if mine:
                print(f"  {target.name:<20} {mine[-1]['body']['eventType']}, {mine[-1]['at']}")
        event_type = targets[0].event_types[0]
        control.post(
            "/emulator/events",
            json={"eventType": event_type, "eventBody": {"conversationId": "example"}},
        ).raise_for_status()
        arrived = client.get("/received").json()["events"][-1]
        print(f"\nAn event {event_type}, sent by the emulator, arrived at {gateway_url}{arrived['path']}")
        print(f"  source {arrived['body']['source']}, detail {arrived['body']['detail']['eventBody']}")
        print("\nSources in the organization")
        for source in sources:
            name = event_source_name(organization, source.event_source_suffix)
            print(f"  {source.name:<20} {source.status:<10} {name}")
            # This is what creating the event bus does in AWS.
            control.post(f"/emulator/partner-sources/{name}/associate").raise_for_status()
        control.post(
            "/emulator/events",
            json={"eventType": sources[0].topics[0], "eventBody": {"id": "example"}},
        ).raise_for_status()
        partner_event = control.get("/emulator/partner-events").json()[-1]
        status = partner_event["status"].lower()
        print(f"\nA partner event {partner_event['detail-type']} was {status} to its event bus")
        print(f"  source {partner_event['source']}, topic {partner_event['detail']['topicName']}")


def down() -> None:
    """Destroys the stack and stops the services."""
    if not (LOCAL / "state" / ".pulumi").exists():
        print("nothing is up")
        return
    monitor().stop()
    gateway, emulator = services()
    gateway.start()
    emulator.start()
    pulumi("destroy", "--yes", "--stack", STACK)
    emulator.stop()
    gateway.stop()


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
