"""The control plane: how a test steers the emulator, without login.

| call | effect |
|---|---|
| `GET /emulator/health` | 200 as soon as the emulator serves |
| `POST /emulator/reset` | returns to the state of a fresh start, except that tokens stay valid |
| `GET`, `POST /emulator/behaviour` | the deviations from the usual (see the module `behaviour`); `{}`: none |
| `GET`, `DELETE /emulator/requests` | the log of requests to the login and the API, oldest first |
| `POST /emulator/events` | `{"eventType", "eventBody"}`: delivers an event; 202 after all first attempts |
| `GET /emulator/deliveries` | every delivery to a target, with its attempts |
| `GET /emulator/partner-events` | every event to a partner event source; `status` tells whether it was lost |
| `GET /emulator/partner-sources` | the partner event source of each integration that became active |
| `POST`, `DELETE /emulator/partner-sources/{name}/associate` | creates or deletes an event bus of this name |
| `GET`, `POST`, `DELETE /emulator/faults` | the pending faults (see the module `faults`) |
| `GET`, `DELETE /emulator/held` | the requests that a fault is holding; DELETE releases them |
| `POST /emulator/targets/{id}/status` | `{"status", "message"}`: forces a status permanently |
| `POST /emulator/integrations/{id}/state` | `{"code", "message"}`: forces a state until another is requested |
| `POST /emulator/tokens/revoke` | makes every token issued so far invalid (401) |
| `POST /emulator/scopes` | `{"scopes": […]}`: sets the scopes of tokens issued from now on |
| `POST /emulator/client-secret` | `{"clientSecret"}`: rotates the client's secret; tokens stay valid |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genesys_provider.emulator.behaviour import Behaviour
from genesys_provider.emulator.bodies import read_object
from genesys_provider.emulator.errors import ErrorResponse, broken_rules
from genesys_provider.emulator.faults import Faults, InjectedFault
from genesys_provider.emulator.login import OAuthClient
from genesys_provider.emulator.paths import id_of
from genesys_provider.emulator.views import target_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from genesys_provider.emulator.activation import Activation
    from genesys_provider.emulator.behaviour import Behaving
    from genesys_provider.emulator.database import Database
    from genesys_provider.emulator.deliveries import Deliveries
    from genesys_provider.emulator.front import RequestLog
    from genesys_provider.emulator.held import HeldRequests
    from genesys_provider.emulator.integrations import Integrations
    from genesys_provider.emulator.limits import RateLimiter
    from genesys_provider.emulator.partner_events import PartnerEvents
    from genesys_provider.emulator.partner_sources import PartnerSource, PartnerSources
    from genesys_provider.emulator.target_store import TargetStore
    from genesys_provider.emulator.tokens import Tokens
    from genesys_provider.emulator.verifier import Verifier

Body = TypeVar("Body", bound=BaseModel)


class EventBody(BaseModel):
    """An event in the emulated organization."""

    model_config = ConfigDict(extra="forbid")

    event_type: str = Field(alias="eventType", min_length=1)
    event_body: Any = Field(alias="eventBody", default_factory=dict)


class StatusBody(BaseModel):
    """A state to force on a target."""

    model_config = ConfigDict(extra="forbid")

    status: str = Field(min_length=1)
    message: str | None = None


class StateBody(BaseModel):
    """A state to force on an integration."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1)
    message: str | None = None


class ScopesBody(BaseModel):
    """The scopes of the OAuth client."""

    model_config = ConfigDict(extra="forbid")

    scopes: frozenset[str]


class SecretBody(BaseModel):
    """The OAuth client's new secret."""

    model_config = ConfigDict(extra="forbid")

    client_secret: str = Field(alias="clientSecret", min_length=1)


@dataclass
class Control:
    """The calls of the control plane, and the parts of the emulator that they control."""

    database: Database
    store: TargetStore
    tokens: Tokens
    client: OAuthClient
    limit: RateLimiter
    log: RequestLog
    faults: Faults
    held: HeldRequests
    verifier: Verifier
    deliveries: Deliveries
    behaving: Behaving
    integrations: Integrations
    activation: Activation
    sources: PartnerSources
    partner_events: PartnerEvents

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
                ("GET", "/partner-events", self.list_partner_events),
                ("GET", "/partner-sources", self.list_partner_sources),
                ("POST", "/partner-sources/{name:path}/associate", self.associate),
                ("DELETE", "/partner-sources/{name:path}/associate", self.dissociate),
                ("POST", "/integrations/{id}/state", self.force_state),
                ("GET", "/faults", self.list_faults),
                ("POST", "/faults", self.add_fault),
                ("DELETE", "/faults", self.remove_faults),
                ("GET", "/held", self.list_held),
                ("DELETE", "/held", self.release_held),
                ("POST", "/targets/{id}/status", self.force_status),
                ("POST", "/tokens/revoke", self.revoke_tokens),
                ("POST", "/scopes", self.set_scopes),
                ("POST", "/client-secret", self.rotate_secret),
            )
        ]

    async def health(self, _: Request) -> Response:
        """200: the emulator serves."""
        return JSONResponse({"status": "ok"})

    async def reset(self, _: Request) -> Response:
        """Reset everything except tokens, so that running clients need not log in again."""
        self.database.clear()
        self.sources.clear()
        self.partner_events.clear()
        await self.activation.close()
        await self.verifier.close()
        await self.deliveries.clear()
        self.faults.clear()
        self.held.release()
        self.log.clear()
        self.limit.reset()
        self.client.reset()
        self.behaving.reset()
        return Response(status_code=204)

    async def show_behaviour(self, _: Request) -> Response:
        """The current behaviour, with all keys."""
        return JSONResponse(self.behaving.now.model_dump(mode="json", by_alias=True))

    async def behave(self, request: Request) -> Response:
        """Replace the behaviour."""
        self.behaving.now = await _checked(request, Behaviour)
        return await self.show_behaviour(request)

    async def requests(self, _: Request) -> Response:
        """The request log."""
        return JSONResponse(self.log.all())

    async def forget_requests(self, _: Request) -> Response:
        """Clear the request log."""
        self.log.clear()
        return Response(status_code=204)

    async def publish(self, request: Request) -> Response:
        """Deliver an event."""
        body = await _checked(request, EventBody)
        deliveries = await self.deliveries.publish(body.event_type, body.event_body)
        partner_events = self.partner_events.publish(body.event_type, body.event_body)
        return JSONResponse({"deliveries": deliveries, "partnerEvents": partner_events}, 202)

    async def list_deliveries(self, _: Request) -> Response:
        """Every delivery to a target."""
        return JSONResponse(self.deliveries.all())

    async def list_partner_events(self, _: Request) -> Response:
        """Every event to a partner event source."""
        return JSONResponse(self.partner_events.all())

    async def list_partner_sources(self, _: Request) -> Response:
        """Every partner event source, including deleted ones."""
        return JSONResponse([each.view() for each in self.sources.all()])

    async def associate(self, request: Request) -> Response:
        """Do what creating the event bus of this name does in AWS."""
        return _associated(request, self.sources.associate)

    async def dissociate(self, request: Request) -> Response:
        """Do what deleting the event bus of this name does in AWS."""
        return _associated(request, self.sources.dissociate)

    async def force_state(self, request: Request) -> Response:
        """Force the state of an integration: slow, failed, or drifted."""
        integration_id = id_of(request)
        body = await _checked(request, StateBody)
        if not self.activation.force(integration_id, body.code, body.message):
            raise ErrorResponse(404, f"There is no integration {integration_id}.")
        return JSONResponse(self.integrations.view_of(integration_id))

    async def list_faults(self, _: Request) -> Response:
        """The pending faults."""
        return JSONResponse([fault.model_dump() for fault in self.faults.all()])

    async def add_fault(self, request: Request) -> Response:
        """Add a fault."""
        fault = await _checked(request, InjectedFault)
        self.faults.add(fault)
        return JSONResponse(fault.model_dump(), 201)

    async def remove_faults(self, _: Request) -> Response:
        """Remove all faults."""
        self.faults.clear()
        return Response(status_code=204)

    async def list_held(self, _: Request) -> Response:
        """The requests that are being held."""
        return JSONResponse(self.held.all())

    async def release_held(self, _: Request) -> Response:
        """Release all held requests; each continues with the rest of its fault."""
        self.held.release()
        return Response(status_code=204)

    async def force_status(self, request: Request) -> Response:
        """Force the status of a target: drift, or a slow or failed verification."""
        target_id = id_of(request)
        body = await _checked(request, StatusBody)
        if not self.store.force(target_id, body.status, body.message):
            raise ErrorResponse(404, f"There is no EventBridge target {target_id}.")
        self.verifier.stop(target_id)
        target = self.store.get(target_id)
        return JSONResponse(None if target is None else target_view(target))

    async def revoke_tokens(self, _: Request) -> Response:
        """Make every token issued so far invalid."""
        self.tokens.revoke()
        return Response(status_code=204)

    async def set_scopes(self, request: Request) -> Response:
        """Change the scopes of the OAuth client; existing tokens keep theirs."""
        self.client.scopes = (await _checked(request, ScopesBody)).scopes
        return JSONResponse({"scopes": sorted(self.client.scopes)})

    async def rotate_secret(self, request: Request) -> Response:
        """Change the secret of the OAuth client; existing tokens stay valid."""
        self.client.client_secret = (await _checked(request, SecretBody)).client_secret
        return Response(status_code=204)


def _associated(request: Request, change: Callable[[str], list[PartnerSource]]) -> Response:
    name = unquote(request.path_params["name"])
    if not (changed := change(name)):
        raise ErrorResponse(404, f"There is no partner event source {name}.")
    return JSONResponse([each.view() for each in changed])


async def _checked(request: Request, model: type[Body]) -> Body:
    # An explicit null counts as absent.
    given = {name: value for name, value in (await read_object(request)).items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ErrorResponse(400, "The body is not valid", broken=broken_rules(error)) from error
