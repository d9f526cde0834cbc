"""The command line as an operator runs it: the real command, in its own process."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesys_provider import SourceConfig
from tests.support.cloud import BASIC, CANARIES, OWNER_HEADER, PASSWORD, USERNAME, Cloud
from tests.support.engine import urn
from tests.support.process import COMMAND, COMMAND_LIMIT, Running

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The test's environment, without this machine's settings for Genesys Cloud, Pulumi and the terminal."""
    own = ("GENESYSCLOUD_", "PULUMI_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    return {**{key: value for key, value in os.environ.items() if not key.startswith(own)}, **env}


def run(*arguments: object, env: Mapping[str, str], cwd: Path | None = None, typed: str = "") -> Done:
    """Runs `genesys-eventbridge` to its end, and checks that its output contains no secret of a cloud."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=environment(env),
        cwd=cwd,
        input=typed,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT,
        check=False,
    )
    printed = done.stdout + done.stderr
    for secret in (*CANARIES, BASIC):
        assert secret not in printed
    assert "Traceback" not in printed, printed
    return Done(done.returncode, done.stdout, done.stderr)


def on_terminal(*arguments: object, env: Mapping[str, str], columns: int = 80) -> tuple[int, str]:
    """Runs it on a terminal, and returns the exit code and the terminal's output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        env={**environment(env), "TERM": "xterm-256color", "COLUMNS": str(columns)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = bytearray()
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass  # On Linux this means that the other side is closed.
    os.close(ours)
    return process.wait(COMMAND_LIMIT), seen.decode()


class Started(Running):
    """A command under way, whose lines can be awaited."""

    def __init__(self, *arguments: object, env: Mapping[str, str]) -> None:
        command = [str(COMMAND), *map(str, arguments)]
        super().__init__(command, env=environment(env), errors_apart=True)

    def watches(self) -> str:
        """Waits until a `watch` has the first reading, against which changes are seen, and returns what it says."""
        return self.error_line()

    def words(self) -> list[str]:
        """The words of the next line, without the time at its start."""
        return self.line().split()[1:]


def body(cloud: Cloud, name: str, **fields: Any) -> dict[str, Any]:
    """The body of a POST that creates a target."""
    return {
        "name": name,
        "endpointUrl": cloud.endpoint("events"),
        "authType": "BASIC",
        "authConfig": {"username": USERNAME, "password": PASSWORD},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "headers": {},
        "eventTypes": ["QUEUE_MEMBER_ADDED", "CONVERSATION_STARTED"],
        **fields,
    }


def source_config(name: str, **fields: Any) -> SourceConfig:
    """A source with this name and suffix."""
    usual = {
        "aws_account_id": "012345678901",
        "aws_region": "us-east-1",
        "event_source_suffix": name,
        "topics": ["v2.users.{id}.presence", "v2.flows.{id}"],
    }
    return SourceConfig(name=name, **{**usual, **fields})


def make(cloud: Cloud, name: str, *, status: str = "VERIFIED", message: str = "", **fields: Any) -> str:
    """Creates a target directly, with this status, and returns its id."""
    cloud.requests()
    answer = cloud.api("POST", json=body(cloud, name, **fields))
    assert answer.status_code == 201, answer.text
    target_id: str = answer.json()["id"]
    cloud.control(f"targets/{target_id}/status", status=status, message=message)
    return target_id


def owner(name: str, stack: str = "dev", project: str = "shop") -> dict[str, str]:
    """The headers that mark a target as belonging to a resource."""
    return {OWNER_HEADER: urn(name, stack=stack, project=project)}
