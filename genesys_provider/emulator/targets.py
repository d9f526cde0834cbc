"""The calls of `/api/v2/integrations/eventbridge/targets`, under the request's behaviour.

The contract's table lists the calls and their answers. These are [C]: the scopes of each call, that the filter
`name` matches exactly, and that a page size over 100 [G] is refused with 400.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from genesys_provider.emulator.answers import answer, behaviour_of, deleted, page_asked, replaced
from genesys_provider.emulator.bodies import checked_config, read_object
from genesys_provider.emulator.errors import ErrorResponse
from genesys_provider.emulator.events import HEALTH_CHECK, event
from genesys_provider.emulator.extras import completed, unknown_fields
from genesys_provider.emulator.login import INTEGRATION_WRITE, READ, WRITE
from genesys_provider.emulator.odd import odd_entries
from genesys_provider.emulator.paths import TARGETS_PATH, id_of
from genesys_provider.emulator.statuses import VERIFIED
from genesys_provider.emulator.target_store import NameTakenError
from genesys_provider.emulator.views import health_view, target_view, verification_view

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from genesys_provider.emulator.behaviour import Behaviour
    from genesys_provider.emulator.database import TableView
    from genesys_provider.emulator.extras import Extras
    from genesys_provider.emulator.login import Authorization
    from genesys_provider.emulator.outbound import Outbound
    from genesys_provider.emulator.pending_deletions import PendingDeletions
    from genesys_provider.emulator.target_store import StoredTarget, TargetStore
    from genesys_provider.emulator.verifier import Verifier

HEALTHY = "HEALTHY"
UNHEALTHY = "UNHEALTHY"
"""The results of a health check: whether the endpoint accepted a POST just now [C]."""

MAX_PAGE_SIZE = 100


class Targets:
    """The calls for targets."""

    def __init__(
        self,
        store: TargetStore,
        verifier: Verifier,
        outbound: Outbound,
        deletions: PendingDeletions,
        organization_id: str,
    ) -> None:
        self._store = store
        self._organization_id = organization_id
        self._verifier = verifier
        self._outbound = outbound
        self._deletions = deletions

    def routes(self, login: Authorization) -> list[Route]:
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
        """`POST …/targets`: creates a target and begins its verification [S]."""
        behaviour = behaviour_of(request)
        config, extras = _accepted(await read_object(request), behaviour)
        try:
            target = self._store.add(
                config, None if extras is None else completed(extras), target_id=behaviour.new_id()
            )
        except NameTakenError as error:
            raise _name_taken(config["name"]) from error
        self._verifier.start(target)
        return answer(target_view(target, behaviour), behaviour, behaviour.create_answer)

    async def page(self, request: Request) -> Response:
        """`GET …/targets`: one page of targets, oldest first."""
        behaviour = behaviour_of(request)
        page = page_asked(request, TARGETS_PATH, ("name",), max_size=MAX_PAGE_SIZE)
        name = page.query.get("name")
        look = self._store.as_of(behaviour.read_lag_seconds)
        odd = odd_entries(behaviour.odd_entries)
        listed = [(target_id, each.get("name")) for target_id, each in odd.items()] + look.names()
        if name is not None:
            listed = [each for each in listed if each[1] == name]
        shown = page.of(behaviour.ordered(listed))
        views = odd | {
            target.id: target_view(target, behaviour)
            for target_id, _ in shown
            if (target := look.get(target_id))
        }
        return page.answer([views[target_id] for target_id, _ in shown], len(listed), behaviour)

    async def get(self, request: Request) -> Response:
        """`GET …/targets/{id}`: the target."""
        behaviour = behaviour_of(request)
        odd = odd_entries(behaviour.odd_entries).get(id_of(request))
        return answer(odd or target_view(self._seen(request), behaviour), behaviour)

    async def replace(self, request: Request) -> Response:
        """`PUT …/targets/{id}`: replaces the configuration, and begins a verification if needed [C]."""
        behaviour, sent = behaviour_of(request), await read_object(request)
        # Read after the whole body has arrived, since another PUT may have been served meanwhile.
        before = self._target(request)
        config, extras = _accepted(sent, behaviour)
        verify = before.status != VERIFIED or _access(before.config) != _access(config)
        try:
            target = self._store.replace(
                before.id, config, before.extras if extras is None else extras, verify=verify
            )
        except NameTakenError as error:
            raise _name_taken(config["name"]) from error
        if target is None:
            raise _not_found(before.id)
        if verify:
            self._verifier.start(target)
        return replaced(target_view(target, behaviour), ("id", "status"), behaviour)

    async def delete(self, request: Request) -> Response:
        """`DELETE …/targets/{id}`: deletes the target immediately."""
        target, behaviour = self._target(request), behaviour_of(request)
        if behaviour.delete_answer == 202:
            self._deletions.schedule(target.id, self._remove)
        else:
            self._remove(target.id)
        return deleted(target_view(target, behaviour), 204, behaviour)

    async def verification(self, request: Request) -> Response:
        """`GET …/targets/{id}/verify`: the state of the verification [S]."""
        target, behaviour = self._seen(request), behaviour_of(request)
        return answer(verification_view(target.status, target.message, behaviour), behaviour)

    async def health(self, request: Request) -> Response:
        """`POST …/targets/{id}/health`: sends a POST to the endpoint, without changing the status [S]."""
        target, behaviour = self._target(request), behaviour_of(request)
        check = event(HEALTH_CHECK, {"targetId": target.id}, self._organization_id)
        outcome = await self._outbound.post(target, check)
        status = HEALTHY if outcome.error is None else UNHEALTHY
        message = outcome.error or f"endpoint answered {outcome.status}"
        return answer(health_view(status, message, behaviour), behaviour)

    def _target(self, request: Request) -> StoredTarget:
        """The target in its current state."""
        return self._found(request, self._store.as_of(0))

    def _seen(self, request: Request) -> StoredTarget:
        """The target as a read shows it."""
        return self._found(request, self._store.as_of(behaviour_of(request).read_lag_seconds))

    def _found(self, request: Request, look: TableView[StoredTarget]) -> StoredTarget:
        target_id = id_of(request)
        if target_id in odd_entries(behaviour_of(request).odd_entries):
            raise ErrorResponse(403, f"The EventBridge target {target_id} belongs to somebody else.")
        target = look.get(target_id)
        if target is None:
            raise _not_found(target_id)
        return target

    def _remove(self, target_id: str) -> None:
        self._store.delete(target_id)
        self._verifier.stop(target_id)


def _accepted(sent: dict[str, Any], behaviour: Behaviour) -> tuple[dict[str, Any], Extras | None]:
    """The configuration in the body of a POST or PUT, and the fields unknown to the contract."""
    body = behaviour.stored(sent)
    config = checked_config(body)
    return config, unknown_fields(body) if behaviour.extra_fields else None


def _access(config: dict[str, Any]) -> tuple[Any, ...]:
    """The settings that decide whether the endpoint accepts events; changing one restarts the verification [C]."""
    headers = {name.lower(): value for name, value in config["headers"].items()}
    return config["endpointUrl"], config["authType"], config["authConfig"], headers


def _not_found(target_id: str) -> ErrorResponse:
    return ErrorResponse(404, f"There is no EventBridge target {target_id}.")


def _name_taken(name: str) -> ErrorResponse:
    return ErrorResponse(
        409, f"Another EventBridge target has the name {name}.", code="duplicate.name", entity_name=name
    )
