"""Access control of the monitor."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.monitor.watching import register
from tests.support.cloud import Cloud

if TYPE_CHECKING:
    from pathlib import Path

    from tests.monitor.conftest import Watcher


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "10.0.0.7",
        "",
        "[",
        "localhost:80, evil.example",
        "localhost/evil.example",
        "evil.example@localhost",
    ],
)
def test_a_foreign_host_is_refused(watch: Watcher, host: str) -> None:
    running = watch()
    for path in ("/", "/api/targets", "/metrics", "/healthz", "/static/page.js"):
        assert 400 <= running.http.get(path, headers={"Host": host}).status_code < 500, path


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:80", "[::1]:80", "LOCALHOST"])
def test_a_tunnel_may_have_another_port(watch: Watcher, host: str) -> None:
    assert watch().http.get("/api/targets", headers={"Host": host}).status_code == 200


def test_another_site_can_not_start_a_health_check(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    running = watch()
    path = f"/api/targets/{id_}/health"
    for origin in ("https://evil.example", "null", "http://[", "http://localhost:1"):
        assert running.http.post(path, headers={"Origin": origin}).status_code == 403
    assert running.http.post(path, headers={"Origin": running.url}).status_code == 200


def test_health_checks_are_the_only_action(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    running = watch()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/", "/api/targets", f"/api/targets/{id_}", "/api/fleet", "/metrics"):
            assert running.http.request(method, path).status_code == 405, (method, path)
    assert running.http.get(f"/api/targets/{id_}/health").status_code in (404, 405)


def test_each_answer_has_a_restrictive_policy(watch: Watcher) -> None:
    running = watch()
    for path in ("/", "/api/targets", "/metrics", "/none"):
        headers = running.http.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy, "nothing from other hosts"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_another_address_requires_a_token(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    refused = _run("--host", "0.0.0.0", env=cloud.env)  # noqa: S104
    assert refused.returncode == 2
    assert "--token-file" in refused.stderr
    token = tmp_path / "token"
    token.write_text("canary-token-77\n")
    running = watch("--host", "0.0.0.0", "--token-file", token)  # noqa: S104
    url = running.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    for answer in (
        httpx.get(f"{url}/"),
        httpx.get(f"{url}/api/targets"),
        httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer canary-token-78"}),
        httpx.get(f"{url}/api/targets", headers={"Authorization": "Basic !"}),
        httpx.get(f"{url}/api/targets", auth=("any", "")),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer canary-token-77"}).status_code == 200
    assert httpx.get(f"{url}/", auth=("any", "canary-token-77")).status_code == 200
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert httpx.get(f"{url}/healthz", headers={"Host": "evil.example"}).status_code == 421
    _, said = running.end()
    assert "canary" not in said


def test_an_empty_token_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    refused = _run("--token-file", tmp_path / "token", env=cloud.env)
    assert refused.returncode == 2
    assert "contains no token" in refused.stderr


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address(watch: Watcher, host: str) -> None:
    running = watch("--host", host)
    assert running.url.startswith("http://[::1]:")
    assert running.http.get("/").status_code == 200


@pytest.mark.parametrize("token", [b"two words", b"two\nlines\n", b"\xff\xfe", "schlüssel".encode()])
def test_a_token_that_no_header_can_carry_is_refused(cloud: Cloud, tmp_path: Path, token: bytes) -> None:
    (tmp_path / "token").write_bytes(token)
    refused = _run("--token-file", tmp_path / "token", env=cloud.env)
    assert refused.returncode == 2
    assert "must contain one word of ASCII characters" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_client_the_error_names_the_variable_to_set(cloud: Cloud) -> None:
    env = {key: value for key, value in cloud.env.items() if "SECRET" not in key}
    refused = _run(env=env)
    assert refused.returncode == 1
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET is not set" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_occupied_port_is_reported(cloud: Cloud, watch: Watcher) -> None:
    port = watch().url.rpartition(":")[2]
    refused = _run("--port", port, env=cloud.env)
    assert refused.returncode == 1
    assert f"port {port} of 127.0.0.1: Address already in use. Give another --port" in refused.stderr


def test_a_missing_extra_is_reported(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'prometheus_client'\", name='prometheus_client')"
    )
    refused = _run(env={**cloud.env, "PYTHONPATH": str(tmp_path)})
    assert refused.returncode == 1
    assert "genesys-eventbridge[monitor]" in refused.stderr
    assert "Traceback" not in refused.stderr


def _run(*options: object, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    given = options if "--port" in options else ("--port", 0, *options)
    return subprocess.run(
        [sys.executable, "-m", "genesys_provider.cli", "monitor", *map(str, given)],
        env={**{key: value for key, value in os.environ.items() if "GENESYS" not in key}, **env},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
