"""A source's properties in Pulumi: defaults, changes, states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from genesys_provider.client.redaction import shown
from genesys_provider.common.writes import LastWrite
from genesys_provider.host.operation import ChangeKind, current
from genesys_provider.resources import owned_properties, properties
from genesys_provider.resources.owned_properties import as_set, compared_ownership, set_read
from genesys_provider.sources.vocabulary import as_compared, event_source_name, wanted_status

if TYPE_CHECKING:
    from genesys_provider.sources.manager import SourceOutcome
    from genesys_provider.sources.models import Source

_LOCAL = ("activationTimeout", "apiUrl", "secrets")
"""Inputs about how we handle the source, which are not part of its configuration."""


def with_defaults(news: Mapping[str, Any], api_url: str) -> dict[str, Any]:
    """The inputs with all defaults filled in, so that an explicit default or a null is not a change."""
    inputs = {"enabled": True, "secrets": [], **properties.present(news), "apiUrl": api_url}
    if inputs.get("notes") == "":
        del inputs["notes"]
    return inputs


def changes(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
    """The changes of an update from old outputs to new inputs, by property path.

    The order of topics does not matter. A source that did not reach its desired state should reach it now: that is
    a change of `state`.
    """
    found = properties.changed((*_compared(olds, news), *compared_ownership(olds, news)))
    if olds.get("state") != wanted_status(enabled=olds.get("enabled", True)):
        found["state"] = "update"
    return found


def _compared(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in ("name", "awsAccountId", "awsRegion", "eventSourceSuffix", "notes", "enabled"):
        yield name, olds.get(name), news.get(name)
    yield "topics", as_set(olds.get("topics")), as_set(news.get("topics"))


def configuration_changed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether an update must send anything to the API, which does not know inputs that are local to the stack."""
    return any(path not in _LOCAL for path in changes(olds, news))


def outputs(
    inputs: Mapping[str, Any],
    source: Source,
    *,
    organization_id: str | None,
    written_at: str | None = None,
    claimed_by: str | None = None,
    imported_from: str | None = None,
    activated_at: str | None = None,
    activation_seconds: float | None = None,
) -> dict[str, Any]:
    """The state of a source: its inputs, and the results of the API and the wait."""
    return marked(
        owned_properties.outputs(
            inputs,
            organization_id=organization_id,
            written_at=source.written_at or written_at,
            claimed_by=claimed_by,
            imported_from=imported_from,
            eventSourceName=event_source_name(organization_id, inputs.get("eventSourceSuffix")),
            state=source.status,
            # The service's text may repeat a secret of the program.
            stateReason=None if source.reason is None else shown(source.reason),
            configVersion=source.config_version,
            activatedAt=activated_at,
            activationSeconds=activation_seconds,
        )
    )


def outputs_read(
    state: Mapping[str, Any],
    inputs: Mapping[str, Any],
    source: Source,
    *,
    organization_id: str | None,
    claimed_by: str | None = None,
    imported_from: str | None = None,
) -> dict[str, Any]:
    """The state of a source that was read."""
    return outputs(
        inputs,
        source,
        organization_id=organization_id,
        written_at=state.get("writtenAt"),
        claimed_by=claimed_by,
        imported_from=imported_from,
        activated_at=state.get("activatedAt"),
        activation_seconds=state.get("activationSeconds"),
    )


def outputs_written(
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    source: Source,
    *,
    organization_id: str | None,
    outcome: SourceOutcome | None = None,
) -> dict[str, Any]:
    """The state of a source that was created or updated; without an outcome it may not be in its desired state."""
    reached: dict[str, Any] = {}
    if outcome is not None:
        reached = {
            "activated_at": outcome.activated_at or olds.get("activatedAt"),
            "activation_seconds": outcome.activation_seconds or olds.get("activationSeconds"),
        }
    return outputs(news, source, organization_id=organization_id, written_at=olds.get("writtenAt"), **reached)


def outputs_kept(
    olds: Mapping[str, Any], news: Mapping[str, Any], *, organization_id: str | None
) -> dict[str, Any]:
    """The state after an update that wrote nothing, since only inputs unknown to the API changed."""
    return marked(owned_properties.outputs_kept(olds, news, local=_LOCAL, organization_id=organization_id))


def last_write(state: Mapping[str, Any]) -> LastWrite | None:
    """The last write of an earlier run, which has seen it if the source became active afterwards."""
    return owned_properties.last_write(state, seen_at=state.get("activatedAt"))


def expected(state: Mapping[str, Any]) -> Callable[[Source], bool] | None:
    """Whether a source is as the state has it; None if the run that wrote it has seen that.

    If the state is still the opposite of the wanted one, that run may have ended before it requested that.
    """
    last = last_write(state)
    if last is None or last.seen:
        return None
    asked = state.get("state") != wanted_status(enabled=not state.get("enabled", True))

    def is_as_written(source: Source) -> bool:
        found = properties.changed(_compared(state, inputs_read(state, source, owner=None, api_url="")))
        return not (found if asked else found.keys() - {"enabled"})

    return is_as_written


def marked(bag: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs or outputs with secrets marked: the event source's name is as secret as the suffix in it."""
    known = properties.own(bag)
    # Only our host learns what a transform makes secret.
    is_secret = (
        "eventSourceSuffix" in (known.get("secrets") or ())
        or known.get("eventSourceSuffix") in current().secrets
    )
    if is_secret and "eventSourceName" in known:
        known["eventSourceName"] = properties.secret(known["eventSourceName"])
    return known


def inputs_read(
    state: Mapping[str, Any], source: Source, *, owner: str | None, api_url: str
) -> dict[str, Any]:
    """The inputs that describe the source as it is now. An insignificant order is kept as it was.

    Args:
        state: The last outputs; empty in an import.
        source: The source as it was read.
        owner: The mark to record.
        api_url: Where it was read.
    """
    kept = ("activationTimeout", "createBeforeDelete", "secrets")
    inputs = {
        **{name: state[name] for name in kept if name in state},
        "name": source.name,
        # A source that was never configured has no place yet: it gets one, and is not replaced.
        "awsAccountId": source.aws_account_id or None,
        "awsRegion": source.aws_region or None,
        "eventSourceSuffix": source.event_source_suffix or None,
        "topics": set_read(state.get("topics") or [], source.topics),
        "notes": _notes_read(state.get("notes"), source.notes),
        "enabled": source.enabled,
        "apiUrl": api_url,
        "owner": owner,
    }
    present: dict[str, Any] = properties.present(inputs)
    return present


def _notes_read(before: str | None, now: str | None) -> str | None:
    """The notes as they were written, if the service only changed insignificant details."""
    return before if as_compared(before) == as_compared(now) else now
