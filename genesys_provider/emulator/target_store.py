"""The stored targets of the emulator, with their endpoints' secrets in plain text, since it has to use them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from genesys_provider.emulator.database import Table
from genesys_provider.emulator.statuses import PENDING_VERIFICATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genesys_provider.emulator.database import Database, TableView
    from genesys_provider.emulator.extras import Extras

_EXTRAS = "extraFields"
"""The key in a stored configuration for fields unknown to the contract."""


class NameTakenError(Exception):
    """Another target has the name."""


@dataclass(frozen=True)
class StoredTarget:
    """One stored target.

    Attributes:
        config: The body of the last POST or PUT, **secrets in plain text**.
        extras: The fields of that body that are unknown to the contract; None if they were ignored.
        message: The reason for the verdict, for humans.
        generation: The number of status changes from outside; the verdict of an earlier verification is void.
        verifying: Whether a verification is running, and must start again after a restart.
    """

    id: str
    name: str
    config: dict[str, Any] = field(repr=False)
    status: str
    message: str | None
    generation: int
    verifying: bool
    extras: Extras | None = None


def _target(row: tuple[Any, ...]) -> StoredTarget:
    target_id, name, text, status, message, generation, verifying = row
    config = json.loads(text)
    extras = config.pop(_EXTRAS, None)
    return StoredTarget(target_id, name, config, status, message, generation, bool(verifying), extras)


TARGETS = Table(
    "targets",
    {
        "name": "TEXT NOT NULL UNIQUE",
        "config": "TEXT NOT NULL",
        "status": "TEXT NOT NULL",
        "message": "TEXT",
        "generation": "INTEGER NOT NULL",
        "verifying": "INTEGER NOT NULL",
    },
    _target,
)


class TargetStore:
    """The storage of targets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, config: dict[str, Any], extras: Extras | None = None, *, target_id: str | None = None
    ) -> StoredTarget:
        """Add a new target, pending verification; its id is a UUID unless another is given.

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

    def as_of(self, seconds_ago: float) -> TableView[StoredTarget]:
        """The targets as they were this many seconds ago, at most an hour; 0 means now."""
        return self._database.as_of(TARGETS, seconds_ago)

    def get(self, target_id: str) -> StoredTarget | None:
        """The target, if it exists now."""
        return self.as_of(0).get(target_id)

    def replace(
        self, target_id: str, config: dict[str, Any], extras: Extras | None = None, *, verify: bool
    ) -> StoredTarget | None:
        """Replace the configuration of the target, and mark it for verification if `verify`.

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
        """Delete the target; False if there was none."""
        return self._database.delete(TARGETS, target_id)

    def all(self) -> list[StoredTarget]:
        """Every target, oldest first."""
        return self.as_of(0).all()

    def settle(self, target_id: str, generation: int, status: str, message: str | None) -> None:
        """Store a verification's verdict, unless the target was changed or deleted since it began."""
        self._database.execute(
            "UPDATE targets SET status = ?, message = ?, verifying = 0 WHERE id = ? AND generation = ?",
            (status, message, target_id, generation),
        )

    def force(self, target_id: str, status: str, message: str | None) -> bool:
        """Force a status, whatever a running verification finds; False if there is no such target."""
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


def _text(config: dict[str, Any], extras: Extras | None) -> str:
    return json.dumps(config if extras is None else {**config, _EXTRAS: extras})
