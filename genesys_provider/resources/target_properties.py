"""A target's properties in Pulumi: defaults, changes, states.

Properties have the API's names, so that faults, changes and requests use the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pulumi.output import Unknown

from genesys_provider.client.redaction import SECRET_FIELDS
from genesys_provider.client.urls import folded_url
from genesys_provider.common.paths import property_path
from genesys_provider.common.writes import LastWrite
from genesys_provider.host.operation import ChangeKind
from genesys_provider.resources import owned_properties, properties
from genesys_provider.resources.owned_properties import as_set, compared_ownership, set_read
from genesys_provider.targets.inputs import RetryPolicy
from genesys_provider.targets.vocabulary import NEEDED_AUTH_FIELDS, VERIFIED

if TYPE_CHECKING:
    from genesys_provider.targets.manager import Outcome
    from genesys_provider.targets.models import Target

_LOCAL = ("verificationTimeout", "healthCheck", "apiUrl", "secrets")
"""Inputs about how we handle the target, which are not part of its configuration."""


def with_defaults(news: Mapping[str, Any], api_url: str) -> dict[str, Any]:
    """The inputs with all defaults filled in, so that an explicit default or a null is not a change."""
    inputs = {
        "authType": "NONE",
        "healthCheck": False,
        "secrets": [],
        **properties.present(news),
        "apiUrl": api_url,
    }
    if "authConfig" in inputs:
        inputs["authConfig"] = properties.present(inputs["authConfig"])
    policy = properties.present(inputs.get("retryPolicy", {}))
    if isinstance(policy, Mapping):
        policy = {**RetryPolicy().retry_policy(), **policy}
    inputs["retryPolicy"] = policy
    return inputs


def changes(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
    """The changes of an update from old outputs to new inputs, by property path.

    The order of event types and the case of header names do not matter. A target that is not verified should be
    verified again: that is a change of `status`.
    """
    found = properties.changed((*_compared(olds, news), *compared_ownership(olds, news)))
    if olds.get("status") != VERIFIED:
        found["status"] = "update"
    return found


def _compared(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in ("name", "endpointUrl", "authType"):
        yield name, olds.get(name), news.get(name)
    yield "healthCheck", bool(olds.get("healthCheck")), news.get("healthCheck", False)
    yield "eventTypes", as_set(olds.get("eventTypes")), as_set(news.get("eventTypes"))
    for name in ("authConfig", "retryPolicy"):
        yield from _compared_fields(name, olds.get(name), news.get(name))
    old_headers, new_headers = olds.get("headers") or {}, news.get("headers") or {}
    if isinstance(old_headers, Unknown) or isinstance(new_headers, Unknown):
        yield "headers", old_headers or None, new_headers
        return
    old_names = {name.lower(): name for name in old_headers}
    new_names = {name.lower(): name for name in new_headers}
    for folded in {**old_names, **new_names}:
        old_name, new_name = old_names.get(folded), new_names.get(folded)
        path = property_path(("headers", new_name or old_name or folded))
        yield path, old_name and old_headers[old_name], new_name and new_headers[new_name]


def _compared_fields(parent: str, olds: Any, news: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(news, Unknown):
        yield parent, olds, news
        return
    olds, news = olds or {}, news or {}
    for name in {**olds, **news}:
        yield property_path((parent, name)), olds.get(name), news.get(name)


def verdict_is_missing(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the update only needs a verdict, since everything else was written before."""
    changed = [path for path in changes(olds, news) if path not in _LOCAL]
    return changed == ["status"]


def configuration_changed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether an update must send anything to the API, which does not know inputs that are local to the stack."""
    return any(path not in _LOCAL for path in changes(olds, news))


def rewritten(state: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Whether the target has another configuration than the state; a different status does not count."""
    return bool(properties.changed(_compared(state, read)))


def outputs(
    inputs: Mapping[str, Any],
    target: Target,
    *,
    revision: int,
    organization_id: str | None = None,
    written_at: str | None = None,
    claimed_by: str | None = None,
    imported_from: str | None = None,
    verified_at: str | None = None,
    verification_seconds: float | None = None,
    health_status: str | None = None,
) -> dict[str, Any]:
    """The state of a target: its inputs, and the results of the API and the wait."""
    return owned_properties.outputs(
        marked(inputs),
        organization_id=organization_id,
        written_at=target.written_at or written_at,
        claimed_by=claimed_by,
        imported_from=imported_from,
        status=target.status,
        selfUri=target.self_uri,
        revision=revision,
        verifiedAt=verified_at,
        verificationSeconds=verification_seconds,
        healthStatus=health_status,
    )


def outputs_read(
    state: Mapping[str, Any],
    inputs: Mapping[str, Any],
    target: Target,
    *,
    organization_id: str | None,
    claimed_by: str | None = None,
    imported_from: str | None = None,
) -> dict[str, Any]:
    """The state of a target that was read.

    If the configuration differs from the state, it was updated by a run that died, or by hand. That counts as a
    revision too, so that whatever depends on it, such as a sync, is updated.
    """
    revision = int(state.get("revision", 0))
    if revision == 0 or rewritten(state, inputs):
        revision += 1
    return outputs(
        inputs,
        target,
        revision=revision,
        organization_id=organization_id,
        written_at=state.get("writtenAt"),
        claimed_by=claimed_by,
        imported_from=imported_from,
        verified_at=state.get("verifiedAt"),
        verification_seconds=state.get("verificationSeconds"),
        health_status=state.get("healthStatus"),
    )


def outputs_written(
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    target: Target,
    *,
    organization_id: str | None,
    outcome: Outcome | None = None,
) -> dict[str, Any]:
    """The state of a target that was created or updated; without an outcome it may not be verified."""
    reached: dict[str, Any] = {}
    if outcome is not None:
        reached = {
            "verified_at": outcome.verified_at or olds.get("verifiedAt"),
            "verification_seconds": outcome.verification_seconds or olds.get("verificationSeconds"),
            "health_status": outcome.health_status,
        }
    return outputs(
        news,
        target,
        revision=_next_revision(olds),
        organization_id=organization_id,
        written_at=olds.get("writtenAt"),
        **reached,
    )


def outputs_kept(
    olds: Mapping[str, Any], news: Mapping[str, Any], *, organization_id: str | None
) -> dict[str, Any]:
    """The state after an update that wrote nothing: a new revision anyway, with unknown health."""
    kept = owned_properties.outputs_kept(
        olds,
        news,
        local=(*_LOCAL, "healthStatus"),
        organization_id=organization_id,
        revision=_next_revision(olds),
    )
    return marked(kept)


def _next_revision(olds: Mapping[str, Any]) -> int:
    return int(olds.get("revision", 0)) + 1


def last_write(state: Mapping[str, Any]) -> LastWrite | None:
    """The last write of an earlier run, which has seen it if the verdict came afterwards."""
    return owned_properties.last_write(
        state, seen_at=state.get("verifiedAt"), made=state.get("revision") == 1
    )


def expected(state: Mapping[str, Any]) -> Callable[[Target], bool] | None:
    """Whether a target is as the state has it; None if the run that wrote it has seen that."""
    last = last_write(state)
    if last is None or last.seen:
        return None
    return lambda target: not rewritten(state, inputs_read(state, target, owner=None, api_url=""))


def marked(bag: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs or outputs with secrets marked, so that no state has them in plain text."""
    known = properties.own(bag)
    if auth := bag.get("authConfig"):
        known["authConfig"] = {
            name: properties.secret(value) if name in SECRET_FIELDS else value for name, value in auth.items()
        }
    return known


def inputs_read(
    state: Mapping[str, Any], target: Target, *, owner: str | None, api_url: str
) -> dict[str, Any]:
    """The inputs that describe the target as it is now.

    The API does not return secrets, nor maybe the other fields of an authentication. They are kept from the state
    while the authentication is the one to which they belong. Insignificant order and case is kept as well.

    Args:
        state: The last outputs; empty in an import.
        target: The target as it was read.
        owner: The mark to record.
        api_url: Where it was read.
    """
    kept = {
        name: state[name]
        for name in ("verificationTimeout", "createBeforeDelete", "secrets")
        if name in state
    }
    inputs: dict[str, Any] = {
        **kept,
        "name": target.name,
        "endpointUrl": _url_read(state.get("endpointUrl"), target.endpoint_url),
        "authType": target.auth_type,
        "retryPolicy": {**RetryPolicy().retry_policy(), **target.retry_policy},
        "eventTypes": set_read(state.get("eventTypes") or [], target.event_types),
        "healthCheck": bool(state.get("healthCheck", False)),
        "apiUrl": api_url,
    }
    auth: dict[str, Any] = dict(target.auth_config)
    if "tokenUrl" in auth:
        auth["tokenUrl"] = _url_read((state.get("authConfig") or {}).get("tokenUrl"), auth["tokenUrl"])
    if state.get("authType") == target.auth_type:
        old_auth = state.get("authConfig") or {}
        needed = NEEDED_AUTH_FIELDS.get(target.auth_type, ())
        untold = [name for name in needed if name not in auth]
        auth |= {name: old_auth[name] for name in (*SECRET_FIELDS, *untold) if name in old_auth}
    if auth or "authConfig" in state:
        inputs["authConfig"] = auth
    old_names = {name.lower(): name for name in state.get("headers") or {}}
    headers = {
        # A header that the state does not know may be a secret.
        old_names.get(name.lower(), name): value if name.lower() in old_names else properties.secret(value)
        for name, value in target.headers.items()
    }
    if headers or "headers" in state:
        inputs["headers"] = headers
    if owner is not None:
        inputs["owner"] = owner
    return inputs


def _url_read(before: Any, now: str) -> str:
    """The URL as it was typed, if the service only wrote it in its normal form."""
    return before if isinstance(before, str) and folded_url(before) == folded_url(now) else now
