"""A service that keeps the keys of the tests' stacks, as HashiCorp's Vault does.

Pulumi derives the key of a stack with a passphrase from a million hashes, which is a quarter of the CPU time of a
short command. Pulumi asks this service for the key instead.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keys(NamedTuple):
    """A service that keeps the keys of stacks."""

    url: str

    @property
    def env(self) -> dict[str, str]:
        """The environment in which Pulumi uses the service for each new stack, in place of a passphrase."""
        return {
            "PULUMI_OPTION_SECRETS_PROVIDER": "hashivault://tests",
            "VAULT_SERVER_URL": self.url,
            "VAULT_SERVER_TOKEN": "tests",
        }


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
def key_service() -> Iterator[Keys]:
    """Serves until the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Transit) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        host, port = server.server_address[:2]
        try:
            yield Keys(f"http://{host!s}:{port}")
        finally:
            server.shutdown()
            thread.join()
