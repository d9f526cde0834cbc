"""What the calls about targets answer, under a behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesys_provider.emulator import extras
from genesys_provider.emulator.behaviour import USUAL
from genesys_provider.emulator.paths import target_path

if TYPE_CHECKING:
    from genesys_provider.emulator.behaviour import Behaviour
    from genesys_provider.emulator.store import StoredTarget

_SHOWN_AUTH_FIELDS = ("username", "clientId", "tokenUrl")


def target_view(target: StoredTarget, behaviour: Behaviour = USUAL) -> dict[str, Any]:
    """The target as the API answers it, without a secret [C]."""
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
    """Where a verification stands. Null is for no reader of a text: a message that is not known is left out."""
    return {
        "status": behaviour.cased(status),
        **({} if message is None else {"message": message}),
        **(extras.OF_A_VERIFICATION if behaviour.extra_fields else {}),
    }


def health_view(status: str, message: str, behaviour: Behaviour) -> dict[str, Any]:
    """How a health check went."""
    return {
        "status": behaviour.cased(status),
        "message": message,
        **(extras.OF_A_HEALTH_CHECK if behaviour.extra_fields else {}),
    }
