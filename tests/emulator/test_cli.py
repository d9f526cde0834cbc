"""The command line: ready lines, signals, exit codes."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from genesys_provider.emulator import EmulatorServer
from tests.emulator.emulated import TARGETS, Api, body, trusting
from tests.support.process import COMMAND_LIMIT, Service
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genesys_provider.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_LIMIT,
    )


def test_version_and_help() -> None:
    assert re.fullmatch(r"genesys-eventbridge, version \d+\.\d+\.\d+\n", run("--version").stdout)
    assert {"emulator", "gateway"} <= set(run("--help").stdout.split())
    options = run("emulator", "--help").stdout.split()
    assert {"--rate-limit", "--activation-seconds", "--max-instances"} <= set(options)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_emulator_serves_until_sigterm(number: int) -> None:
    with Service("emulator", "--port", 0) as service:
        assert re.fullmatch(r"emulator ready at http://127\.0\.0\.1:\d+\n", service.ready_line)
        with Api(service.url) as api:
            answer = api.post(TARGETS, json=body("https://127.0.0.1:1/in"))
            assert answer.status_code == 201
            assert answer.headers["inin-ratelimit-allowed"] == "300"
            assert service.end(number) == (0, "")


def test_the_emulators_options() -> None:
    secrets = {"GENESYS_EMULATOR_CLIENT_SECRET": "from the environment"}
    options = ("--client-id", "robot", "--rate-limit", 0, "--verification-seconds", 0.5)
    with Service("emulator", "--port", 0, *options, env=secrets) as service:
        with httpx.Client(base_url=service.url) as client:
            grant = {"grant_type": "client_credentials"}
            answer = client.post("/oauth/token", data=grant, auth=("robot", "from the environment"))
        assert answer.status_code == 200
        assert int(answer.headers["inin-ratelimit-allowed"]) > 300


def test_an_open_request_does_not_delay_the_exit() -> None:
    with Service("emulator", "--port", 0) as service, Api(service.url) as api:
        api.fault("delay", seconds=3600)
        waiting = threading.Thread(target=_get_quietly, args=(service.url + TARGETS,))
        waiting.start()
        eventually(lambda: api.log()[1:])
        code, output = service.end()
        waiting.join()

    assert code == 0
    assert output == ""


def _get_quietly(url: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(url, timeout=COMMAND_LIMIT)


def test_the_gateway_serves_until_sigterm(tmp_path: Path) -> None:
    secrets = {"GENESYS_GATEWAY_PASSWORD": "sesame", "GENESYS_GATEWAY_SIGNING_SECRET": "any text"}
    options = ("--certificate-dir", tmp_path / "certificates", "--username", "relay")
    with Service("gateway", "--port", 0, *options, env=secrets) as service:
        assert re.fullmatch(r"gateway ready at https://127\.0\.0\.1:\d+\n", service.ready_line)
        trusted = trusting(tmp_path / "certificates" / "ca.pem")
        with httpx.Client(base_url=service.url, verify=trusted) as client:
            assert client.post("/v1/genesys/events", json={}, auth=("relay", "sesame")).status_code == 202
            assert client.post("/webhooks/genesys/targets", json={}).status_code == 401
            assert service.end() == (0, "")


def test_a_password_needs_a_user(tmp_path: Path) -> None:
    result = run("gateway", "--port", 0, "--certificate-dir", tmp_path, "--password", "sesame")

    assert result.returncode == 2
    assert "--username and --password go together" in result.stderr
    assert "sesame" not in result.stderr


def test_a_failed_start_tells_the_reason(tmp_path: Path) -> None:
    with EmulatorServer() as server:
        port = server.url.rpartition(":")[2]
        taken = run("emulator", "--port", port)
    no_ca = run("emulator", "--port", 0, "--ca-file", tmp_path / "none.pem")
    no_state = run("emulator", "--port", 0, "--state", tmp_path / "none" / "state.db")
    no_secret = run("gateway", "--port", 0, "--certificate-dir", tmp_path, "--signing-secret", "whsec_x")

    for result, reason in (
        (taken, f"port {port} of 127.0.0.1: Address already in use. Give another port"),
        (no_ca, f"The CA in {tmp_path}/none.pem can't be used: [Errno 2] No such file"),
        (no_state, "can't be opened"),
        (no_secret, "is not base64 after whsec_"),
    ):
        assert result.returncode == 1
        assert result.stdout == ""
        assert re.fullmatch(r"Error: The \w+ can't start: .*\n", result.stderr)
        assert reason in result.stderr


def test_without_the_extra_the_error_names_what_to_install() -> None:
    program = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from genesys_provider.cli import main; main(['emulator', '--port', '0'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=COMMAND_LIMIT
    )

    assert result.returncode == 1
    assert "`genesys-eventbridge[emulator]`" in result.stderr
    assert "Traceback" not in result.stderr
