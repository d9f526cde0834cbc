"""What has an owner: a target or a source."""

from __future__ import annotations

from typing import Protocol


class Owned(Protocol):
    """An object that carries an owner mark."""

    @property
    def kind(self) -> str:
        """What users call it: `target`, `source`."""

    @property
    def id(self) -> str:
        """Its id in Genesys Cloud."""

    @property
    def name(self) -> str:
        """Its name in Genesys Cloud."""

    @property
    def owner(self) -> str | None:
        """Its owner mark."""
