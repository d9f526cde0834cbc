"""`doctor` reports what is wrong, and what to do."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.cli_commands import make, owner, run
from tests.support.engine import pulumi_path
from tests.support.process import COMMAND
from tests.support.shared_cloud import counted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cloud import Cloud


@pytest.fixture
def env(cloud: Cloud) -> dict[str, str]:
    path = pulumi_path()
    assert path is not None
    return {**cloud.env, "PATH": path}


def looked_at(env: dict[str, str], folder: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by subject."""
    done = run("doctor", "--json", env=env, cwd=folder)
    return done.code, {each["subject"]: each for each in done.json}


def test_everything_is_ok(cloud: Cloud, env: dict[str, str], tmp_path: Path) -> None:
    make(cloud, "orders")
    cloud.requests()
    (tmp_path / "Pulumi.yaml").write_text("name: house\nruntime: python\n")
    run("init", tmp_path, env=env)
    done = run("doctor", env=env, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    subjects = [line[7:23].strip() for line in done.out.splitlines()[:-1]]
    assert subjects == [
        "Python",
        "Pulumi",
        "Host",
        "Settings",
        "CAs",
        "Proxy",
        "Login",
        "GET organization",
        "GET targets",
        "GET integrations",
        "GET topics",
        "Clock",
        "Rate limit",
        "Targets",
        "Sources",
    ]
    assert done.out.splitlines()[-1] == "Nothing is wrong."
    assert {line.split()[0] for line in done.out.splitlines()[:-1]} == {"ok"}
    assert not {each.split()[0] for each in cloud.requests()} & {"PUT", "DELETE", "PATCH"}


def test_a_project_without_the_host(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: house\nruntime: python\n")
    code, found = looked_at(env, tmp_path)
    assert (code, found["Host"]["state"]) == (1, "wrong")
    assert "genesys-eventbridge init" in found["Host"]["hint"]
    run("init", tmp_path, env=env)
    (tmp_path / "genesys-eventbridge-host" / "pulumi-resource-pulumi-python").unlink()
    code, found = looked_at(env, tmp_path)
    assert (code, found["Host"]["state"]) == (1, "wrong")


def test_no_pulumi(cloud: Cloud, tmp_path: Path) -> None:
    env = {**cloud.env, "PATH": str(tmp_path)}
    code, found = looked_at(env, tmp_path)
    assert (code, found["Pulumi"]["state"], found["Host"]["state"]) == (0, "note", "note")
    assert "not on PATH" in found["Pulumi"]["said"]
    (tmp_path / "Pulumi.yaml").write_text("name: house\nruntime: python\n")
    assert looked_at(env, tmp_path)[1]["Pulumi"]["state"] == "wrong"
    assert COMMAND.exists()


def test_a_refused_call(cloud: Cloud, env: dict[str, str], tmp_path: Path) -> None:
    cloud.control(
        "faults", match={"method": "GET", "path": "/api/v2/integrations"}, action="status", status=403
    )
    code, found = looked_at(env, tmp_path)
    assert code == 1
    assert found["GET integrations"]["state"] == "wrong"
    assert "integrations:integration:view" in found["GET integrations"]["hint"]
    assert found["GET targets"]["state"] == "ok"


def test_without_an_answer_nothing_else_is_requested(
    cloud: Cloud, env: dict[str, str], tmp_path: Path
) -> None:
    cloud.requests()
    cloud.control("faults", match={"method": "GET", "path": "*"}, action="drop_before", times=100)
    code, found = looked_at(env, tmp_path)
    assert (code, found["Connection"]["state"]) == (1, "wrong")
    assert not [each for each in found if each.startswith("GET ")]
    assert counted(cloud.requests(), "GET ") == 1


def test_a_refused_login(env: dict[str, str], tmp_path: Path) -> None:
    code, found = looked_at({**env, "GENESYSCLOUD_OAUTHCLIENT_SECRET": "wrong-one"}, tmp_path)
    assert code == 1
    assert "login refused" in found["Connection"]["said"]
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET" in found["Connection"]["hint"]
    assert "GET targets" not in found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"GENESYSCLOUD_OAUTHCLIENT_ID": ""}, "GENESYSCLOUD_OAUTHCLIENT_ID is not set"),
        ({"GENESYSCLOUD_CA_FILE": "/missing"}, "GENESYSCLOUD_CA_FILE names /missing"),
        ({"GENESYSCLOUD_API_URL": "nonsense"}, "GENESYSCLOUD_API_URL must be an https:// URL"),
        ({"GENESYSCLOUD_LOGIN_URL": "http://127.0.0.1:1", "GENESYSCLOUD_MAX_RETRIES": "0"}, "login: POST"),
    ],
)
def test_unusable_settings(env: dict[str, str], tmp_path: Path, change: dict[str, str], said: str) -> None:
    code, found = looked_at({**env, **change}, tmp_path)
    assert code == 1
    assert said in found["Connection"]["said"]
    assert found["Connection"]["hint"]


class _Late(BaseHTTPRequestHandler):
    """A service whose clock has stopped."""

    def do_GET(self) -> None:
        self._answer({"entities": [], "pageCount": 1})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "x", "expires_in": 3600})

    def _answer(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def date_time_string(self, *_: Any) -> str:
        return "Sat, 31 Jan 2026 12:00:00 GMT"

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def test_a_wrong_clock(env: dict[str, str], tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Late) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        code, found = looked_at({**env, "GENESYSCLOUD_API_URL": url, "GENESYSCLOUD_LOGIN_URL": url}, tmp_path)
        server.shutdown()
        thread.join()
    assert (code, found["Clock"]["state"]) == (1, "wrong")
    assert "s ahead of Genesys Cloud's" in found["Clock"]["said"]
    assert "NTP" in found["Clock"]["hint"]


def test_failing_endpoints(cloud: Cloud, env: dict[str, str], tmp_path: Path) -> None:
    make(cloud, "queues", status="FAILED", message="endpoint answered 503")
    code, found = looked_at(env, tmp_path)
    assert code == 1
    assert found["Target"]["said"] == "queues is FAILED: endpoint answered 503"
    assert f"probe {cloud.endpoint('events')}" in found["Target"]["hint"]
    assert "save the target again" in found["Target"]["hint"]


@pytest.mark.parametrize(
    ("auth_type", "auth_config", "options"),
    [
        ("NONE", {}, ""),
        ("BASIC", {"username": "o'neil", "password": "x" * 9}, """ --username 'o'"'"'neil'"""),
        (
            "OAUTH2",
            {"clientId": "relay", "clientSecret": "x" * 9, "tokenUrl": "https://localhost/token"},
            " --client-id relay --token-url https://localhost/token",
        ),
        ("JWT", {"clientId": "relay", "clientSecret": "x" * 9}, " --client-id relay"),
    ],
)
def test_the_probe_of_a_failed_target_can_be_run_as_it_is_written(
    cloud: Cloud,
    env: dict[str, str],
    tmp_path: Path,
    auth_type: str,
    auth_config: dict[str, str],
    options: str,
) -> None:
    make(cloud, "queues", status="FAILED", authType=auth_type, authConfig=auth_config)
    _, found = looked_at(env, tmp_path)
    command = (
        f"genesys-eventbridge probe {cloud.endpoint('events')}{options} --ca-file {cloud.gateway.ca_file}"
    )
    assert f"`{command}`" in found["Target"]["hint"]


def test_a_target_of_a_stack_that_failed_later(cloud: Cloud, env: dict[str, str], tmp_path: Path) -> None:
    """Its state has it as verified, so without a refresh the `up` would find nothing to do."""
    make(cloud, "queues", status="FAILED", headers=owner("queues", "dev", "shop"))
    _, found = looked_at(env, tmp_path)
    assert "run `pulumi up --refresh`" in found["Target"]["hint"]


def test_a_nearly_exhausted_rate_limit(tmp_path: Path) -> None:
    from tests.support.cloud import Cloud

    with Cloud(tmp_path, rate_limit=8) as cloud:
        _, found = looked_at({**cloud.env, "PATH": str(tmp_path)}, tmp_path)
    assert "of 8 requests left in this minute" in found["Rate limit"]["said"]
