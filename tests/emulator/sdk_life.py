"""The life of one integration, as the official Python SDK leads it; the SDK is imported where it is used alone.

Run as a program, `python sdk_life.py URL CLIENT_ID CLIENT_SECRET`, it prints what the SDK made of the answers.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPE = "amazon-eventbridge-source"
NAME = "contact centre"
PROPERTIES = {
    "awsAccountId": "012345678901",
    "awsAccountRegion": "eu-central-1",
    "eventSourceSuffix": "contact-center",
    "eventFilter": ["v2.routing.queues.{id}.users", "v2.detail.events.conversation.{id}.acw"],
}


@dataclass(frozen=True)
class Sent:
    """A request as it was sent: what two clients that do the same work have in common.

    Attributes:
        path: Without the integration's id, which is `{id}`.
        query: In order, unescaped.
        body: What JSON it was; None where there was none, or `null`.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any


def sent(exchanges: Iterable[Any], integration_id: str) -> list[Sent]:
    """The requests to the API among the exchanges of a `recorder.Recorder`, the login left out."""
    return [
        Sent(
            each.method,
            each.path.replace(integration_id, "{id}"),
            tuple(sorted(parse_qsl(each.query, keep_blank_values=True))),
            json.loads(each.request_body) if each.request_body else None,
        )
        for each in exchanges
        if each.path.startswith("/api/")
    ]


def lead(url: str, client_id: str, client_secret: str) -> dict[str, Any]:
    """Look, create, configure, enable, wait, change, disable, delete; what the SDK read of each answer."""
    import PureCloudPlatformClientV2 as sdk  # noqa: N813 - 60 MB

    read: dict[str, Any] = {}
    client = sdk.api_client.ApiClient(url).get_client_credentials_token(client_id, client_secret)
    api = sdk.IntegrationsApi(client)

    organization = sdk.OrganizationApi(client).get_organizations_me()
    read["organization"] = (organization.id, organization.state)
    kind = {"integration_type": TYPE, "expand": ["config.current"], "page_size": 100}
    read["before"] = [each.name for each in api.get_integrations(**kind).entities]

    wanted = sdk.CreateIntegrationRequest()
    wanted.name = NAME
    wanted.integration_type = sdk.IntegrationType()
    wanted.integration_type.id = TYPE
    made = api.post_integrations(body=wanted)
    read["created"] = (made.name, made.integration_type.id, made.intended_state, made.reported_state.code)

    def configure(topics: list[str], version: int) -> Any:
        configuration = sdk.IntegrationConfiguration()
        configuration.name, configuration.version, configuration.notes = NAME, version, "ours"
        configuration.properties = {**PROPERTIES, "eventFilter": topics}
        configuration.advanced, configuration.credentials = {}, {}
        return api.put_integration_config_current(made.id, body=configuration)

    def intend(state: str) -> Any:
        integration = sdk.Integration()
        integration.intended_state = state
        return api.patch_integration(made.id, body=integration)

    def wait_for(code: str) -> Any:
        while (seen := api.get_integration(made.id)).reported_state.code != code:
            time.sleep(0.05)
        return seen

    read["configured"] = configure(PROPERTIES["eventFilter"][:1], 1).version
    read["enabled"] = (
        intend("ENABLED").intended_state,
        wait_for("ACTIVE").reported_state.last_updated.tzname(),
    )
    current = api.get_integration_config_current(made.id)
    read["current"] = (current.name, current.version, current.notes, current.properties, current.advanced)
    read["changed"] = configure(PROPERTIES["eventFilter"], current.version).version
    wait_for("ACTIVE")
    read["listed"] = [
        (each.name, each.config.current.properties, each.reported_state.code)
        for each in api.get_integrations(**kind).entities
    ]
    read["disabled"] = (intend("DISABLED").intended_state, wait_for("INACTIVE").intended_state)
    read["deleted"] = api.delete_integration(made.id).id == made.id
    try:
        api.get_integration(made.id)
    except sdk.rest.ApiException as error:
        read["gone"] = (error.status, json.loads(error.body)["code"])
    return {"id": made.id, **read}


if __name__ == "__main__":
    print(json.dumps(lead(*sys.argv[1:])))  # noqa: T201 - that is what it is for
