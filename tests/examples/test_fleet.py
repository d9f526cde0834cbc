"""The example of a large fleet: the driver in its own process, the real Pulumi, and organizations on real sockets.

`make test` only runs small fleets, since each run of a stack costs some seconds of CPU.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import CLIENT_SECRET, PASSWORD, TARGETS, USERNAME, Cloud
from tests.support.engine import ROOT, pulumi_env
from tests.support.process import Result, Running
from tests.support.shared_cloud import SkippedWaits
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from tests.support.keys import Keys

EXAMPLE = ROOT / "examples" / "fleet"
COLUMNS = ("name", "region", "unit", "endpoint_url", "event_types", "auth")
EU, US = "eu-central-1", "us-east-1"


class Fleet:
    """A copy of the example, with an organization for each region and its own backend."""

    def __init__(self, directory: Path, clouds: dict[str, Cloud], keys: Keys | None = None) -> None:
        self.clouds = clouds
        self.directory = directory / "fleet"
        self.backend = directory / "backend"
        self.home = directory / "home"
        self.backend.mkdir()
        shutil.copytree(EXAMPLE, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        project = self.directory / "Pulumi.yaml"
        project.write_text(project.read_text().replace("virtualenv: .venv", f"virtualenv: {sys.prefix}"))
        self.env = {
            **pulumi_env(self.home, self.backend, keys),
            "PYTHONPATH": str(ROOT),
            "GATEWAY": f"{USERNAME}:{PASSWORD}",
            # Some CI systems set it, although their logs can't show progress bars.
            "FORCE_COLOR": "1",
        }
        for region, cloud in clouds.items():
            suffix = region.replace("-", "_").upper()
            self.env |= {f"{name}_{suffix}": value for name, value in cloud.env.items()}
        self.rows: list[dict[str, str]] = []

    def declare(self, each: int, units: Sequence[str] = ("sales",)) -> None:
        """Declares this many targets for each unit of each region."""
        self.rows = [
            self.row(region, unit, f"{unit}-{number:03}")
            for region in self.clouds
            for unit in units
            for number in range(each)
        ]

    def row(self, region: str, unit: str, name: str) -> dict[str, str]:
        endpoint = self.clouds[region].endpoint(name)
        return dict(
            zip(COLUMNS, (name, region, unit, endpoint, "CONVERSATION_STARTED", "env:GATEWAY"), strict=True)
        )

    def start(self, command: str, *options: str) -> Running:
        self.write(self.rows)
        return Running([sys.executable, "fleet.py", command, *options], self.directory, self.env)

    def write(self, rows: list[dict[str, str]]) -> None:
        with (self.directory / "targets.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def run(self, command: str, *options: str) -> Result:
        return self.start(command, *options).wait()

    def terminal_output(self, command: str) -> str:
        """The output of a successful run in a terminal."""
        ours, theirs = pty.openpty()
        env = {**self.env, "TERM": "xterm-256color", "COLUMNS": "100"}
        driver = [sys.executable, "fleet.py", command]
        shown = b""
        with subprocess.Popen(
            driver, cwd=self.directory, env=env, stdin=theirs, stdout=theirs, stderr=theirs
        ) as running:
            os.close(theirs)
            # On Linux, reading from a terminal that all writers have closed is an error.
            with suppress(OSError):
                while read := os.read(ours, 65536):
                    shown += read
        os.close(ours)
        assert running.returncode == 0, shown.decode()
        return shown.decode()

    def stored(self) -> str:
        """Everything in the backend."""
        return "\n".join(each.read_text() for each in self.backend.rglob("*") if each.is_file())

    def targets(self) -> Counter[str]:
        """The number of targets with each status, in all organizations; fails if one has two of the same name."""
        found: Counter[str] = Counter()
        for cloud in self.clouds.values():
            cloud.requests()
            page = 1
            names: set[str] = set()
            while entities := cloud.api("GET", f"?pageSize=100&pageNumber={page}").json()["entities"]:
                page += 1
                assert names.isdisjoint(each["name"] for each in entities)
                names.update(each["name"] for each in entities)
                found.update(each["status"] for each in entities)
        return found

    def created(self) -> int:
        """The number of targets created since the requests were last read."""
        log = (cloud.control("requests", "GET") for cloud in self.clouds.values())
        return sum(
            each["method"] == "POST" and each["status"] == 201 for requests in log for each in requests
        )

    def locks(self) -> list[Path]:
        """The locks of stacks in the backend."""
        return [each for each in (self.backend / ".pulumi" / "locks").rglob("*") if each.is_file()]

    def processes(self) -> list[str]:
        """The running processes of the fleet, which all inherit its PULUMI_HOME."""
        return [each for each in map(_command_of, Path("/proc").glob("[0-9]*"), repeat(self.home)) if each]


def _command_of(process: Path, home: Path) -> str:
    """The command line of a process with this PULUMI_HOME; empty for others."""
    with suppress(OSError):
        if f"PULUMI_HOME={home}".encode() in (process / "environ").read_bytes():
            return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@pytest.fixture
def fleet(tmp_path: Path, keys: Keys) -> Iterator[Fleet]:
    with Cloud(tmp_path) as eu, Cloud(tmp_path, beside=eu) as us:
        yield Fleet(tmp_path, {EU: eu, US: us}, keys)


def last_line(result: Result) -> str:
    return result.output.rstrip().rpartition("\n")[2]


def test_a_failed_stack_does_not_stop_the_others(fleet: Fleet) -> None:
    fleet.declare(4)
    fleet.clouds[US].behave("/v1/genesys/events/sales-003", status=503)
    # Both organizations send to the same gateway, so the other one needs a different endpoint.
    fleet.rows[3]["endpoint_url"] = fleet.clouds[EU].endpoint("other")

    failed = fleet.run("up")
    assert failed.code == 1, failed.output
    told = failed.output.partition("\nus-east-1.sales FAILED:\n")[2].splitlines()
    assert told[0].startswith("  target 'sales-003'"), failed.output
    assert "is not verified, FAILED: endpoint answered 503" in told[0]
    assert told[1] == ""
    assert last_line(failed) == "2 stacks: 1 FAILED, 1 done. Targets: 7 created, 1 failed."
    # Our host keeps an unverified target in the state, while the stock one deletes it again.
    assert fleet.targets() == {"VERIFIED": 7, "FAILED": 1}

    fleet.clouds[US].behave_as_usual()
    fleet.rows[0]["event_types"] = "CONVERSATION_STARTED CONVERSATION_ENDED"
    changed = fleet.run("up")
    assert changed.code == 0, changed.output
    assert last_line(changed) == "2 stacks: 2 done. Targets: 6 unchanged, 2 updated."
    assert fleet.targets() == {"VERIFIED": 8}
    # A log gets plain lines of text, without progress bars and colors.
    assert [line.split()[1] for line in changed.output.splitlines()[:2]] == ["up:", "up:"]
    assert "\x1b" not in failed.output + changed.output
    for secret in (PASSWORD, CLIENT_SECRET):
        assert secret not in failed.output + changed.output
        assert secret not in fleet.stored()

    gone = fleet.run("destroy")
    assert gone.code == 0, gone.output
    assert last_line(gone) == "2 stacks: 2 done. Targets: 8 deleted."
    assert fleet.targets() == {}


@pytest.mark.full_length
def test_no_part_of_the_progress_bars_stays_behind(fleet: Fleet) -> None:
    fleet.declare(1, units=("sales", "service", "surveys"))
    fleet.write(fleet.rows)
    lines = on_screen(fleet.terminal_output("preview"))
    assert len([line for line in lines if line.endswith("preview: 1 target")]) == 6
    assert [line.split()[0] for line in lines if "━" in line] == ["fleet"]


def on_screen(output: str) -> list[str]:
    """The lines that a terminal shows in the end, as far as rich uses one: lines, and erasing lines upwards."""
    lines, at = [""], 0
    for part in re.split(r"(\r?\n|\r|\x1b\[[0-9;?]*[A-Za-z])", output):
        if part.endswith("\n"):
            at += 1
            lines += [""] * (at == len(lines))
        elif part.endswith("A") and part.startswith("\x1b["):
            at -= int(part[2:-1])
        elif part.startswith("\x1b[2K"):
            lines[at] = ""
        elif not part.startswith(("\x1b", "\r")):
            lines[at] += part
    return lines


@pytest.mark.full_length
@pytest.mark.timeout(900)
def test_two_hundred_targets(tmp_path: Path) -> None:
    with (
        Cloud(tmp_path, verification_seconds=5, rate_limit=300) as eu,
        Cloud(tmp_path, beside=eu, verification_seconds=5, rate_limit=300) as us,
    ):
        fleet = Fleet(tmp_path, {EU: eu, US: us})
        fleet.declare(50, ("sales", "service"))

        def done(command: str, targets: str, *options: str) -> Result:
            result = fleet.run(command, *options)
            assert result.code == 0, result.output
            assert last_line(result) == f"4 stacks: 4 done. Targets: {targets}."
            assert all(
                each["status"] != 429 for cloud in (eu, us) for each in cloud.control("requests", "GET")
            )
            return result

        preview = done("preview", "200 to create", "--parallel-stacks", "1")
        started = re.findall(r"^(\S+)\.\S+ +preview:", preview.output, re.MULTILINE)
        assert started == [EU, US, EU, US]
        assert fleet.targets() == {}
        done("up", "200 created")
        assert fleet.targets() == {"VERIFIED": 200}
        done("up", "200 unchanged")
        eu.change(eu.living()["sales-000"], eventTypes=["CONVERSATION_ENDED"])
        us.api("DELETE", f"/{us.living()['service-049']}")
        done("refresh", "1 changed by others, 1 deleted by others, 198 unchanged")
        fleet.rows.pop(0)
        done("preview", "1 to create, 1 to delete, 198 unchanged")
        done("up", "1 created, 1 deleted, 198 unchanged")
        assert fleet.targets() == {"VERIFIED": 199}

        screen = fleet.terminal_output("up")
        assert "eu-central-1.sales" in screen
        assert "199/199" in screen

        # Somebody else is updating one stack.
        lock = fleet.backend / ".pulumi/locks/organization/contact-centre-fleet/us-east-1.sales/other.json"
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_text(
            '{"pid": 1, "username": "other", "hostname": "elsewhere", "timestamp": "2026-01-01T00:00:00Z"}'
        )
        locked = fleet.run("up")
        assert locked.code == 1
        assert "us-east-1.sales FAILED:\n  error: the stack is currently locked by 1 lock(s)" in locked.output
        lock.unlink()

        # A unit whose rows were removed.
        rows = fleet.rows
        fleet.rows = [each for each in rows if (each["region"], each["unit"]) != (US, "service")]
        left = fleet.run("preview")
        assert left.code == 0
        assert "us-east-1.service has no rows any more and was left unchanged" in left.output
        fleet.rows = rows
        done("destroy", "199 deleted")
        assert fleet.targets() == {}


@pytest.mark.full_length
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_all_stacks_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with Cloud(tmp_path, verification_seconds=3600) as cloud:
        fleet = Fleet(tmp_path, {EU: cloud})
        fleet.declare(6, ("sales", "service"))
        fleet.rows += [fleet.row(EU, "training", "training-000")]
        running = fleet.start("up", "--parallel-stacks", "2")
        eventually(lambda: fleet.created() == 12)
        os.kill(running.pid, number)
        stopped = running.wait()

        assert stopped.code == 128 + number, stopped.output
        assert last_line(stopped) == "3 stacks: 1 not started, 2 stopped. Targets: 12 interrupted."
        assert fleet.locks() == []
        eventually(lambda: fleet.processes() == [])
        # Everything that was created is in the state, so nothing is created twice or left behind.
        assert fleet.targets() == {"PENDING_VERIFICATION": 12}
        for target in cloud.targets().values():
            cloud.control(f"targets/{target['id']}/status", status="VERIFIED")
        fleet.rows.pop()
        again = fleet.run("up")
        assert again.code == 0, again.output
        assert fleet.created() == 0
        assert fleet.targets() == {"VERIFIED": 12}


@pytest.mark.full_length
def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        fleet = Fleet(tmp_path, {EU: cloud})
        fleet.declare(1, ("sales", "service"))
        # Sent requests can't be recalled, so a first Ctrl-C waits for these responses.
        match = {"method": "POST", "path": TARGETS}
        cloud.control("faults", match=match, action="delay", when="before", seconds=3600, times=2)
        running = fleet.start("up")
        eventually(lambda: len(cloud.control("held", "GET")) == 2)
        running.interrupt()
        output = running._process.stdout
        assert output is not None
        assert any("Ending all stacks" in line for line in iter(output.readline, ""))
        running.interrupt()
        stopped = running.wait()
        assert stopped.code == 128 + signal.SIGINT, stopped.output
        assert fleet.locks() == []
        eventually(lambda: fleet.processes() == [])

        cloud.control("held", "DELETE")
        again = fleet.run("up")
        assert again.code == 0, again.output
        assert fleet.targets() == {"VERIFIED": 2}


@pytest.mark.full_length
def test_engines_end_cleanly_after_their_driver_was_killed(tmp_path: Path) -> None:
    with Cloud(tmp_path, verification_seconds=3600) as cloud:
        fleet = Fleet(tmp_path, {EU: cloud})
        fleet.declare(1, ("sales", "service"))
        running = fleet.start("up")
        eventually(lambda: fleet.created() == 2)
        running.kill()
        running.wait()
        for target in cloud.targets().values():
            cloud.control(f"targets/{target['id']}/status", status="VERIFIED")
        eventually(lambda: fleet.processes() == [])
        assert fleet.locks() == []
        again = fleet.run("up")
        assert last_line(again) == "2 stacks: 2 done. Targets: 2 unchanged."


FAULTY = """name,region,unit,endpoint_url,event_types,auth
orders,eu-central-1,sales,https://events.example/orders,CONVERSATION_STARTED,
orders,us-east-1,sales,https://events.example/orders,CONVERSATION_STARTED,

orders,eu-central-1,service,http://events.example/orders,,user:canary-password-7c1
orders,eu-central-1,service,https://events.example/orders,CONVERSATION_STARTED,
queues,Frankfurt,Sales,https://events.example/queues,CONVERSATION_STARTED,env:GATEWAY,too much
users
"""
FAULTS = {
    "5: endpoint_url",
    "5: event_types",
    "5: auth",
    "6: name: orders is already in eu-central-1, in line 2",
    "7: region",
    "7: unit",
    "7: too many columns",
    "8: region",
    "8: unit",
    "8: endpoint_url",
    "8: event_types",
    "8: auth",
}


def test_a_file_with_faults_starts_nothing(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, {})
    file = tmp_path / "faulty.csv"
    file.write_text(FAULTY)
    refused = fleet.run("up", "--targets", str(file))
    assert refused.code == 2
    told = [line for line in refused.output.splitlines() if line.startswith(f"{file}:")]
    assert len(told) == len(FAULTS), refused.output
    assert all(any(line.startswith(f"{file}:{each}") for each in FAULTS) for line in told), refused.output
    assert PASSWORD not in refused.output
    assert list(fleet.backend.iterdir()) == []


@pytest.mark.parametrize("text", ["", "name;region\norders;eu-central-1\n" * 2])
def test_a_file_of_another_kind_is_reported_once(tmp_path: Path, text: str) -> None:
    """An empty file, or one with semicolons, which Excel writes in some countries."""
    fleet = Fleet(tmp_path, {})
    file = tmp_path / "fleet.csv"
    file.write_text(text)
    result = fleet.run("up", "--targets", str(file))
    assert result.code == 2, result.output
    assert (
        "fleet.csv:1: this line must have the names of the columns, separated by commas: name, region,"
        in result.output
    )
    assert "Field required" not in result.output


@pytest.mark.full_length
def test_a_stack_that_can_not_start_is_not_reported_as_unchanged(tmp_path: Path) -> None:
    with Cloud(tmp_path / EU) as cloud:
        fleet = Fleet(tmp_path, {EU: cloud})
        fleet.declare(1)
        del fleet.env["PULUMI_CONFIG_PASSPHRASE"]
        result = fleet.run("up")
    assert result.code == 1, result.output
    assert re.search(r"sales +FAILED in \d+ s: nothing was done\n", result.output), result.output
    assert "1 stack: 1 FAILED. Targets: none." in result.output
    assert "PULUMI_CONFIG_PASSPHRASE" in result.output


def test_a_project_without_our_host_starts_nothing(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, {})
    (fleet.directory / "Pulumi.yaml").write_text("name: fleet\nruntime: python\n")
    refused = fleet.run("up")
    assert refused.code == 2
    assert "genesys-eventbridge init" in refused.output
    assert list(fleet.backend.iterdir()) == []


def test_without_pulumi_nothing_is_started(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, {})
    fleet.env["PATH"] = str(tmp_path)
    refused = fleet.run("up")
    assert refused.code == 2, refused.output
    assert refused.output.rstrip().endswith(
        "Error: nothing was started:\nthere is no `pulumi` on PATH: install the Pulumi CLI"
    )


def test_ctrl_c_before_the_first_stack(tmp_path: Path) -> None:
    """While the driver lists the stacks of the backend, which may take long."""
    fleet = Fleet(tmp_path, {})
    pulumi = shutil.which("pulumi", path=fleet.env["PATH"])
    listing = tmp_path / "listing"
    os.mkfifo(listing)
    slow = tmp_path / "slow" / "pulumi"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *"stack ls"*) echo > {listing}; exit;; esac\nexec {pulumi} "$@"\n'
    )
    slow.chmod(0o755)
    fleet.env["PATH"] = f"{slow.parent}{os.pathsep}{fleet.env['PATH']}"
    running = fleet.start("up")
    eventually(lambda: any("stack ls" in each for each in fleet.processes()))
    running.interrupt()
    stopped = running.wait()
    # Lets the command end, which waits for somebody who reads.
    listing.read_text()
    assert stopped.code == 128 + signal.SIGINT, stopped.output
    assert "Traceback" not in stopped.output
    eventually(lambda: fleet.processes() == [])


@pytest.mark.full_length
def test_a_refresh_before_each_command_is_not_counted(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        fleet = Fleet(tmp_path, {EU: cloud})
        project = fleet.directory / "Pulumi.yaml"
        project.write_text(f"{project.read_text()}options:\n  refresh: always\n")
        fleet.declare(2)
        for command, targets in (
            ("up", "2 created"),
            ("preview", "2 unchanged"),
            ("up", "2 unchanged"),
            ("destroy", "2 deleted"),
        ):
            result = fleet.run(command)
            assert last_line(result) == f"1 stacks: 1 done. Targets: {targets}.", result.output


@pytest.fixture(scope="module")
def budget_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("budget", EXAMPLE / "budget.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["budget"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stacks_wait_for_the_rate_limit_of_the_organization(budget_module: ModuleType) -> None:
    waits = SkippedWaits()
    budget = budget_module.Budget(500, 100, waits, waits.clock)
    most = budget.requests(100)
    assert 100 < most < 250
    with budget.share(100), budget.share(100):
        assert waits.skipped == 0
    # Both have just ended, and count for another minute.
    with budget.share(100) as third:
        assert waits.skipped == pytest.approx(60, abs=1)
        third.requests = budget.requests(0)
    # The third changed nothing, so two more can start immediately.
    with budget.share(100), budget.share(100):
        assert waits.skipped == pytest.approx(60, abs=1)


def test_a_single_stack_never_waits_and_none_does_after_ctrl_c(budget_module: ModuleType) -> None:
    waits = SkippedWaits()
    budget = budget_module.Budget(10, 100, waits, waits.clock)
    with budget.share(1000) as alone:
        assert alone.requests == 300
        waits.set()
        with budget.share(1000):
            assert waits.skipped == 0


@pytest.mark.full_length
@pytest.mark.timeout(300)
def test_no_minute_has_more_requests_than_the_limit(tmp_path: Path) -> None:
    # A stack of five may use 88 requests, and has used at least 13 at its end: the other one waits for a minute.
    limit = 100
    with Cloud(tmp_path) as cloud:
        fleet = Fleet(tmp_path, {EU: cloud})
        fleet.rows = [fleet.row(EU, unit, f"{unit}-{n}") for unit in "ab" for n in range(5)]
        done = fleet.run("up", "--requests-per-minute", str(limit))
        assert done.code == 0, done.output
        log = cloud.control("requests", "GET")
        at = [datetime.fromisoformat(each["at"].replace("Z", "+00:00")) for each in log]
        busiest = max(sum(0 <= (each - start).total_seconds() < 60 for each in at) for start in at)
        assert busiest <= limit
        # The limit is the reason for the duration.
        assert (at[-1] - at[0]).total_seconds() > 60
