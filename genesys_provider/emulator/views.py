"""What the calls about targets answer, under a behaviour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from genesys_provider.emulator import extras
from genesys_provider.emulator.behaviour import USUAL
from genesys_provider.emulator.paths import TARGETS_PATH, target_path

if TYPE_CHECKING:
    from genesys_provider.emulator.behaviour import Behaviour
    from genesys_provider.emulator.store import StoredTarget

_SHOWN_AUTH_FIELDS = ("username", "clientId", "tokenUrl")


def answer(body: dict[str, Any], behaviour: Behaviour, status: int = 200) -> Response:
    """A good answer, less what the behaviour omits."""
    return JSONResponse({name: body[name] for name in body if name not in behaviour.omit}, status)


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


def replaced(target: StoredTarget, behaviour: Behaviour) -> Response:
    """The answer to a PUT."""
    if behaviour.put_answer == "none":
        return Response(status_code=204)
    view = target_view(target, behaviour)
    return answer(
        view if behaviour.put_answer == "object" else {name: view[name] for name in ("id", "status")},
        behaviour,
    )


def deleted(target: StoredTarget, behaviour: Behaviour) -> Response:
    """The answer to a DELETE."""
    if behaviour.delete_answer == 200:  # noqa: PLR2004
        return answer(target_view(target, behaviour), behaviour)
    return Response(status_code=behaviour.delete_answer)


def page_view(
    entities: list[dict[str, Any]], size: int, number: int, total: int, name: str | None, behaviour: Behaviour
) -> dict[str, Any]:
    """One page of a list; `name` is the filter."""
    pages = math.ceil(total / size)
    more = {"nextUri": _page_uri(size, number + 1, name)} if number < pages else {}
    return {
        "entities": entities,
        "pageSize": size,
        "pageNumber": number,
        "total": total,
        "pageCount": pages,
        "selfUri": _page_uri(size, number, name),
        **more,
        **(extras.OF_A_PAGE if behaviour.extra_fields else {}),
    }


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


def _page_uri(size: int, number: int, name: str | None) -> str:
    query = {"pageSize": size, "pageNumber": number} | ({} if name is None else {"name": name})
    return f"{TARGETS_PATH}?{urlencode(query)}"
