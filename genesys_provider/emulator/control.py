"""The control plane: what a test does to the emulator, without login.

| call | does |
|---|---|
| `GET /emulator/health` | 200 as soon as the emulator serves |
| `POST /emulator/reset` | as if freshly started: nothing is left, but tokens stay valid |
| `GET`, `POST /emulator/behaviour` | what is unlike the usual (see the module `behaviour`); `{}`: nothing |
| `GET`, `DELETE /emulator/requests` | the log of requests to login and API, oldest first |
| `POST /emulator/events` | `{"eventType", "eventBody"}`: delivers an event; 202 after every first attempt |
| `GET /emulator/deliveries` | every delivery with its attempts |
| `GET`, `POST`, `DELETE /emulator/faults` | faults that wait (see the module `faults`) |
| `GET`, `DELETE /emulator/held` | the requests that a fault lets wait now; they go on at once |
| `POST /emulator/targets/{id}/status` | `{"status", "message"}`: forces a state for good |
| `POST /emulator/tokens/revoke` | every token issued so far gives 401 |
| `POST /emulator/scopes` | `{"scopes": […]}`: what the tokens issued from now on may do |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genesys_provider.emulator.behaviour import Behaviour
from genesys_provider.emulator.bodies import read_object
from genesys_provider.emulator.errors import ApiError, broken_rules
from genesys_provider.emulator.faults import Fault, Faults
from genesys_provider.emulator.login import ALL_SCOPES, OAuthClient
from genesys_provider.emulator.paths import target_id_of
from genesys_provider.emulator.views import target_view

if TYPE_CHECKING:
    from starlette.requests import Request

    from genesys_provider.emulator.behaviour import Behaving
    from genesys_provider.emulator.deliveries import Deliveries
    from genesys_provider.emulator.front import RequestLog
    from genesys_provider.emulator.held import HeldRequests
    from genesys_provider.emulator.limits import RateLimit
    from genesys_provider.emulator.store import Store
    from genesys_provider.emulator.verifier import Verifier

Body = TypeVar("Body", bound=BaseModel)


class EventBody(BaseModel):
    """An event that happens in the emulated organisation."""

    model_config = ConfigDict(extra="forbid")

    event_type: str = Field(alias="eventType", min_length=1)
    event_body: Any = Field(alias="eventBody", default_factory=dict)


class StatusBody(BaseModel):
    """A state to force on a target."""

    model_config = ConfigDict(extra="forbid")

    status: str = Field(min_length=1)
    message: str | None = None


class ScopesBody(BaseModel):
    """What the OAuth client may do."""

    model_config = ConfigDict(extra="forbid")

    scopes: frozenset[str]


@dataclass
class Control:
    """The calls of the control plane, and the parts of the emulator that they reach into."""

    store: Store
    client: OAuthClient
    limit: RateLimit
    log: RequestLog
    faults: Faults
    held: HeldRequests
    verifier: Verifier
    deliveries: Deliveries
    behaving: Behaving

    def routes(self) -> list[Route]:
        """Every call, under `/emulator`."""
        return [
            Route("/emulator" + path, call, methods=[method])
            for method, path, call in (
                ("GET", "/health", self.health),
                ("POST", "/reset", self.reset),
                ("GET", "/behaviour", self.show_behaviour),
                ("POST", "/behaviour", self.behave),
                ("GET", "/requests", self.requests),
                ("DELETE", "/requests", self.forget_requests),
                ("POST", "/events", self.publish),
                ("GET", "/deliveries", self.list_deliveries),
                ("GET", "/faults", self.list_faults),
                ("POST", "/faults", self.add_fault),
                ("DELETE", "/faults", self.remove_faults),
                ("GET", "/held", self.list_held),
                ("DELETE", "/held", self.release_held),
                ("POST", "/targets/{id}/status", self.force_status),
                ("POST", "/tokens/revoke", self.revoke_tokens),
                ("POST", "/scopes", self.set_scopes),
            )
        ]

    async def health(self, _: Request) -> Response:
        """200: the emulator serves."""
        return JSONResponse({"status": "ok"})

    async def reset(self, _: Request) -> Response:
        """Begin anew. Tokens stay: a client that runs on should not have to log in again."""
        self.store.clear_targets()
        await self.verifier.close()
        await self.deliveries.clear()
        self.faults.clear()
        self.held.release()
        self.log.clear()
        self.limit.reset()
        self.client.scopes = ALL_SCOPES
        self.behaving.reset()
        return Response(status_code=204)

    async def show_behaviour(self, _: Request) -> Response:
        """The behaviour now, with every key."""
        return JSONResponse(self.behaving.now.model_dump(mode="json", by_alias=True))

    async def behave(self, request: Request) -> Response:
        """Another behaviour, in place of the one before."""
        self.behaving.now = await _checked(request, Behaviour)
        return await self.show_behaviour(request)

    async def requests(self, _: Request) -> Response:
        """The log."""
        return JSONResponse(self.log.all())

    async def forget_requests(self, _: Request) -> Response:
        """Empty the log."""
        self.log.clear()
        return Response(status_code=204)

    async def publish(self, request: Request) -> Response:
        """An event happens."""
        body = await _checked(request, EventBody)
        deliveries = await self.deliveries.publish(body.event_type, body.event_body)
        return JSONResponse({"deliveries": deliveries}, 202)

    async def list_deliveries(self, _: Request) -> Response:
        """What became of the events."""
        return JSONResponse(self.deliveries.all())

    async def list_faults(self, _: Request) -> Response:
        """The faults that still wait."""
        return JSONResponse([fault.model_dump() for fault in self.faults.all()])

    async def add_fault(self, request: Request) -> Response:
        """One more thing that goes wrong."""
        fault = await _checked(request, Fault)
        self.faults.add(fault)
        return JSONResponse(fault.model_dump(), 201)

    async def remove_faults(self, _: Request) -> Response:
        """Nothing goes wrong any more."""
        self.faults.clear()
        return Response(status_code=204)

    async def list_held(self, _: Request) -> Response:
        """The requests that wait."""
        return JSONResponse(self.held.all())

    async def release_held(self, _: Request) -> Response:
        """No request waits any longer; what else its fault does is done."""
        self.held.release()
        return Response(status_code=204)

    async def force_status(self, request: Request) -> Response:
        """Drift, or a verification that is slow or fails."""
        target_id = target_id_of(request)
        body = await _checked(request, StatusBody)
        if not self.store.force(target_id, body.status, body.message):
            raise ApiError(404, f"There is no EventBridge target {target_id}.")
        self.verifier.stop(target_id)
        target = self.store.get(target_id)
        return JSONResponse(None if target is None else target_view(target))

    async def revoke_tokens(self, _: Request) -> Response:
        """Every token issued so far gives 401."""
        self.store.revoke_tokens()
        return Response(status_code=204)

    async def set_scopes(self, request: Request) -> Response:
        """The OAuth client gains or loses scopes; tokens that it has keep theirs."""
        self.client.scopes = (await _checked(request, ScopesBody)).scopes
        return JSONResponse({"scopes": sorted(self.client.scopes)})


async def _checked(request: Request, model: type[Body]) -> Body:
    # An explicit null is an absent value.
    given = {name: value for name, value in (await read_object(request)).items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ApiError(400, "The body is not valid", broken=broken_rules(error)) from error
