"""The emulator's storage: one SQLite database, which survives restarts if it has a file.

Every change is a single statement, and so a transaction that is committed before the caller continues: neither
SIGTERM nor SIGKILL loses an answered change.

The versions of each row of a `Table` in the last hour are kept in memory; `Database.as_of` reads them.
"""

# ruff: noqa: S608 (the words of each statement are our own)
from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from genesys_provider.emulator.behaviour import LONGEST_LAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

Row = TypeVar("Row")

_FOREVER = "9e999"


class StateFileError(Exception):
    """The state file can't be used; the message tells why."""


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table whose history is kept. It has a `number`, by which its rows are ordered, an `id` and a `name`.

    Attributes:
        name: The name of the table.
        columns: The other columns, with their declarations.
        read: Converts a row (`id` and the other columns) to the object that the emulator works with.
    """

    name: str
    columns: Mapping[str, str]
    read: Callable[[tuple[Any, ...]], Row]

    def statements(self) -> tuple[str, ...]:
        """The statements that create the table, if it is missing, and the versions of its rows.

        A version is valid from `since` until `until`, on the monotonic clock.
        """
        versions = f"{self.name}_versions"
        declared = ", ".join(f"{name} {rules}" for name, rules in self.columns.items())
        # The plus keeps SQLite from using the other index, which would scan all current versions.
        close = f"UPDATE {versions} SET until = clock() WHERE id = OLD.id AND +until = {_FOREVER}"
        prune = f"DELETE FROM {versions} WHERE until < clock() - {LONGEST_LAG}"
        return (
            f"""
            CREATE TABLE IF NOT EXISTS {self.name} (
                number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, {declared}
            )
            """,
            f"DELETE FROM {self.name} WHERE id IN (SELECT id FROM pending_deletions)",
            f"""
            CREATE TEMP TABLE {versions} AS
            SELECT *, -{_FOREVER} AS since, {_FOREVER} AS until FROM {self.name}
            """,
            f"CREATE INDEX temp.{versions}_of_a_row ON {versions} (id)",
            f"CREATE INDEX temp.{versions}_by_end ON {versions} (until)",
            f"""
            CREATE TEMP TRIGGER {self.name}_made AFTER INSERT ON main.{self.name} BEGIN
                INSERT INTO {versions} SELECT *, clock(), {_FOREVER} FROM {self.name} WHERE id = NEW.id;
            END
            """,
            f"""
            CREATE TEMP TRIGGER {self.name}_changed AFTER UPDATE ON main.{self.name} BEGIN
                {close};
                INSERT INTO {versions}
                    SELECT *, (SELECT MAX(until) FROM {versions} WHERE id = NEW.id), {_FOREVER}
                    FROM {self.name} WHERE id = NEW.id;
                {prune};
            END
            """,
            f"""
            CREATE TEMP TRIGGER {self.name}_gone AFTER DELETE ON main.{self.name} BEGIN
                {close};
                {prune};
            END
            """,
        )


@dataclass(frozen=True)
class TableView(Generic[Row]):
    """The rows of a table now, or at a moment in the last hour."""

    _database: sqlite3.Connection
    _table: Table[Row]
    _moment: float | None = None

    def get(self, row_id: str) -> Row | None:
        """The row with this id, if there is one."""
        return next(map(self._table.read, self._select(self._columns, "id = ?", row_id)), None)

    def all(self) -> list[Row]:
        """Every row, oldest first."""
        return [self._table.read(row) for row in self._select(self._columns, "TRUE")]

    def names(self) -> list[tuple[str, str]]:
        """The id and the name of every row, oldest first."""
        return list(self._select("id, name", "TRUE"))

    @property
    def _columns(self) -> str:
        return ", ".join(("id", *self._table.columns))

    def _select(self, columns: str, condition: str, *values: object) -> Iterator[Any]:
        table = self._table.name
        if self._moment is not None:
            table, condition = f"{table}_versions", f"{condition} AND since <= ? AND until > ?"
            values = (*values, self._moment, self._moment)
        return self._database.execute(
            f"SELECT {columns} FROM {table} WHERE {condition} ORDER BY number",
            values,
        )


class Database:
    """The emulator's database, used by one emulator at a time.

    Args:
        path: The file that survives restarts; None keeps everything in memory. It contains secrets, so only its
            owner can read it.
        tables: The tables whose history is kept.
        schema: The statements that create the other tables.

    Raises:
        StateFileError: The file can't be opened, isn't a database, or is in use by another emulator.
    """

    def __init__(self, path: Path | None, tables: Sequence[Table[Any]], schema: Sequence[str]) -> None:
        self._tables = tables
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                path.chmod(0o600)
            # Created in one thread and used in the server's, but never in two at once.
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise StateFileError(f"The state file {path} can't be opened: {error}") from error
        try:
            # One emulator per file; and a write-ahead log, which stays consistent if the process is killed.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # The versions contain secrets too.
            self._connection.execute("PRAGMA temp_store = MEMORY")
            self._connection.create_function("clock", 0, time.monotonic)
            # Objects that remain for a moment after their deletion was answered.
            self._connection.execute("CREATE TABLE IF NOT EXISTS pending_deletions (id TEXT PRIMARY KEY)")
            for statement in (*(each for table in tables for each in table.statements()), *schema):
                self._connection.execute(statement)
            self._connection.execute("DELETE FROM pending_deletions")
        except sqlite3.Error as error:
            self._connection.close()
            raise StateFileError(
                f"The state file {path} can't be used ({error}): does another emulator use it?"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def execute(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> sqlite3.Cursor:
        """Execute a statement, whose placeholders are `?` or, if `values` is a mapping, `:name`.

        Raises:
            sqlite3.IntegrityError: It violates a constraint of the table.
        """
        return self._connection.execute(statement, values)

    def as_of(self, table: Table[Row], seconds_ago: float) -> TableView[Row]:
        """The rows as they were this many seconds ago, at most an hour; 0 means now."""
        return TableView(self._connection, table, time.monotonic() - seconds_ago if seconds_ago else None)

    def clear(self) -> None:
        """Delete all rows of the tables, and their history."""
        self._connection.execute("DELETE FROM pending_deletions")
        for table in self._tables:
            for name in (table.name, f"{table.name}_versions"):
                self._connection.execute(f"DELETE FROM {name}")

    def mark_for_deletion(self, row_id: str) -> None:
        """Mark the row for deletion, which happens at the next start at the latest."""
        self._connection.execute("INSERT OR IGNORE INTO pending_deletions VALUES (?)", (row_id,))

    def delete(self, table: Table[Any], row_id: str) -> bool:
        """Delete the row; False if there was none."""
        self._connection.execute("DELETE FROM pending_deletions WHERE id = ?", (row_id,))
        gone = self._connection.execute(
            f"DELETE FROM {table.name} WHERE id = ?",
            (row_id,),
        )
        return gone.rowcount > 0
