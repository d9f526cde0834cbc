"""What the emulator remembers: its organization, targets and tokens, in SQLite.

Every change is one statement, thus one transaction, and is committed before the caller goes on: neither
SIGTERM nor SIGKILL loses what was answered. The database holds the endpoints' secrets in plain text (the
emulator has to log in with them), so its file is for its owner alone. Tokens are kept as digests.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from genesys_provider.emulator.statuses import PENDING_VERIFICATION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS targets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE,
        config TEXT NOT NULL,
        status TEXT NOT NULL,
        message TEXT,
        generation INTEGER NOT NULL,
        verifying INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS tokens (
        digest TEXT PRIMARY KEY,
        scopes TEXT NOT NULL,
        expires_at REAL NOT NULL
    )
    """,
    "CREATE TABLE IF NOT EXISTS organization (id TEXT NOT NULL)",
)
_SELECT = "SELECT id, name, config, status, message, generation, verifying FROM targets "


class NameTakenError(Exception):
    """Another target has the name."""


class StateFileError(Exception):
    """The state file can't be used: the message says why."""


@dataclass(frozen=True)
class StoredTarget:
    """One target as it is kept.

    Attributes:
        config: The body of the last POST or PUT, **secrets in plain text**.
        message: The verdict's reason, for a human.
        generation: Counts the changes of status from outside; a verification may settle its own only.
        verifying: Whether a verification runs, and must start again after a restart.
    """

    id: str
    name: str
    config: dict[str, Any] = field(repr=False)
    status: str
    message: str | None
    generation: int
    verifying: bool


class Store:
    """The emulator's memory.

    Args:
        path: The file that survives restarts; none keeps everything in memory.

    Raises:
        StateFileError: The file can't be opened, isn't a database, or serves another emulator.
    """

    def __init__(self, path: Path | None = None) -> None:
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                path.chmod(0o600)
            # Made in one thread, used in the server's; never in two at once.
            self._database = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise StateFileError(f"The state file {path} can't be opened: {error}") from error
        try:
            # One emulator a file; and a write-ahead log, which a killed process leaves in order.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            for statement in _SCHEMA:
                self._database.execute(statement)
            self._database.execute("DELETE FROM tokens WHERE expires_at < ?", (time.time(),))
        except sqlite3.Error as error:
            self._database.close()
            raise StateFileError(
                f"The state file {path} can't be used ({error}): does another emulator use it?"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def clear_targets(self) -> None:
        """Forget every target."""
        self._database.execute("DELETE FROM targets")

    def organization_id(self, wanted: str | None = None) -> str:
        """The organization's id: `wanted`, else the one of the last start, else a new one."""
        row = self._database.execute("SELECT id FROM organization").fetchone()
        organization_id: str = wanted or (row[0] if row else str(uuid4()))
        if row is None or row[0] != organization_id:
            self._database.execute("DELETE FROM organization")
            self._database.execute("INSERT INTO organization VALUES (?)", (organization_id,))
        return organization_id

    # Targets

    def add(self, config: dict[str, Any]) -> StoredTarget:
        """A new target, about to be verified.

        Raises:
            NameTakenError: Another target has the name.
        """
        target = StoredTarget(
            str(uuid4()), config["name"], config, PENDING_VERIFICATION, None, generation=1, verifying=True
        )
        self._write(
            "INSERT INTO targets (id, name, config, status, generation, verifying) VALUES (?, ?, ?, ?, 1, 1)",
            (target.id, target.name, json.dumps(config), target.status),
        )
        return target

    def get(self, target_id: str) -> StoredTarget | None:
        """The target, if there is one."""
        row = self._database.execute(_SELECT + "WHERE id = ?", (target_id,)).fetchone()
        return None if row is None else _target(row)

    def replace(self, target_id: str, config: dict[str, Any], *, verify: bool) -> StoredTarget | None:
        """The target with another configuration, and with a new verification if `verify`.

        Raises:
            NameTakenError: Another target has the name.
        """
        if verify:
            self._write(
                "UPDATE targets SET name = ?, config = ?, status = ?, message = NULL,"
                " generation = generation + 1, verifying = 1 WHERE id = ?",
                (config["name"], json.dumps(config), PENDING_VERIFICATION, target_id),
            )
        else:
            self._write(
                "UPDATE targets SET name = ?, config = ? WHERE id = ?",
                (config["name"], json.dumps(config), target_id),
            )
        return self.get(target_id)

    def delete(self, target_id: str) -> bool:
        """Whether there was such a target; now there is none."""
        return self._database.execute("DELETE FROM targets WHERE id = ?", (target_id,)).rowcount > 0

    def page(self, size: int, number: int, name: str | None) -> tuple[list[StoredTarget], int]:
        """The targets of one page, oldest first, and how many there are on all; `name` keeps only its own."""
        total = self._database.execute(
            "SELECT count(*) FROM targets WHERE ? IS NULL OR name = ?", (name, name)
        ).fetchone()[0]
        rows = self._database.execute(
            _SELECT + "WHERE ? IS NULL OR name = ? ORDER BY number LIMIT ? OFFSET ?",
            (name, name, size, (number - 1) * size),
        )
        return [_target(row) for row in rows], total

    def all(self) -> list[StoredTarget]:
        """Every target, oldest first."""
        return [_target(row) for row in self._database.execute(_SELECT + "ORDER BY number")]

    def settle(self, target_id: str, generation: int, status: str, message: str | None) -> None:
        """A verification's verdict, unless the target changed or went since it began."""
        self._database.execute(
            "UPDATE targets SET status = ?, message = ?, verifying = 0 WHERE id = ? AND generation = ?",
            (status, message, target_id, generation),
        )

    def force(self, target_id: str, status: str, message: str | None) -> bool:
        """Whether there is such a target; its status now is this one, whatever a verification finds."""
        changed = self._database.execute(
            "UPDATE targets SET status = ?, message = ?, generation = generation + 1, verifying = 0"
            " WHERE id = ?",
            (status, message, target_id),
        )
        return changed.rowcount > 0

    def _write(self, statement: str, values: Sequence[object]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.IntegrityError as error:
            raise NameTakenError from error

    # Tokens

    def add_token(self, token: str, scopes: frozenset[str], seconds: int) -> None:
        """Let the token in for so many seconds."""
        self._database.execute(
            "INSERT INTO tokens VALUES (?, ?, ?)",
            (_digest(token), " ".join(sorted(scopes)), time.time() + seconds),
        )

    def scopes_of(self, token: str) -> frozenset[str] | None:
        """What the token may do; nothing for a token that is unknown, revoked or expired."""
        row = self._database.execute(
            "SELECT scopes FROM tokens WHERE digest = ? AND expires_at > ?", (_digest(token), time.time())
        ).fetchone()
        return None if row is None else frozenset(row[0].split())

    def revoke_tokens(self) -> None:
        """Let no token in that was issued so far."""
        self._database.execute("DELETE FROM tokens")


def _target(row: tuple[Any, ...]) -> StoredTarget:
    target_id, name, config, status, message, generation, verifying = row
    return StoredTarget(target_id, name, json.loads(config), status, message, generation, bool(verifying))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
