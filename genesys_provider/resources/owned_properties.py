"""What the properties of all resources with an owner and an organization share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from pulumi.output import Unknown

from genesys_provider.common.run import Ownership
from genesys_provider.common.writes import LastWrite
from genesys_provider.host.operation import ChangeKind
from genesys_provider.resources import properties


class OwnedProperties(Protocol):
    """The module with the properties of one kind."""

    def with_defaults(self, news: Mapping[str, Any], api_url: str) -> dict[str, Any]:
        """The inputs with all defaults filled in."""

    def changes(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
        """The changes of an update, by property path."""

    def configuration_changed(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Whether an update must send anything to the API."""

    def last_write(self, state: Mapping[str, Any]) -> LastWrite | None:
        """The last write of an earlier run."""

    def expected(self, state: Mapping[str, Any]) -> Callable[[Any], bool] | None:
        """Whether an object is as that run wrote it; None if that run has seen its own write."""

    def inputs_read(
        self, state: Mapping[str, Any], found: Any, /, *, owner: str | None, api_url: str
    ) -> dict[str, Any]:
        """The inputs that describe the object as it is now."""

    def outputs_read(
        self,
        state: Mapping[str, Any],
        inputs: Mapping[str, Any],
        found: Any,
        /,
        *,
        organization_id: str | None,
        claimed_by: str | None = None,
        imported_from: str | None = None,
    ) -> dict[str, Any]:
        """The state of an object that was read."""

    def outputs_kept(
        self, olds: Mapping[str, Any], news: Mapping[str, Any], /, *, organization_id: str | None
    ) -> dict[str, Any]:
        """The state of an object that was not written."""

    def outputs_written(
        self,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        found: Any,
        /,
        *,
        organization_id: str | None,
        outcome: Any = None,
    ) -> dict[str, Any]:
        """The state of an object that was created or updated; without an outcome it may not be as desired."""

    def marked(self, bag: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs or outputs with secrets marked."""


def compared_ownership(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What an update has to correct about the ownership, for `properties.changed`.

    An owner mark other than the resource's URN must be written, a new API address requires a comparison of the
    organization, and a foreign mark must be reported.
    """
    yield "owner", olds.get("owner"), news.get("owner")
    yield "apiUrl", olds.get("apiUrl"), news.get("apiUrl")
    yield "claimedBy", olds.get("claimedBy"), None


def as_set(items: Any) -> Any:
    """A list whose order does not matter, for comparison; unknown if any item is unknown."""
    if isinstance(items, Unknown) or items is None:
        return items
    unknown = [item for item in items if isinstance(item, Unknown)]
    return unknown[0] if unknown else frozenset(items)


def set_read(before: list[str], now: list[str]) -> list[str]:
    """The items in their previous order, with new ones last; if the set is unchanged, exactly as they were."""
    if set(before) == set(now):
        return list(before)
    position = {item: index for index, item in enumerate(before)}
    return sorted(now, key=lambda item: position.get(item, len(before)))


def outputs(
    inputs: Mapping[str, Any],
    *,
    organization_id: str | None,
    written_at: str | None,
    claimed_by: str | None,
    imported_from: str | None,
    **own: Any,
) -> dict[str, Any]:
    """The state: the inputs, the owner and location, and the kind's own outputs, without values of None.

    Args:
        inputs: With secrets marked.
        organization_id: The organization of the object.
        written_at: When it was last written.
        claimed_by: The foreign mark that it carries.
        imported_from: The owner recorded by an import: an update takes the object over, a delete does not.
        own: The kind's own outputs.
    """
    outs = {
        **inputs,
        "organizationId": organization_id,
        "writtenAt": written_at,
        "claimedBy": claimed_by,
        "importedFrom": imported_from,
        **own,
    }
    return {name: value for name, value in outs.items() if value is not None}


def outputs_kept(
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    *,
    local: Iterable[str],
    organization_id: str | None,
    **own: Any,
) -> dict[str, Any]:
    """The state after an update that wrote nothing, since only inputs unknown to the API changed.

    Args:
        olds: The old outputs.
        news: The new inputs.
        local: The inputs that the API does not know.
        organization_id: The organization of the object.
        own: The kind's own outputs that have changed anyway.
    """
    kept = {name: value for name, value in olds.items() if name not in local}
    present: dict[str, Any] = properties.present({**kept, **news, "organizationId": organization_id, **own})
    return present


def last_write(state: Mapping[str, Any], *, seen_at: str | None, made: bool = False) -> LastWrite | None:
    """The last write of an earlier run.

    Args:
        state: The last outputs.
        seen_at: When that run last finished a wait: it has seen all its earlier writes.
        made: Whether that write created the object.
    """
    written_at: str | None = state.get("writtenAt")
    return None if written_at is None else LastWrite(written_at, (seen_at or "") >= written_at, made=made)


def ownership(outs: Mapping[str, Any]) -> Ownership:
    """The owner of the object, according to its state."""
    return Ownership(outs.get("owner"), outs.get("organizationId"), outs.get("apiUrl"))
