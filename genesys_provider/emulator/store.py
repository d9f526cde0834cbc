"""What the emulator remembers: its organization, targets and tokens, in SQLite.

Every change is one statement, thus one transaction, and is committed before the caller goes on: neither
SIGTERM nor SIGKILL loses what was answered. The database holds the endpoints' secrets in plain text (the
emulator has to log in with them), so its file is for its owner alone. Tokens are kept as digests.

Every version that a target had within the last hour is kept too, in memory: `Store.as_of` looks back.
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

from genesys_provider.emulator.behaviour import LONGEST_LAG
from genesys_provider.emulator.statuses import PENDING_VERIFICATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from genesys_provider.emulator.extras import Extras

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
    # Targets whose deletion was answered, and that are there for a moment more.
    "CREATE TABLE IF NOT EXISTS departures (id TEXT PRIMARY KEY)",
    "DELETE FROM targets WHERE id IN (SELECT id FROM departures)",
    "DELETE FROM departures",
)
_COLUMNS = "number, id, name, config, status, message, generation, verifying"
_FOREVER = "9e999"
# The plus keeps SQLite from the other index, by which all versions that still count are looked through.
_CLOSE = f"UPDATE versions SET until = clock() WHERE id = OLD.id AND +until = {_FOREVER}"  # noqa: S608
_PRUNE = f"DELETE FROM versions WHERE until < clock() - {LONGEST_LAG}"  # noqa: S608
_VERSIONS = (
    f"""
    CREATE TEMP TABLE versions AS
    SELECT {_COLUMNS}, -{_FOREVER} AS since, {_FOREVER} AS until FROM targets
    """,  # noqa: S608 - our own columns
    "CREATE INDEX temp.versions_of_a_target ON versions (id)",
    "CREATE INDEX temp.versions_by_end ON versions (until)",
    f"""
    CREATE TEMP TRIGGER made AFTER INSERT ON main.targets BEGIN
        INSERT INTO versions SELECT {_COLUMNS}, clock(), {_FOREVER} FROM targets WHERE id = NEW.id;
    END
    """,  # noqa: S608
    f"""
    CREATE TEMP TRIGGER changed AFTER UPDATE ON main.targets BEGIN
        {_CLOSE};
        INSERT INTO versions
            SELECT {_COLUMNS}, (SELECT MAX(until) FROM versions WHERE id = NEW.id), {_FOREVER}
            FROM targets WHERE id = NEW.id;
        {_PRUNE};
    END
    """,  # noqa: S608
    f"""
    CREATE TEMP TRIGGER gone AFTER DELETE ON main.targets BEGIN
        {_CLOSE};
        {_PRUNE};
    END
    """,
)
"""What was there when: a version of a target counts from `since` until `until`, on the monotonic clock."""


_EXTRAS = "extraFields"
"""Where a stored configuration has what the contract does not know."""


class NameTakenError(Exception):
    """Another target has the name."""


class StateFileError(Exception):
    """The state file can't be used: the message says why."""


@dataclass(frozen=True)
class StoredTarget:
    """One target as it is kept.

    Attributes:
        config: The body of the last POST or PUT, **secrets in plain text**.
        extras: What that body had besides, of fields that the contract does not know; None where they were
            not looked at.
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
    extras: Extras | None = None


@dataclass(frozen=True)
class Look:
    """The targets as they are, or as they were at a moment of the last hour."""

    _database: sqlite3.Connection
    _moment: float | None = None

    def get(self, target_id: str) -> StoredTarget | None:
        """The target, if there is one."""
        return next(map(_target, self._select(_COLUMNS, "id = ?", target_id)), None)

    def all(self) -> list[StoredTarget]:
        """Every target, oldest first."""
        return [_target(row) for row in self._select(_COLUMNS, "TRUE")]

    def names(self) -> list[tuple[str, str]]:
        """The id and the name of every target, oldest first."""
        return list(self._select("id, name", "TRUE"))

    def _select(self, columns: str, condition: str, *values: object) -> Iterator[Any]:
        table = "targets"
        if self._moment is not None:
            table, condition = "versions", f"{condition} AND since <= ? AND until > ?"
            values = (*values, self._moment, self._moment)
        return self._database.execute(
            f"SELECT {columns} FROM {table} WHERE {condition} ORDER BY number",  # noqa: S608 - our own words
            values,
        )


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
            # They hold secrets too.
            self._database.execute("PRAGMA temp_store = MEMORY")
            self._database.create_function("clock", 0, time.monotonic)
            for statement in (*_SCHEMA, *_VERSIONS):
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
        """Forget every target, and that it was there."""
        for table in ("targets", "departures", "versions"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names

    def organization_id(self, wanted: str | None = None) -> str:
        """The organization's id: `wanted`, else the one of the last start, else a new one."""
        row = self._database.execute("SELECT id FROM organization").fetchone()
        organization_id: str = wanted or (row[0] if row else str(uuid4()))
        if row is None or row[0] != organization_id:
            self._database.execute("DELETE FROM organization")
            self._database.execute("INSERT INTO organization VALUES (?)", (organization_id,))
        return organization_id

    # Targets

    def add(
        self, config: dict[str, Any], extras: Extras | None = None, *, target_id: str | None = None
    ) -> StoredTarget:
        """A new target, about to be verified; its id is a UUID unless another is given.

        Raises:
            NameTakenError: Another target has the name.
        """
        target = StoredTarget(
            target_id or str(uuid4()),
            config["name"],
            config,
            PENDING_VERIFICATION,
            message=None,
            generation=1,
            verifying=True,
            extras=extras,
        )
        self._write(
            "INSERT INTO targets (id, name, config, status, generation, verifying) VALUES (?, ?, ?, ?, 1, 1)",
            (target.id, target.name, _text(config, extras), target.status),
        )
        return target

    def as_of(self, seconds_ago: float) -> Look:
        """The targets as they were so many seconds ago, at most an hour; 0 is now."""
        return Look(self._database, time.monotonic() - seconds_ago if seconds_ago else None)

    def get(self, target_id: str) -> StoredTarget | None:
        """The target, if there is one now."""
        return self.as_of(0).get(target_id)

    def replace(
        self, target_id: str, config: dict[str, Any], extras: Extras | None = None, *, verify: bool
    ) -> StoredTarget | None:
        """The target with another configuration, and with a new verification if `verify`.

        Raises:
            NameTakenError: Another target has the name.
        """
        if verify:
            self._write(
                "UPDATE targets SET name = ?, config = ?, status = ?, message = NULL,"
                " generation = generation + 1, verifying = 1 WHERE id = ?",
                (config["name"], _text(config, extras), PENDING_VERIFICATION, target_id),
            )
        else:
            self._write(
                "UPDATE targets SET name = ?, config = ? WHERE id = ?",
                (config["name"], _text(config, extras), target_id),
            )
        return self.get(target_id)

    def delete(self, target_id: str) -> bool:
        """Whether there was such a target; now there is none."""
        self._database.execute("DELETE FROM departures WHERE id = ?", (target_id,))
        return self._database.execute("DELETE FROM targets WHERE id = ?", (target_id,)).rowcount > 0

    def depart(self, target_id: str) -> None:
        """The target is there until it is deleted, or at the latest until the next start."""
        self._database.execute("INSERT OR IGNORE INTO departures VALUES (?)", (target_id,))

    def all(self) -> list[StoredTarget]:
        """Every target, oldest first."""
        return self.as_of(0).all()

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
    _, target_id, name, text, status, message, generation, verifying = row
    config = json.loads(text)
    extras = config.pop(_EXTRAS, None)
    return StoredTarget(target_id, name, config, status, message, generation, bool(verifying), extras)


def _text(config: dict[str, Any], extras: Extras | None) -> str:
    return json.dumps(config if extras is None else {**config, _EXTRAS: extras})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
