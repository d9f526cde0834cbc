"""The tokens that the emulator has issued, stored as digests."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genesys_provider.emulator.database import Database

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS tokens (
        digest TEXT PRIMARY KEY,
        scopes TEXT NOT NULL,
        expires_at REAL NOT NULL
    )
    """,
)


class Tokens:
    """The storage of tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._database.execute("DELETE FROM tokens WHERE expires_at < ?", (time.time(),))

    def add(self, token: str, scopes: frozenset[str], seconds: int) -> None:
        """Accept the token for this many seconds."""
        self._database.execute(
            "INSERT INTO tokens VALUES (?, ?, ?)",
            (_digest(token), " ".join(sorted(scopes)), time.time() + seconds),
        )

    def scopes_of(self, token: str) -> frozenset[str] | None:
        """The token's scopes; None if it is unknown, revoked or expired."""
        row = self._database.execute(
            "SELECT scopes FROM tokens WHERE digest = ? AND expires_at > ?", (_digest(token), time.time())
        ).fetchone()
        return None if row is None else frozenset(row[0].split())

    def revoke(self) -> None:
        """Revoke all tokens."""
        self._database.execute("DELETE FROM tokens")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
