"""The calls of `/api/v2/integrations/eventbridge/targets`.

Which call exists and what it answers is the contract's table. The scopes of each call are [C], as is that the
filter `name` is the exact name, and that a page size over 100 [G] is refused with 400.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genesys_provider.emulator.bodies import checked_config, read_object
from genesys_provider.emulator.errors import ApiError, BrokenRule
from genesys_provider.emulator.events import HEALTH_CHECK, event
from genesys_provider.emulator.login import INTEGRATION_WRITE, READ, WRITE
from genesys_provider.emulator.statuses import VERIFIED
from genesys_provider.emulator.store import NameTakenError

if TYPE_CHECKING:
    from starlette.requests import Request

    from genesys_provider.emulator.login import Login
    from genesys_provider.emulator.outbound import Outbound
    from genesys_provider.emulator.store import Store, StoredTarget
    from genesys_provider.emulator.verifier import Verifier

TARGETS_PATH = "/api/v2/integrations/eventbridge/targets"

HEALTHY = "HEALTHY"
UNHEALTHY = "UNHEALTHY"
"""What a health check answers: whether the endpoint took a POST just now [C]."""

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 100

_SHOWN_AUTH_FIELDS = ("username", "clientId", "tokenUrl")


class Targets:
    """The calls about targets."""

    def __init__(self, store: Store, verifier: Verifier, outbound: Outbound) -> None:
        self._store = store
        self._verifier = verifier
        self._outbound = outbound

    def routes(self, login: Login) -> list[Route]:
        """Every call, each behind the scopes that it needs."""
        one = TARGETS_PATH + "/{id}"
        read, write = (READ,), (INTEGRATION_WRITE, WRITE)
        return [
            Route(path, login.guarded(call, *scopes), methods=[method])
            for method, path, call, scopes in (
                ("POST", TARGETS_PATH, self.create, write),
                ("GET", TARGETS_PATH, self.page, read),
                ("GET", one, self.get, read),
                ("PUT", one, self.replace, write),
                ("DELETE", one, self.delete, write),
                ("GET", one + "/verify", self.verification, read),
                ("POST", one + "/health", self.health, read),
            )
        ]

    async def create(self, request: Request) -> Response:
        """`POST …/targets`: 201, and verification begins [S]."""
        config = checked_config(await read_object(request))
        try:
            target = self._store.add(config)
        except NameTakenError as error:
            raise _name_taken(config["name"]) from error
        self._verifier.start(target)
        return JSONResponse(target_view(target), 201)

    async def page(self, request: Request) -> Response:
        """`GET …/targets`: one page of targets, oldest first."""
        query = request.query_params
        size = _whole_number(query.get("pageSize"), "pageSize", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        number = _whole_number(query.get("pageNumber"), "pageNumber", 1, 10**9)
        name = query.get("name")
        targets, total = self._store.page(size, number, name)
        pages = math.ceil(total / size)
        body = {
            "entities": [target_view(target) for target in targets],
            "pageSize": size,
            "pageNumber": number,
            "total": total,
            "pageCount": pages,
            "selfUri": _page_uri(size, number, name),
        }
        if number < pages:
            body["nextUri"] = _page_uri(size, number + 1, name)
        return JSONResponse(body)

    async def get(self, request: Request) -> Response:
        """`GET …/targets/{id}`: the target."""
        return JSONResponse(target_view(self._target(request)))

    async def replace(self, request: Request) -> Response:
        """`PUT …/targets/{id}`: the whole configuration anew; verifies again where [C] says so."""
        before = self._target(request)
        config = checked_config(await read_object(request))
        verify = before.status != VERIFIED or _way_in(before.config) != _way_in(config)
        try:
            target = self._store.replace(before.id, config, verify=verify)
        except NameTakenError as error:
            raise _name_taken(config["name"]) from error
        if target is None:
            raise _not_found(before.id)
        if verify:
            self._verifier.start(target)
        return JSONResponse(target_view(target))

    async def delete(self, request: Request) -> Response:
        """`DELETE …/targets/{id}`: 204, and gone at once."""
        target_id = request.path_params["id"]
        if not self._store.delete(target_id):
            raise _not_found(target_id)
        self._verifier.stop(target_id)
        return Response(status_code=204)

    async def verification(self, request: Request) -> Response:
        """`GET …/targets/{id}/verify`: where the verification stands [S]."""
        target = self._target(request)
        # Null is for no reader of an enum or a text: what is not known is left out.
        message = {} if target.message is None else {"message": target.message}
        return JSONResponse({"status": target.status, **message})

    async def health(self, request: Request) -> Response:
        """`POST …/targets/{id}/health`: a POST to the endpoint now, which changes no status [S]."""
        target = self._target(request)
        outcome = await self._outbound.post(target, event(HEALTH_CHECK, {"targetId": target.id}))
        status = HEALTHY if outcome.error is None else UNHEALTHY
        return JSONResponse(
            {"status": status, "message": outcome.error or f"endpoint answered {outcome.status}"}
        )

    def _target(self, request: Request) -> StoredTarget:
        target_id = request.path_params["id"]
        target = self._store.get(target_id)
        if target is None:
            raise _not_found(target_id)
        return target


def target_view(target: StoredTarget) -> dict[str, Any]:
    """The target as the API answers it, without a secret [C]."""
    auth = target.config["authConfig"]
    return {
        "id": target.id,
        **target.config,
        "authConfig": {name: auth[name] for name in _SHOWN_AUTH_FIELDS if name in auth},
        "status": target.status,
        "selfUri": f"{TARGETS_PATH}/{target.id}",
    }


def _way_in(config: dict[str, Any]) -> tuple[Any, ...]:
    """What decides whether the endpoint lets events in: where it changes, verification starts again [C]."""
    headers = {name.lower(): value for name, value in config["headers"].items()}
    return config["endpointUrl"], config["authType"], config["authConfig"], headers


def _page_uri(size: int, number: int, name: str | None) -> str:
    query = {"pageSize": size, "pageNumber": number} | ({} if name is None else {"name": name})
    return f"{TARGETS_PATH}?{urlencode(query)}"


def _whole_number(text: str | None, name: str, default: int, maximum: int) -> int:
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0  # noqa: PLR2004
    if not 1 <= number <= maximum:
        reason = f"must be a whole number from 1 to {maximum}"
        raise ApiError(400, "The page can't be given", broken=[BrokenRule(name, reason)])
    return number


def _not_found(target_id: str) -> ApiError:
    return ApiError(404, f"There is no EventBridge target {target_id}.")


def _name_taken(name: str) -> ApiError:
    return ApiError(
        409, f"Another EventBridge target has the name {name}.", code="duplicate.name", entity_name=name
    )
