"""The calls of `/api/v2/integrations`, under the request's behaviour.

The contract's table lists the calls and their answers. The path of a single integration is routed last, since it
would match the path of the types too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from genesys_provider.emulator.answers import answer, behaviour_of, deleted, page_asked, replaced
from genesys_provider.emulator.behaviour import USUAL
from genesys_provider.emulator.bodies import checked, read_object
from genesys_provider.emulator.errors import BrokenRule, ErrorResponse
from genesys_provider.emulator.integration_store import (
    ACTIVATING,
    ACTIVE,
    DEACTIVATING,
    DELETED,
    DISABLED,
    ENABLED,
    INACTIVE,
)
from genesys_provider.emulator.integration_types import EVENTBRIDGE, NAMES, PROPERTIES
from genesys_provider.emulator.integration_views import EXPANDED, configuration_view, integration_view
from genesys_provider.emulator.judge import broken_rules_of_schema
from genesys_provider.emulator.login import INTEGRATIONS, INTEGRATIONS_READ
from genesys_provider.emulator.odd import odd_integrations
from genesys_provider.emulator.paths import INTEGRATIONS_PATH, id_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from genesys_provider.emulator.activation import Activation
    from genesys_provider.emulator.behaviour import Behaviour
    from genesys_provider.emulator.integration_store import IntegrationStore, StoredIntegration
    from genesys_provider.emulator.login import Authorization
    from genesys_provider.emulator.partner_sources import PartnerSources
    from genesys_provider.emulator.pending_deletions import PendingDeletions

MAX_PAGE_SIZE = MAX_PAGE_NUMBER = 999
MAX_IDS = 100
_FILTERS = ("ids", "integrationType", "reportedState", "credentialId", "expand")
_SOURCE = ("awsAccountId", "awsAccountRegion", "eventSourceSuffix")
"""The properties that must be unique in combination."""


@dataclass
class Integrations:
    """The calls for integrations.

    Attributes:
        max_instances: The maximum number of integrations of the type `amazon-eventbridge-source`.
    """

    store: IntegrationStore
    activation: Activation
    sources: PartnerSources
    deletions: PendingDeletions
    max_instances: int

    def routes(self, login: Authorization) -> list[Route]:
        """Every call, each behind the scope that it needs."""
        one = INTEGRATIONS_PATH + "/{id}"
        current = one + "/config/current"
        return [
            Route(
                path,
                login.guarded(
                    call,
                    INTEGRATIONS_READ if method == "GET" else INTEGRATIONS,
                    permission=f"integrations:integration:{right}",
                ),
                methods=[method],
            )
            for method, path, call, right in (
                ("POST", INTEGRATIONS_PATH, self.create, "add"),
                ("GET", INTEGRATIONS_PATH, self.page, "view"),
                ("GET", one, self.get, "view"),
                ("PATCH", one, self.intend, "edit"),
                ("DELETE", one, self.delete, "delete"),
                ("GET", current, self.configuration, "view"),
                ("PUT", current, self.configure, "edit"),
            )
        ]

    async def create(self, request: Request) -> Response:
        """`POST /integrations`: a new integration, disabled and not configured."""
        behaviour = behaviour_of(request)
        body = checked(behaviour.stored(await read_object(request)), "CreateIntegrationBody")
        kind = body["integrationType"]["id"]
        if kind not in NAMES:
            broken = [BrokenRule("integrationType.id", "is not an integration type")]
            raise ErrorResponse(400, "The body is not valid", code="invalid.body", broken=broken)
        siblings = [each for each in self.store.all() if each.type == kind]
        if kind == EVENTBRIDGE and sum(each.intended != DELETED for each in siblings) >= self.max_instances:
            raise self._too_many()
        integration_id = behaviour.new_id()
        self.store.add(
            integration_id,
            body.get("name") or _free_name(NAMES[kind], {each.name for each in siblings}),
            kind,
        )
        return self._shown(request, self._now(integration_id), behaviour.create_answer)

    async def page(self, request: Request) -> Response:
        """`GET /integrations`: one page of integrations, oldest first."""
        behaviour = behaviour_of(request)
        page = page_asked(
            request, INTEGRATIONS_PATH, _FILTERS, max_size=MAX_PAGE_SIZE, max_number=MAX_PAGE_NUMBER
        )
        filters = {} if behaviour.ignore_filters else page.query
        if len(filters.get("ids", "").split(",")) > MAX_IDS:
            broken = [BrokenRule("ids", f"must be at most {MAX_IDS} ids")]
            raise ErrorResponse(400, "The page request is not valid", broken=broken)
        odd = odd_integrations(0 if "ids" in filters else behaviour.odd_entries)
        there = {
            each.id: each
            for each in self.store.as_of(behaviour.read_lag_seconds).all()
            if _passes(each, filters)
        }
        listed = [(each_id, each.get("name")) for each_id, each in odd.items()]
        listed += [(each.id, each.name) for each in there.values()]
        expanded = _expanded(request)
        entities = [
            odd.get(each_id) or self._view(there[each_id], behaviour, expanded=expanded)
            for each_id, _ in page.of(behaviour.ordered(listed))
        ]
        return page.answer(entities, len(listed), behaviour)

    async def get(self, request: Request) -> Response:
        """`GET /integrations/{id}`: the integration."""
        behaviour = behaviour_of(request)
        odd = odd_integrations(behaviour.odd_entries).get(id_of(request))
        return answer(odd, behaviour) if odd else self._shown(request, self._seen(request))

    async def intend(self, request: Request) -> Response:
        """`PATCH /integrations/{id}`: begins the change to another intended state."""
        body = await read_object(request)
        before = self._there(request)
        intended = checked(body, "IntegrationBody")["intendedState"]
        if intended == ENABLED:
            if before.intended != ENABLED or before.code not in {ACTIVE, ACTIVATING}:
                self.activation.enable(before.id)
        elif intended == DISABLED:
            self._disable(before)
        elif intended == DELETED:
            self._delete_softly(before.id)
        elif before.intended == DELETED:
            self.store.move(before.id, DISABLED, INACTIVE)
        behaviour = behaviour_of(request)
        view = self._view(self._now(before.id), behaviour, expanded=_expanded(request))
        return replaced(view, ("id", "intendedState"), behaviour)

    async def delete(self, request: Request) -> Response:
        """`DELETE /integrations/{id}`: deletes it immediately in any state, and returns it [G]."""
        integration, behaviour = self._there(request), behaviour_of(request)
        if behaviour.soft_delete:
            if integration.intended == DELETED:
                raise _not_found(integration.id)
            self._delete_softly(integration.id)
        elif behaviour.delete_answer == 202:
            self.deletions.schedule(integration.id, self._remove)
        else:
            self._remove(integration.id)
        return deleted(self._view(integration, behaviour, expanded=False), 200, behaviour)

    async def configuration(self, request: Request) -> Response:
        """`GET /integrations/{id}/config/current`: the configuration."""
        behaviour = behaviour_of(request)
        return answer(configuration_view(self._seen(request), behaviour), behaviour)

    async def configure(self, request: Request) -> Response:
        """`PUT /integrations/{id}/config/current`: replaces the configuration, under the next version."""
        behaviour, sent = behaviour_of(request), await read_object(request)
        # Read after the whole body has arrived, since another PUT may have been served meanwhile.
        before = self._there(request)
        body = checked(behaviour.stored(sent), "IntegrationConfigurationBody")
        properties = body["properties"]
        if before.type == EVENTBRIDGE:
            self._judge(before.id, properties)
        if body["version"] != before.version:
            raise _stale(before, int(body["version"]), behaviour)
        if behaviour.extra_fields and before.version == 1:
            properties = {"deliveryMode": "STANDARD", **properties}
        kept = {name: body.get(name, {}) for name in ("advanced", "notes", "credentials")}
        self.store.configure(before.id, body["name"], {"properties": properties, **kept})
        another = behaviour.reactivates and properties != before.properties
        if before.intended == ENABLED and (another or before.code != ACTIVE):
            self.activation.enable(before.id)
        return replaced(configuration_view(self._now(before.id), behaviour), ("id", "version"), behaviour)

    def view_of(self, integration_id: str) -> dict[str, Any]:
        """The integration with its configuration, under the usual behaviour.

        Raises:
            ErrorResponse: 404 if there is none.
        """
        return self._view(self._now(integration_id), USUAL, expanded=True)

    def _judge(self, integration_id: str, properties: dict[str, Any]) -> None:
        broken = broken_rules_of_schema(PROPERTIES, properties, "properties")
        if not broken and any(
            all(each.properties.get(name) == properties[name] for name in _SOURCE)
            for each in self.store.all()
            if each.type == EVENTBRIDGE and each.id != integration_id and each.intended != DELETED
        ):
            reason = "is used by another integration with the same account and region"
            broken = [BrokenRule("properties.eventSourceSuffix", reason)]
        if broken:
            raise ErrorResponse(
                400, "The configuration is not valid", code="invalid.configuration", broken=broken
            )

    def _disable(self, before: StoredIntegration) -> None:
        if before.code == INACTIVE:
            self.store.move(before.id, DISABLED, INACTIVE)
        elif before.intended != DISABLED or before.code != DEACTIVATING:
            self.activation.disable(before.id)

    def _delete_softly(self, integration_id: str) -> None:
        self.store.move(integration_id, DELETED, INACTIVE)
        self.sources.leave(integration_id)

    def _remove(self, integration_id: str) -> None:
        self.store.delete(integration_id)
        self.sources.leave(integration_id)

    def _too_many(self) -> ErrorResponse:
        return ErrorResponse(
            409,
            f"The maximum of {self.max_instances} integrations of the type {EVENTBRIDGE} is reached.",
            code="max.instances",
            limit=instances_limit(self.max_instances),
        )

    def _there(self, request: Request) -> StoredIntegration:
        """The integration in its current state."""
        return self._found(request, 0)

    def _seen(self, request: Request) -> StoredIntegration:
        """The integration as a read shows it."""
        return self._found(request, behaviour_of(request).read_lag_seconds)

    def _found(self, request: Request, seconds_ago: float) -> StoredIntegration:
        integration_id = id_of(request)
        if integration_id in odd_integrations(behaviour_of(request).odd_entries):
            raise ErrorResponse(403, f"The integration {integration_id} belongs to somebody else.")
        integration = self.store.as_of(seconds_ago).get(integration_id)
        if integration is None:
            raise _not_found(integration_id)
        return integration

    def _now(self, integration_id: str) -> StoredIntegration:
        integration = self.store.get(integration_id)
        if integration is None:
            raise _not_found(integration_id)
        return integration

    def _view(
        self, integration: StoredIntegration, behaviour: Behaviour, *, expanded: bool
    ) -> dict[str, Any]:
        return integration_view(integration, behaviour, self.max_instances, expanded=expanded)

    def _shown(self, request: Request, integration: StoredIntegration, status: int = 200) -> Response:
        behaviour = behaviour_of(request)
        return answer(self._view(integration, behaviour, expanded=_expanded(request)), behaviour, status)


def instances_limit(max_instances: int) -> dict[str, Any]:
    """The limit for integrations of the type; its key is [C]."""
    return {"key": f"{EVENTBRIDGE}.max", "namespace": "integrations", "value": max_instances}


def _expanded(request: Request) -> bool:
    return EXPANDED in request.query_params.get("expand", "").split(",")


def _passes(integration: StoredIntegration, filters: Any) -> bool:
    return (
        ("ids" not in filters or integration.id in filters["ids"].split(","))
        and filters.get("integrationType", integration.type) == integration.type
        and filters.get("reportedState", integration.code).upper() == integration.code.upper()
        and "credentialId" not in filters
    )


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken, like in the console [G]; the form of the number is [C]."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free


def _stale(integration: StoredIntegration, version: int, behaviour: Behaviour) -> ErrorResponse:
    return ErrorResponse(
        behaviour.stale_answer,
        f"The version {version} of the configuration does not match the current version {integration.version}.",
        code="version.mismatch",
        entity_name=integration.name,
    )


def _not_found(integration_id: str) -> ErrorResponse:
    return ErrorResponse(404, f"There is no integration {integration_id}.")
