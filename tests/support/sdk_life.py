"""The life cycle of an integration through the official Python SDK, and the requests that clients send for it.

As a program, `python sdk_life.py run_life_cycle URL`, it prints how the SDK reads the responses. That way the SDK,
60 MB, is loaded into a separate process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from genesys_provider.emulator import EmulatorSettings
from genesys_provider.emulator.app import emulator_app
from genesys_provider.emulator.server import Server
from tests.support.engine import ROOT
from tests.support.recorder import Exchange, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

TYPE = "amazon-eventbridge-source"
NAME = "contact centre"
PROPERTIES = {
    "awsAccountId": "012345678901",
    "awsAccountRegion": "eu-central-1",
    "eventSourceSuffix": "contact-center",
    "eventFilter": ["v2.routing.queues.{id}.users", "v2.detail.events.conversation.{id}.acw"],
}


@contextmanager
def recorded(**settings: Any) -> Iterator[tuple[list[Exchange], str]]:
    """An emulator and its recorded exchanges with clients; the settings are those of `EmulatorSettings`."""
    recorder = Recorder(emulator_app(EmulatorSettings(rate_limit=0, **settings)))
    with Server(recorder, "127.0.0.1", 0) as server:
        yield recorder.exchanges, server.url


@dataclass(frozen=True)
class Sent:
    """A request, reduced to what two clients have in common that do the same work.

    Attributes:
        path: With `{id}` for the integration's id.
        query: Sorted and unescaped.
        body: The parsed JSON; None if there was none, or `null`.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any


def sent(exchanges: Iterable[Exchange], integration_id: str) -> list[Sent]:
    """The requests to the API, without the login; repeated reads count once."""
    requests = [
        Sent(
            each.method,
            each.path.replace(integration_id, "{id}"),
            tuple(sorted(parse_qsl(each.query, keep_blank_values=True))),
            json.loads(each.request_body) if each.request_body else None,
        )
        for each in exchanges
        if each.path.startswith("/api/")
    ]
    return [each for number, each in enumerate(requests) if not number or each != requests[number - 1]]


def by_sdk(work: str, url: str) -> dict[str, Any]:
    """The result of `run_life_cycle`, `read_catalog` or `read_odd_responses`, in a separate process."""
    result = subprocess.run(
        [sys.executable, "-m", __name__, work, url],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stderr
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def logged_in(url: str) -> tuple[Any, Any]:
    """The SDK, and a client that is logged in."""
    import PureCloudPlatformClientV2 as sdk  # noqa: N813

    return sdk, sdk.api_client.ApiClient(url).get_client_credentials_token("dev-client", "dev-secret")


def run_life_cycle(url: str) -> dict[str, Any]:
    """Lists, creates, configures, enables, waits, changes, disables and deletes; returns what the SDK read."""
    sdk, client = logged_in(url)
    read: dict[str, Any] = {}
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

    def configure(topics: Sequence[str], version: int) -> Any:
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


def read_catalog(url: str) -> dict[str, Any]:
    """What the SDK reads from the calls that only read, from an integration in `ERROR`, and from refusals."""
    sdk, client = logged_in(url)
    api = sdk.IntegrationsApi(client)
    entity = api.get_integrations(ids=["none", "neither"], reported_state="error", sort_by="name").entities
    schema = api.get_integrations_type_configschema(TYPE, "properties")
    topics = sdk.NotificationsApi(client).get_notifications_availabletopics(
        expand=["transports", "visibility", "permissionDetails"], include_preview=False
    )
    limits = sdk.OrganizationApi(client).get_organizations_limits_namespace("integrations")
    failed = api.get_integrations(reported_state="error").entities[0]
    read = {
        "none": entity,
        "types": [each.id for each in api.get_integrations_types(page_size=2, page_number=1).entities],
        "type": (api.get_integrations_type(TYPE).name, api.get_integrations_type(TYPE).max_instances),
        "schema": (schema.required, schema.schema),
        "credentials": api.get_integrations_credentials_listing(page_size="200").entities,
        "topics": {each.id: (each.transports, each.visibility) for each in topics.entities},
        "limits": [(each.namespace, each.value) for each in limits.entities],
        "failed": (
            failed.reported_state.detail.message,
            failed.intended_state,
            failed.config,
            failed.attributes,
        ),
    }

    def refused(call: Callable[[], Any]) -> tuple[int, str, list[str]] | None:
        try:
            call()
        except sdk.rest.ApiException as error:
            body = json.loads(error.body)
            return error.status, body["code"], [detail["fieldName"] for detail in body["details"]]
        return None

    refusals = (
        lambda: api.get_integration("none"),
        lambda: api.post_integrations(body=sdk.CreateIntegrationRequest()),
        lambda: api.put_integration_config_current(failed.id, body=sdk.IntegrationConfiguration()),
    )
    return {**read, "refused": [refused(each) for each in refusals]}


def read_odd_responses(url: str) -> dict[str, Any]:
    """How the SDK reads the odd responses of the emulator's faults, by the last parts of their paths."""
    sdk, client = logged_in(url)
    api = sdk.IntegrationsApi(client)

    def read(name: str) -> Any:
        try:
            seen = api.get_integration(name)
            state = getattr(seen, "reported_state", None)
            looked_at = (
                seen.intended_state,
                state and (state.code, state.last_updated and state.last_updated.year),
            )
        except Exception as error:  # noqa: BLE001 - its name is the result
            return type(error).__name__
        return [*looked_at, seen.attributes]

    with urllib.request.urlopen(f"{url}/emulator/faults") as answer:  # noqa: S310
        oddities = [each["match"]["path"].rpartition("/")[2] for each in json.load(answer)]
    return {name: read(name) for name in oddities}


if __name__ == "__main__":
    works = {each.__name__: each for each in (run_life_cycle, read_catalog, read_odd_responses)}
    print(json.dumps(works[sys.argv[1]](sys.argv[2])))  # noqa: T201 - its result
