"""A real nginx in front of a real gateway, with TLS, replaceable certificates and HTTP Basic authentication."""

from __future__ import annotations

import base64
import hashlib
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import trustme

from tests.support.cloud import SIGNING_SECRET, USERNAME
from tests.support.process import Service, free_port

if TYPE_CHECKING:
    from typing_extensions import Self

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
START_SECONDS = 30
HOSTS = ("localhost", "127.0.0.1")

_CONFIG = """
daemon off;
master_process on;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key certificate.pem;
        # So that every client sees a reload immediately, even after an earlier connection.
        ssl_session_cache off;
        ssl_session_tickets off;
        keepalive_timeout 0;
        proxy_pass_request_headers on;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate {gateway_ca};
        proxy_ssl_name localhost;
        location /v1/ {{
            auth_basic "events";
            auth_basic_user_file users;
            proxy_pass {upstream};
        }}
        # Webhooks are signed, not authenticated.
        location /webhooks/ {{ proxy_pass {upstream}; }}
    }}
}}
"""


@dataclass(frozen=True)
class Authority:
    """A CA for the tests, and its certificates."""

    ca: trustme.CA
    ca_file: Path

    @classmethod
    def made(cls, directory: Path) -> Authority:
        ca, ca_file = trustme.CA(), directory / "ca.pem"
        ca.cert_pem.write_to_path(str(ca_file))
        return cls(ca, ca_file)

    def good(self) -> bytes:
        return self.ca.issue_cert(*HOSTS).private_key_and_cert_chain_pem.bytes()

    def expired(self) -> bytes:
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        return self.ca.issue_cert(*HOSTS, not_after=yesterday).private_key_and_cert_chain_pem.bytes()

    def of_another_name(self) -> bytes:
        return self.ca.issue_cert("gateway.example.com").private_key_and_cert_chain_pem.bytes()


class Gateway:
    """`genesys-eventbridge gateway` in a separate process, which leaves authentication of events to the proxy."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory, self._port = directory, port
        self._service: Service | None = None
        self.ca_file = directory / "ca.pem"
        self.url = f"https://127.0.0.1:{port}"
        self.start()
        self._client = httpx.Client(
            base_url=self.url, verify=ssl.create_default_context(cafile=str(self.ca_file))
        )

    def start(self) -> None:
        """Starts it, unless it is running; returns when it serves."""
        if self._service is None:
            options = ("--certificate-dir", self._directory, "--signing-secret", SIGNING_SECRET)
            self._service = Service("gateway", "--port", self._port, *options)
            assert self._service.url == self.url, self._service.end()

    def stop(self) -> None:
        assert self._service is not None
        self._service.end()
        self._service = None

    def close(self) -> None:
        self._client.close()
        if self._service is not None:
            self.stop()

    def behave(self, path: str, **behaviour: object) -> None:
        self._client.post("/behaviour", json={"path": path, **behaviour}).raise_for_status()

    def behave_as_usual(self) -> None:
        self._client.delete("/behaviour").raise_for_status()

    def received(self) -> dict[str, list[dict[str, Any]]]:
        taken: dict[str, list[dict[str, Any]]] = self._client.get("/received").json()
        return taken


class Proxy:
    """An nginx in front of a gateway, with its own certificate and password."""

    def __init__(self, directory: Path, gateway: Gateway, certificate: bytes, password: str) -> None:
        assert NGINX is not None
        directory.mkdir()
        self._directory, self._port = directory, free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        config = _CONFIG.format(
            # Its workers must read files that only this user can read.
            user="user root;" if os.getuid() == 0 else "",
            port=self._port,
            upstream=gateway.url,
            gateway_ca=gateway.ca_file,
        )
        (directory / "nginx.conf").write_text(config)
        self._process: subprocess.Popen[bytes] | None = None
        self.set_password(password)
        self._write("certificate.pem", certificate)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()

    def start(self) -> None:
        """Starts it, unless it is running; returns when it listens."""
        if self._process is not None:
            return
        assert NGINX is not None
        self._process = subprocess.Popen(
            [NGINX, "-p", self._directory, "-c", self._directory / "nginx.conf", "-e", "stderr"],
            stderr=subprocess.PIPE,
        )
        self._until_it_says(b"start worker process ")

    def stop(self) -> None:
        """Ends it; returns when it no longer listens."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=START_SECONDS)
        self._process = None

    def set_password(self, password: str) -> None:
        """Changes the user's password; nginx reads the file at each request."""
        digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324 - nginx's own
        self._write("users", f"{USERNAME}:{{SHA}}{digest}\n".encode())

    def set_certificate(self, certificate: bytes) -> None:
        """Changes the certificate; returns when every client sees it."""
        self._write("certificate.pem", certificate)
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        wanted = ssl.PEM_cert_to_DER_cert(certificate[certificate.index(b"-----BEGIN CERT") :].decode())
        # Until then, the old worker with the old certificate still gets some connections.
        self._until_it_says(b" exited with code 0")
        assert self._certificate() == wanted

    def _certificate(self) -> bytes | None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self._port), START_SECONDS) as connection,
            context.wrap_socket(connection) as tls,
        ):
            return tls.getpeercert(binary_form=True)

    def _write(self, name: str, data: bytes) -> None:
        (self._directory / f"{name}.new").write_bytes(data)
        (self._directory / f"{name}.new").replace(self._directory / name)

    def _until_it_says(self, text: bytes) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        said = b""
        while text not in said:
            readable, _, _ = select.select([self._process.stderr], [], [], START_SECONDS)
            more = os.read(self._process.stderr.fileno(), 65536) if readable else b""
            assert more, said.decode()
            said += more
