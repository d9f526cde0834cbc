"""A sync's properties: defaults, changes, states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genesys_provider.common.run import Ownership
from genesys_provider.host.operation import ChangeKind
from genesys_provider.resources import properties

if TYPE_CHECKING:
    from genesys_provider.targets.gateway import Delivery

_SENT = ("targetId", "revision", "webhookUrl", "signingSecret")
"""A change of one of these is sent to the gateway."""

_DELIVERY = ("deliveryId", "syncedAt")
_OWNERSHIP = {"targetOwner": "owner", "organizationId": "organization_id", "apiUrl": "api_url"}
"""The outputs that record the target's owner when the gateway was told of it."""


def with_defaults(news: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with all defaults filled in."""
    return {"required": True, "secrets": [], **properties.present(news)}


def changes(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
    """The changes of an update, by property path, including a delivery that is still due."""
    found = due(olds, news)
    required = (("required", olds.get("required", True), news.get("required", True)),)
    return properties.with_new_secrets(found | properties.changed(required), olds, news)


def due(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
    """The changes that the gateway must be told."""
    found = properties.changed((name, _compared(olds.get(name)), _compared(news.get(name))) for name in _SENT)
    if "deliveryId" not in olds:
        found["deliveryId"] = "add"
    return found


def _compared(value: Any) -> Any:
    """A list with one secret is equivalent to that secret."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def outputs(inputs: Mapping[str, Any], delivery: Delivery | None, ownership: Ownership) -> dict[str, Any]:
    """The state of a sync; without a delivery, the gateway was not told."""
    outs = marked(inputs)
    if delivery is not None:
        outs |= {"deliveryId": delivery.delivery_id, "syncedAt": delivery.synced_at}
    known = {name: getattr(ownership, field) for name, field in _OWNERSHIP.items()}
    return outs | {name: value for name, value in known.items() if value is not None}


def ownership_in(olds: Mapping[str, Any]) -> Ownership:
    """The target's owner when the gateway was told of it, if it was known."""
    return Ownership(**{field: olds.get(name) for name, field in _OWNERSHIP.items()})


def undelivered(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """The state after an update that had nothing to send: it keeps the last delivery."""
    kept = {name: olds[name] for name in (*_DELIVERY, *_OWNERSHIP) if name in olds}
    return marked(news) | kept


def marked(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with secrets marked, so that no state has them in plain text."""
    outs = properties.own(inputs)
    if "signingSecret" in outs:
        outs["signingSecret"] = properties.secret(outs["signingSecret"])
    return outs
