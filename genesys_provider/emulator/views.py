"""The answers of the calls for targets, under a behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesys_provider.emulator import extras
from genesys_provider.emulator.behaviour import USUAL
from genesys_provider.emulator.paths import target_path

if TYPE_CHECKING:
    from genesys_provider.emulator.behaviour import Behaviour
    from genesys_provider.emulator.target_store import StoredTarget

_SHOWN_AUTH_FIELDS = ("username", "clientId", "tokenUrl")


def target_view(target: StoredTarget, behaviour: Behaviour = USUAL) -> dict[str, Any]:
    """The target as the API returns it, without secrets [C]."""
    auth = target.config["authConfig"]
    view = {
        "id": target.id,
        **target.config,
        "authConfig": {name: auth[name] for name in _SHOWN_AUTH_FIELDS if name in auth},
        "status": behaviour.cased(target.status),
        "selfUri": target_path(target.id),
    }
    return extras.with_extras(view, target.extras, target.generation) if behaviour.extra_fields else view


def verification_view(status: str, message: str | None, behaviour: Behaviour) -> dict[str, Any]:
    """The state of a verification. An unknown message is left out, since readers of a text don't expect null."""
    return {
        "status": behaviour.cased(status),
        **({} if message is None else {"message": message}),
        **(extras.OF_A_VERIFICATION if behaviour.extra_fields else {}),
    }


def health_view(status: str, message: str, behaviour: Behaviour) -> dict[str, Any]:
    """The result of a health check."""
    return {
        "status": behaviour.cased(status),
        "message": message,
        **(extras.OF_A_HEALTH_CHECK if behaviour.extra_fields else {}),
    }
