"""`probe` predicts how the verification of an endpoint would end."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.cli.cli_commands import Done, environment, run
from tests.support.cloud import PASSWORD, USERNAME
from tests.support.process import COMMAND
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud

SECRET = {"GENESYS_PROBE_PASSWORD": PASSWORD}


def probe(cloud: Cloud, url: str, *arguments: object, env: dict[str, str] | None = None) -> Done:
    return run(
        "probe", url, *arguments, env={"GENESYSCLOUD_CA_FILE": str(cloud.gateway.ca_file), **(env or {})}
    )


def told(done: Done) -> dict[str, tuple[str, str]]:
    """The result of each step by name: ok or failed, and the text."""
    lines = [line.split(None, 2) for line in done.out.splitlines() if line.startswith(("ok", "failed"))]
    return {name: (mark, said) for mark, name, said in lines}


def test_an_endpoint_that_passes(cloud: Cloud) -> None:
    done = probe(cloud, cloud.endpoint("orders"), "--username", USERNAME, env=SECRET)
    assert done.code == 0, done.out
    steps = told(done)
    assert list(steps) == ["URL", "DNS", "Connection", "TLS", "POST"]
    assert {mark for mark, _ in steps.values()} == {"ok"}
    assert "TLSv1.3, chain trusted; certificate of" in steps["TLS"][1]
    assert f"trusted only because of {cloud.gateway.ca_file}" in steps["TLS"][1]
    assert "not a public address" in steps["DNS"][1]
    assert steps["POST"][1].startswith("202")
    (event,) = cloud.received()["events"]
    assert event["body"]["detail-type"] == "TARGET_VERIFICATION"


def test_the_probe_agrees_with_the_emulator(cloud: Cloud) -> None:
    """An endpoint passes the probe if and only if the emulator verifies it."""
    from tests.cli.cli_commands import body

    def status_of(target_id: str) -> str:
        return str(cloud.api("GET", f"/{target_id}").json()["status"])

    for path, status in (("good", 200), ("bad", 500), ("moved", 302)):
        cloud.behave(f"/v1/genesys/events/{path}", status=status)
        passed = probe(cloud, cloud.endpoint(path), "--username", USERNAME, env=SECRET).code == 0
        cloud.requests()
        target_id = cloud.api("POST", json=body(cloud, path, endpointUrl=cloud.endpoint(path))).json()["id"]
        assert passed == (verdict(cloud, target_id) == "VERIFIED"), path


def verdict(cloud: Cloud, target_id: str) -> str:
    def final() -> str | None:
        status = str(cloud.api("GET", f"/{target_id}").json()["status"])
        return status if status in {"VERIFIED", "FAILED"} else None

    return eventually(final)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (302, "Redirects are not followed"),
        (401, "other credentials"),
        (404, "nothing at this path"),
        (503, "must answer 2xx"),
    ],
)
def test_an_endpoint_that_answers_with_an_error(cloud: Cloud, status: int, hint: str) -> None:
    cloud.behave("/v1/genesys/events/bad", status=status)
    done = probe(cloud, cloud.endpoint("bad"), "--username", USERNAME, env=SECRET)
    assert done.code == 1
    mark, said = told(done)["POST"]
    assert (mark, said[:3]) == ("failed", str(status))
    assert hint in done.out
    assert done.out.splitlines()[-1] == "The endpoint would not pass a verification."


def test_wrong_credentials(cloud: Cloud) -> None:
    done = probe(
        cloud, cloud.endpoint("x"), "--username", USERNAME, env={"GENESYS_PROBE_PASSWORD": "wrong-one"}
    )
    assert done.code == 1
    assert told(done)["POST"][1].startswith("401")
    assert "wrong-one" not in done.out
    assert probe(cloud, cloud.endpoint("x")).code == 1


def test_a_prompt_for_the_password(cloud: Cloud) -> None:
    done = run(
        "probe",
        cloud.endpoint("orders"),
        "--username",
        USERNAME,
        env={"GENESYSCLOUD_CA_FILE": str(cloud.gateway.ca_file)},
        typed=f"{PASSWORD}\n",
    )
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("option", "variable"),
    [("--username", "GENESYS_PROBE_PASSWORD"), ("--client-id", "GENESYS_PROBE_CLIENT_SECRET")],
)
def test_without_a_terminal_the_error_names_the_variable(option: str, variable: str) -> None:
    done = run("probe", "https://localhost:1", option, "somebody", env={})
    assert done.code == 2
    assert f"set {variable}" in done.err
    assert "Warning" not in done.err


def test_without_standard_input_the_error_names_the_variable() -> None:
    closed = ["sh", "-c", 'exec "$@" <&-', "sh"]
    command = [*closed, str(COMMAND), "probe", "https://localhost:1", "--username", "somebody"]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "There is no password: set GENESYS_PROBE_PASSWORD" in done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://gateway.example.com/events", "must be an https:// URL"),
        (
            "https://user:word@gateway.example.com/events",
            "must hold no credentials: use the authentication's own fields instead",
        ),
        ("gateway.example.com", "must be an https:// URL"),
    ],
)
def test_a_url_that_no_target_may_have(cloud: Cloud, url: str, said: str) -> None:
    done = probe(cloud, url)
    assert done.code == 1
    assert told(done) == {"URL": ("failed", said)}
    assert "user:word" not in done.out


def test_an_unreachable_host(cloud: Cloud) -> None:
    done = probe(cloud, "https://nothing.invalid/events")
    assert done.code == 1
    assert told(done)["DNS"][0] == "failed"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        done = probe(cloud, f"https://127.0.0.1:{nobody.getsockname()[1]}/events")
    assert done.code == 1
    assert told(done)["Connection"][0] == "failed"


def test_an_untrusted_ca(cloud: Cloud) -> None:
    done = run("probe", cloud.endpoint("x"), env={})
    assert done.code == 1
    mark, said = told(done)["TLS"]
    assert (mark, said) == (
        "failed",
        "the certificate is not trusted: unable to get local issuer certificate",
    )
    assert "intermediate certificates" in done.out
    assert "name a private CA with --ca-file" in done.out


def test_a_port_without_tls(cloud: Cloud) -> None:
    port = cloud.emulator.url.rpartition(":")[2]
    done = probe(cloud, f"https://127.0.0.1:{port}/events")
    assert done.code == 1
    assert told(done)["TLS"][0] == "failed"
    assert "must speak TLS" in done.out


class _Endpoint(BaseHTTPRequestHandler):
    """Issues tokens to a client, and accepts events with such a token."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.seen.append((self.path, dict(self.headers), self.rfile.read(length)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        if self.path.startswith("/token"):
            self.wfile.write(json.dumps({"access_token": "token-9d1f-canary"}).encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[tuple[ThreadingHTTPServer, str, Path]]:
    """An endpoint: the server, its URL, its CA."""
    authority = trustme.CA()
    yield from _served(authority, authority.issue_cert("localhost"), tmp_path)


def _served(
    authority: trustme.CA, certificate: trustme.LeafCert, folder: Path
) -> Iterator[tuple[ThreadingHTTPServer, str, Path]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    ca_file = folder / "own-ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        server.seen = []  # type: ignore[attr-defined]
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server, f"https://localhost:{server.server_address[1]}", ca_file
        finally:
            server.shutdown()
            thread.join()


def test_oauth2(endpoint: tuple[Any, str, Path]) -> None:
    server, url, ca_file = endpoint
    done = run(
        "probe",
        f"{url}/events",
        "--client-id",
        "relay",
        "--token-url",
        f"{url}/token?key=canary-in-query",
        "--header",
        "X-Key: canary-of-header",
        "--ca-file",
        ca_file,
        env={"GENESYS_PROBE_CLIENT_SECRET": "canary-client-secret"},
    )
    assert done.code == 0, done.out
    assert "canary" not in done.out.replace(str(ca_file), "")
    (token_path, token_headers, form), (_, headers, _) = server.seen
    assert token_path.startswith("/token")
    assert token_headers["Authorization"].startswith("Basic ")
    assert form == b"grant_type=client_credentials"
    assert headers["Authorization"] == "Bearer token-9d1f-canary"
    assert headers["X-Key"] == "canary-of-header"


def test_jwt(endpoint: tuple[Any, str, Path]) -> None:
    server, url, ca_file = endpoint
    env = {"GENESYS_PROBE_CLIENT_SECRET": "canary-client-secret"}
    assert run("probe", url, "--client-id", "relay", "--ca-file", ca_file, env=env).code == 0
    ((_, headers, _),) = server.seen
    assert headers["Authorization"].startswith("Bearer ey")


def test_a_certificate_that_has_expired_or_is_for_another_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    for certificate, said in (
        (authority.issue_cert("localhost", not_after=yesterday), "certificate has expired"),
        (authority.issue_cert("other.example.com"), "Hostname mismatch"),
    ):
        for _, url, ca_file in _served(authority, certificate, tmp_path):
            done = run("probe", url, "--ca-file", ca_file, env={})
            assert done.code == 1
            assert said in told(done)["TLS"][1]
            assert "→" in done.out


def test_usage_errors(cloud: Cloud) -> None:
    for arguments in (
        ["--username", "a", "--client-id", "b"],
        ["--token-url", "https://x"],
        ["--header", "no separator"],
        ["--ca-file", "/missing"],
    ):
        assert probe(cloud, "https://localhost", *arguments, env=SECRET).code == 2
