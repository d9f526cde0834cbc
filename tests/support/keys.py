"""A service that keeps the keys of the tests' stacks, as HashiCorp's Vault does.

Pulumi derives the key of a stack with a passphrase from a million hashes, which is a quarter of the CPU time of a
short command. Pulumi asks this service for the key instead.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

URL = "VAULT_SERVER_URL"


def secrets_provider(env: Mapping[str, str]) -> tuple[str, ...]:
    """The options with which `pulumi stack init` uses the service, if the environment has one."""
    return ("--secrets-provider", "hashivault://tests") if URL in env else ()


class _Transit(BaseHTTPRequestHandler):
    """Vault's `transit` engine with a key that changes nothing: only tests' secrets are protected by it."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Answers `encrypt` and `decrypt`."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/transit/encrypt/" in self.path:
            data = {"ciphertext": f"vault:v1:{body['plaintext']}"}
        else:
            data = {"plaintext": body["ciphertext"].removeprefix("vault:v1:")}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def key_service() -> Iterator[dict[str, str]]:
    """Serves until the end; the environment is the one in which Pulumi finds the service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Transit) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        host, port = server.server_address[:2]
        try:
            yield {URL: f"http://{host!s}:{port}", "VAULT_SERVER_TOKEN": "tests"}
        finally:
            server.shutdown()
            thread.join()
