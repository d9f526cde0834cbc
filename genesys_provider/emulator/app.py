"""Assembles the emulator: takes settings, returns an ASGI application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Match

from genesys_provider.emulator import contract
from genesys_provider.emulator.activation import Activation
from genesys_provider.emulator.behaviour import USUAL, Behaving, Behaviour
from genesys_provider.emulator.catalog import Catalog
from genesys_provider.emulator.control import Control
from genesys_provider.emulator.database import Database
from genesys_provider.emulator.deliveries import Deliveries
from genesys_provider.emulator.errors import ErrorResponse
from genesys_provider.emulator.faults import Faults
from genesys_provider.emulator.front import CONTROL_PREFIX, Front, RequestLog
from genesys_provider.emulator.held import HeldRequests
from genesys_provider.emulator.integration_store import INTEGRATIONS, IntegrationStore
from genesys_provider.emulator.integrations import Integrations
from genesys_provider.emulator.limits import RateLimiter
from genesys_provider.emulator.login import LOGIN_PATH, Authorization, OAuthClient
from genesys_provider.emulator.organization import SCHEMA as ORGANIZATION_SCHEMA
from genesys_provider.emulator.organization import OrganizationRoute, organization_id
from genesys_provider.emulator.outbound import ENDPOINT_SECONDS, Outbound
from genesys_provider.emulator.partner_events import SCHEMA as EVENTS_SCHEMA
from genesys_provider.emulator.partner_events import PartnerEvents
from genesys_provider.emulator.partner_sources import SCHEMA as SOURCES_SCHEMA
from genesys_provider.emulator.partner_sources import PartnerSources
from genesys_provider.emulator.pending_deletions import PendingDeletions
from genesys_provider.emulator.target_store import TARGETS, TargetStore
from genesys_provider.emulator.targets import Targets
from genesys_provider.emulator.tokens import SCHEMA as TOKENS_SCHEMA
from genesys_provider.emulator.tokens import Tokens
from genesys_provider.emulator.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp


_OPEN = (LOGIN_PATH, CONTROL_PREFIX, contract.OPENAPI_PATH)
"""The paths that need no login."""


@dataclass(frozen=True)
class EmulatorSettings:
    """The settings of an emulator.

    Attributes:
        client_id: The OAuth client that may log in.
        client_secret: The secret of `client_id`.
        verification_seconds: The minimum time for which a verification stays pending.
        activation_seconds: How long an integration takes to change its state.
        max_instances: The maximum number of integrations of the type `amazon-eventbridge-source`.
        rate_limit: Requests per minute for one token; 0 means no limit.
        state: The file that keeps the state over restarts; None keeps everything in memory.
        ca_file: A CA in PEM that is trusted for endpoints, in addition to the system's.
        endpoint_seconds: How long an endpoint may take to answer; after that a verification is `TIMEOUT`.
        organization_id: The organization's id; by default the one in `state`, or a new one.
        behaviour: The behaviour at the start and after each reset.
    """

    client_id: str = "dev-client"
    client_secret: str = field(default="dev-secret", repr=False)
    verification_seconds: float = 3.0
    activation_seconds: float = 3.0
    max_instances: int = 100
    rate_limit: int = 300
    state: Path | None = None
    ca_file: Path | None = None
    endpoint_seconds: float = ENDPOINT_SECONDS
    organization_id: str | None = None
    behaviour: Behaviour = USUAL


def emulator_app(settings: EmulatorSettings) -> ASGIApp:
    """The emulator as an ASGI application; it needs its lifespan, and `ClosableProtocol` to drop connections.

    Raises:
        StateFileError: The state file can't be used.
        OSError: The CA file can't be read.
    """
    outbound = Outbound(settings.ca_file, settings.endpoint_seconds)
    database = Database(
        settings.state,
        (TARGETS, INTEGRATIONS),
        (*TOKENS_SCHEMA, *ORGANIZATION_SCHEMA, *SOURCES_SCHEMA, *EVENTS_SCHEMA),
    )
    store, tokens, deletions = TargetStore(database), Tokens(database), PendingDeletions(database)
    organization = OrganizationRoute(organization_id(database, settings.organization_id))
    limit, log = RateLimiter(settings.rate_limit), RequestLog()
    faults, held = Faults(), HeldRequests()
    verifier = Verifier(store, outbound, organization.id, settings.verification_seconds)
    deliveries = Deliveries(store, outbound, organization.id)
    client = OAuthClient(settings.client_id, settings.client_secret)
    login = Authorization(client, tokens, limit)
    targets = Targets(store, verifier, outbound, deletions, organization.id)
    behaving = Behaving(settings.behaviour)
    integration_store, sources = IntegrationStore(database), PartnerSources(database, organization.id)
    activation = Activation(integration_store, sources, behaving, settings.activation_seconds)
    integrations = Integrations(integration_store, activation, sources, deletions, settings.max_instances)
    control = Control(
        database=database,
        store=store,
        tokens=tokens,
        client=client,
        limit=limit,
        log=log,
        faults=faults,
        held=held,
        verifier=verifier,
        deliveries=deliveries,
        behaving=behaving,
        integrations=integrations,
        activation=activation,
        sources=sources,
        partner_events=PartnerEvents(database, integration_store, sources),
    )

    async def http_error(request: Request, error: Exception) -> Response:
        """The router's own answers, 404 and 405. Which paths exist is only revealed after login."""
        assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's types know `Exception` only
        answer = ErrorResponse(error.status_code, error.detail, headers=_allowed(request, error))
        if not request.url.path.startswith(_OPEN):
            try:
                login.admit(request)
            except ErrorResponse as refused:
                answer = refused
        return answer.answer(request.state.correlation_id)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        verifier.resume()
        activation.resume()
        yield
        await deletions.close()
        await activation.close()
        await verifier.close()
        await deliveries.clear()
        await outbound.close()
        database.close()

    app = Starlette(
        routes=[
            *login.routes(),
            *organization.routes(login),
            *targets.routes(login),
            *Catalog(settings.max_instances).routes(login),
            *integrations.routes(login),
            *control.routes(),
            contract.route(),
        ],
        exception_handlers={ErrorResponse: _api_error, HTTPException: http_error, Exception: _bug},
        lifespan=lifespan,
    )
    # A path with an extra slash is a 404, like any unknown path.
    app.router.redirect_slashes = False
    return Front(app, log, faults, held, limit, behaving)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ErrorResponse)  # noqa: S101 - Starlette's types know `Exception` only
    return error.answer(request.state.correlation_id)


def _allowed(request: Request, error: HTTPException) -> Mapping[str, str] | None:
    """The headers of a 405, with the methods of all routes: Starlette only lists those of the first."""
    if error.status_code != 405:
        return error.headers
    routes = [each for each in request.app.routes if each.matches(request.scope)[0] is not Match.NONE]
    return {"Allow": ", ".join(sorted({method for each in routes for method in each.methods}))}


async def _bug(request: Request, _: Exception) -> Response:
    return ErrorResponse(500, "The emulator failed; its output tells why.").answer(
        request.state.correlation_id
    )
