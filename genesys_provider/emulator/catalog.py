"""What an organization can choose from: integration types, credentials, limits, notification topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from genesys_provider.emulator.answers import answer, behaviour_of, page_asked
from genesys_provider.emulator.errors import ErrorResponse
from genesys_provider.emulator.integration_types import NAMES, TYPES_PATH, VIEW, config_schema, type_view
from genesys_provider.emulator.integrations import MAX_PAGE_NUMBER, MAX_PAGE_SIZE, instances_limit
from genesys_provider.emulator.login import INTEGRATIONS_READ
from genesys_provider.emulator.paths import INTEGRATIONS_PATH
from genesys_provider.emulator.topics import topics

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from genesys_provider.emulator.login import Authorization

TOPICS_PATH = "/api/v2/notifications/availabletopics"
LIMITS_PATH = "/api/v2/organizations/limits/namespaces/integrations"
CREDENTIALS_PATH = f"{INTEGRATIONS_PATH}/credentials/listing"

MAX_CREDENTIALS = 200


class Catalog:
    """The read-only calls.

    Args:
        max_instances: The maximum number of integrations of the type `amazon-eventbridge-source`.
    """

    def __init__(self, max_instances: int) -> None:
        self._max_instances = max_instances

    def routes(self, login: Authorization) -> list[Route]:
        """Every call; topics and limits only need a token [G]."""
        needs: dict[str, Any] = {"permission": VIEW}
        return [
            Route(path, login.guarded(call, *scopes, **more), methods=["GET"])
            for path, call, scopes, more in (
                (TOPICS_PATH, self.topics, (), {}),
                (LIMITS_PATH, self.limits, (), {}),
                (TYPES_PATH, self.types, (INTEGRATIONS_READ,), needs),
                (TYPES_PATH + "/{typeId}", self.type, (INTEGRATIONS_READ,), needs),
                (
                    TYPES_PATH + "/{typeId}/configschemas/{configType}",
                    self.schema,
                    (INTEGRATIONS_READ,),
                    needs,
                ),
                (CREDENTIALS_PATH, self.credentials, (INTEGRATIONS_READ,), needs),
            )
        ]

    async def types(self, request: Request) -> Response:
        """`GET /integrations/types`: one page of the types."""
        page = page_asked(request, TYPES_PATH, (), max_size=MAX_PAGE_SIZE, max_number=MAX_PAGE_NUMBER)
        shown = [type_view(each, self._max_instances) for each in page.of(list(NAMES))]
        return page.answer(shown, len(NAMES), behaviour_of(request))

    async def type(self, request: Request) -> Response:
        """`GET /integrations/types/{typeId}`: one type."""
        return answer(type_view(_type_of(request), self._max_instances), behaviour_of(request))

    async def schema(self, request: Request) -> Response:
        """`GET …/configschemas/{configType}`: the schema of a type's configuration."""
        type_id, part = _type_of(request), request.path_params["configType"]
        if part not in {"properties", "advanced"}:
            raise ErrorResponse(404, f"There is no schema {part}.")
        return answer(config_schema(type_id, part), behaviour_of(request))

    async def credentials(self, request: Request) -> Response:
        """`GET /integrations/credentials/listing`: always empty."""
        page_asked(request, CREDENTIALS_PATH, (), max_size=MAX_CREDENTIALS)
        return answer({"entities": [], "selfUri": CREDENTIALS_PATH}, behaviour_of(request))

    async def limits(self, request: Request) -> Response:
        """`GET /organizations/limits/namespaces/integrations`: the maximum number of integrations."""
        return answer({"entities": [instances_limit(self._max_instances)]}, behaviour_of(request))

    async def topics(self, request: Request) -> Response:
        """`GET /notifications/availabletopics`: all topics, with the requested fields."""
        asked, preview = request.query_params.get("expand", ""), request.query_params.get("includePreview")
        found = topics(asked.split(","), preview=preview is None or preview.lower() != "false")
        return answer({"entities": found}, behaviour_of(request))


def _type_of(request: Request) -> str:
    type_id: str = request.path_params["typeId"]
    if type_id not in NAMES:
        raise ErrorResponse(404, f"There is no integration type {type_id}.")
    return type_id
