"""The emulator's memory: one SQLite database, which survives restarts where it has a file.

Every change is one statement, thus one transaction, and is committed before the caller goes on: neither SIGTERM
nor SIGKILL loses what was answered.

Every version that a row of a `Table` had within the last hour is kept too, in memory: `Database.as_of` looks back.
"""

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
    """The state file can't be used: the message says why."""


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table whose past is kept. It has a `number`, by which its rows are in order, an `id` and a `name`.

    Attributes:
        name: Its name.
        columns: Its other columns, with their declarations.
        read: Makes what the emulator works with of a row: `id` and the other columns.
    """

    name: str
    columns: Mapping[str, str]
    read: Callable[[tuple[Any, ...]], Row]

    def statements(self) -> tuple[str, ...]:
        """What makes the table where it is not there yet, and the versions of its rows.

        A version counts from `since` until `until`, on the monotonic clock.
        """
        versions = f"{self.name}_versions"
        declared = ", ".join(f"{name} {rules}" for name, rules in self.columns.items())
        # The plus keeps SQLite from the other index, by which all versions that still count are looked through.
        close = f"UPDATE {versions} SET until = clock() WHERE id = OLD.id AND +until = {_FOREVER}"  # noqa: S608
        prune = f"DELETE FROM {versions} WHERE until < clock() - {LONGEST_LAG}"  # noqa: S608
        return (
            f"""
            CREATE TABLE IF NOT EXISTS {self.name} (
                number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, {declared}
            )
            """,
            f"DELETE FROM {self.name} WHERE id IN (SELECT id FROM departures)",  # noqa: S608
            f"""
            CREATE TEMP TABLE {versions} AS
            SELECT *, -{_FOREVER} AS since, {_FOREVER} AS until FROM {self.name}
            """,  # noqa: S608
            f"CREATE INDEX temp.{versions}_of_a_row ON {versions} (id)",
            f"CREATE INDEX temp.{versions}_by_end ON {versions} (until)",
            f"""
            CREATE TEMP TRIGGER {self.name}_made AFTER INSERT ON main.{self.name} BEGIN
                INSERT INTO {versions} SELECT *, clock(), {_FOREVER} FROM {self.name} WHERE id = NEW.id;
            END
            """,  # noqa: S608
            f"""
            CREATE TEMP TRIGGER {self.name}_changed AFTER UPDATE ON main.{self.name} BEGIN
                {close};
                INSERT INTO {versions}
                    SELECT *, (SELECT MAX(until) FROM {versions} WHERE id = NEW.id), {_FOREVER}
                    FROM {self.name} WHERE id = NEW.id;
                {prune};
            END
            """,  # noqa: S608
            f"""
            CREATE TEMP TRIGGER {self.name}_gone AFTER DELETE ON main.{self.name} BEGIN
                {close};
                {prune};
            END
            """,
        )


@dataclass(frozen=True)
class Look(Generic[Row]):
    """The rows of a table as they are, or as they were at a moment of the last hour."""

    _database: sqlite3.Connection
    _table: Table[Row]
    _moment: float | None = None

    def get(self, row_id: str) -> Row | None:
        """The row, if there is one."""
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
            f"SELECT {columns} FROM {table} WHERE {condition} ORDER BY number",  # noqa: S608 - our own words
            values,
        )


class Database:
    """The emulator's database, for one emulator at a time.

    Args:
        path: The file that survives restarts; none keeps everything in memory. It holds secrets, so it is for its
            owner alone.
        tables: The tables whose past is kept.
        schema: What makes the others.

    Raises:
        StateFileError: The file can't be opened, isn't a database, or serves another emulator.
    """

    def __init__(self, path: Path | None, tables: Sequence[Table[Any]], schema: Sequence[str]) -> None:
        self._tables = tables
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                path.chmod(0o600)
            # Made in one thread, used in the server's; never in two at once.
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise StateFileError(f"The state file {path} can't be opened: {error}") from error
        try:
            # One emulator a file; and a write-ahead log, which a killed process leaves in order.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # They hold secrets too.
            self._connection.execute("PRAGMA temp_store = MEMORY")
            self._connection.create_function("clock", 0, time.monotonic)
            # What is there for a moment more after its deletion was answered.
            self._connection.execute("CREATE TABLE IF NOT EXISTS departures (id TEXT PRIMARY KEY)")
            for statement in (*(each for table in tables for each in table.statements()), *schema):
                self._connection.execute(statement)
            self._connection.execute("DELETE FROM departures")
        except sqlite3.Error as error:
            self._connection.close()
            raise StateFileError(
                f"The state file {path} can't be used ({error}): does another emulator use it?"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """What a statement finds.

        Raises:
            sqlite3.IntegrityError: It breaks a rule of the table.
        """
        return self._connection.execute(statement, values)

    def as_of(self, table: Table[Row], seconds_ago: float) -> Look[Row]:
        """The rows as they were so many seconds ago, at most an hour; 0 is now."""
        return Look(self._connection, table, time.monotonic() - seconds_ago if seconds_ago else None)

    def clear(self) -> None:
        """Forget every row of the tables, and that it was there."""
        self._connection.execute("DELETE FROM departures")
        for table in self._tables:
            for name in (table.name, f"{table.name}_versions"):
                self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names

    def depart(self, row_id: str) -> None:
        """The row is there until it is deleted, or at the latest until the next start."""
        self._connection.execute("INSERT OR IGNORE INTO departures VALUES (?)", (row_id,))

    def delete(self, table: Table[Any], row_id: str) -> bool:
        """Whether there was such a row; now there is none."""
        self._connection.execute("DELETE FROM departures WHERE id = ?", (row_id,))
        gone = self._connection.execute(
            f"DELETE FROM {table.name} WHERE id = ?",  # noqa: S608 - our own name
            (row_id,),
        )
        return gone.rowcount > 0
