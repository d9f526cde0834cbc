"""The emulator and the gateway for tests, on real sockets, and changes that somebody makes by hand."""

from __future__ import annotations

import base64
import os
import re
import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpx

from genesys_provider.emulator import (
    Behaviour,
    EmulatorServer,
    EmulatorSettings,
    GatewayServer,
    GatewaySettings,
)

if TYPE_CHECKING:
    from typing_extensions import Self

TARGETS = "/api/v2/integrations/eventbridge/targets"
INTEGRATIONS = "/api/v2/integrations"
TOPICS = "/api/v2/notifications/availabletopics"
ORGANIZATION = "/api/v2/organizations/me"
OWNER_HEADER = "X-Pulumi-Resource"
USERNAME = "genesys-relay"
PASSWORD = "canary-password-7c1"
BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
"""User name and password, as HTTP Basic sends them."""
SIGNING_SECRET = "canary-signing-3f9"
SECRET_HEADER = "canary-header-b52"
CLIENT_SECRET = "canary-client-e08"
BEHAVIOUR = Behaviour.model_validate_json(os.environ.get("GENESYS_TEST_BEHAVIOUR", "{}"))
"""Unusual behaviour of every organization in a session, from its start and after each reset, so that all tests can
run under it. Manual changes, and reads by which a test checks the truth, are served as usual."""
CANARIES = (PASSWORD, SIGNING_SECRET, SECRET_HEADER, CLIENT_SECRET)


def reaching(emulator: EmulatorServer, ca_file: Path) -> dict[str, str]:
    """The environment in which a process uses an emulator, and trusts the gateway of this CA."""
    return {
        "GENESYSCLOUD_API_URL": emulator.url,
        "GENESYSCLOUD_LOGIN_URL": emulator.url,
        "GENESYSCLOUD_OAUTHCLIENT_ID": "dev-client",
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": CLIENT_SECRET,
        "GENESYSCLOUD_CA_FILE": str(ca_file),
    }


class Cloud:
    """An organization and the gateway in front of its event bus, or that of the organization `beside` it."""

    gateway: GatewayServer

    def __init__(self, directory: Path, *, beside: Cloud | None = None, **settings: Any) -> None:
        self.directory = directory
        self._beside = beside
        self.audit_log = directory / "audit" / "audit.jsonl"
        self._stack = ExitStack()
        self.gateway: GatewayServer
        self._settings = {
            "verification_seconds": 0.2,
            "activation_seconds": 0.2,
            "rate_limit": 0,
            "behaviour": BEHAVIOUR,
            **settings,
        }

    def __enter__(self) -> Self:
        self.gateway = self._beside.gateway if self._beside else self._stack.enter_context(self.new_gateway())
        self.emulator = self._stack.enter_context(
            EmulatorServer(
                EmulatorSettings(ca_file=self.gateway.ca_file, client_secret=CLIENT_SECRET, **self._settings)
            )
        )
        trusted = ssl.create_default_context(cafile=str(self.gateway.ca_file))
        self._at_gateway = self._stack.enter_context(httpx.Client(base_url=self.gateway.url, verify=trusted))
        self._at_emulator = self._stack.enter_context(httpx.Client(base_url=self.emulator.url))
        self._token: str | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def new_gateway(self) -> GatewayServer:
        """A new gateway; all gateways of an organization have the same certificate."""
        return GatewayServer(
            GatewaySettings(
                self.directory / "certificates",
                username=USERNAME,
                password=PASSWORD,
                signing_secret=SIGNING_SECRET,
            )
        )

    @property
    def organization(self) -> str:
        """The organization's id."""
        answer = self._call("GET", ORGANIZATION)
        answer.raise_for_status()
        organization: str = answer.json()["id"]
        return organization

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to reach this organization."""
        return {
            **reaching(self.emulator, self.gateway.ca_file),
            "GENESYSCLOUD_AUDIT_LOG": str(self.audit_log),
        }

    # Requests at the emulator.

    def requests(self) -> list[str]:
        """The requests since the last call, such as `GET /{id}/verify 200`, without the prefix of targets.

        An unusual status of a write, due to the behaviour of the session, is shown as the usual one, such as 201.
        """
        log = self._at_emulator.get("/emulator/requests").json()
        self._at_emulator.delete("/emulator/requests")
        return [
            f"{method} {path} {_usual_status(method, path, each['status'])}"
            for each in log
            for method, path in [(each["method"], each["path"].removeprefix(TARGETS) or "/")]
        ]

    def writes(self) -> list[str]:
        """The requests since the last call that changed something: the method and the status."""
        return [
            f"{each.partition(' ')[0]} {each.rpartition(' ')[2]}"
            for each in self.requests()
            if not each.startswith("GET ") and " /oauth/token " not in each
        ]

    # Changes and reads by somebody else.

    def api(self, method: str, path: str = "", *, as_usual: bool = True, **request: Any) -> httpx.Response:
        """A call of the API by somebody other than the provider; it is not in `requests`.

        It is served as usual, or, without `as_usual`, with the unusual behaviour.
        """
        return self._call(method, TARGETS + _escaped(path), as_usual=as_usual, **request)

    @property
    def token(self) -> str:
        """The token of somebody other than the provider."""
        if self._token is None:
            login = self._at_emulator.post(
                "/oauth/token", auth=("dev-client", CLIENT_SECRET), data={"grant_type": "client_credentials"}
            )
            self._token = str(login.json()["access_token"])
        return self._token

    def _call(self, method: str, path: str, *, as_usual: bool = True, **request: Any) -> httpx.Response:
        token = self.token
        seen = self._at_emulator.get("/emulator/requests").json()
        assert not seen or seen[-1]["path"] == "/oauth/token", "call requests() first"
        answer = self._at_emulator.request(
            method,
            path,
            headers={
                "Authorization": f"Bearer {token}",
                **({"Emulator-As-Usual": "true"} if as_usual else {}),
            },
            **request,
        )
        self._at_emulator.delete("/emulator/requests")
        return answer

    def targets(self) -> dict[str, dict[str, Any]]:
        """All targets by name; fails if two have the same name."""
        entities = self.api("GET", "?pageSize=100").json()["entities"]
        by_name = {each["name"]: each for each in entities}
        assert len(by_name) == len(entities)
        return by_name

    def living(self) -> dict[str, str]:
        """The ids of all targets by name; clears the requests so far."""
        self.requests()
        return {name: each["id"] for name, each in self.targets().items()}

    def marks(self) -> dict[str, str | None]:
        """The owner marks of all targets by name; clears the requests so far."""
        self.requests()
        return {name: mark(each) for name, each in self.targets().items()}

    def configuration(self, target_id: str) -> dict[str, Any]:
        """A target, as the body of a PUT."""
        entity = self.api("GET", f"/{target_id}").json()
        kept = ("name", "endpointUrl", "authType", "retryPolicy", "headers", "eventTypes")
        auth = {"username": USERNAME, "password": PASSWORD} if entity["authType"] == "BASIC" else {}
        return {**{name: entity[name] for name in kept}, "authConfig": auth}

    def change(self, target_id: str, **fields: Any) -> None:
        """Changes a target by hand."""
        answer = self.api("PUT", f"/{target_id}", json={**self.configuration(target_id), **fields})
        answer.raise_for_status()

    def integrations(self) -> dict[str, dict[str, Any]]:
        """All Amazon EventBridge sources by name, with their configuration; fails if two have the same name."""
        query = "?integrationType=amazon-eventbridge-source&expand=config.current&pageSize=100"
        entities = self._call("GET", f"{INTEGRATIONS}{query}").json()["entities"]
        by_name = {each["name"]: each for each in entities}
        assert len(by_name) == len(entities)
        return by_name

    def configure(
        self, integration_id: str, *, properties: dict[str, Any] | None = None, **fields: Any
    ) -> None:
        """Changes the configuration of a source by hand."""
        path = f"{INTEGRATIONS}/{integration_id}/config/current"
        now = self._call("GET", path).json()
        body = {**now, **fields, "properties": {**now["properties"], **(properties or {})}}
        self._call("PUT", path, json=body).raise_for_status()

    def intend(self, integration_id: str, state: str) -> None:
        """Enables or disables a source by hand."""
        body = {"intendedState": state}
        self._call("PATCH", f"{INTEGRATIONS}/{integration_id}", json=body).raise_for_status()

    def remove(self, integration_id: str) -> None:
        """Deletes a source by hand."""
        self._call("DELETE", f"{INTEGRATIONS}/{integration_id}").raise_for_status()

    def set_behaviour(self, **behaviour: Any) -> None:
        """Sets the behaviour of the service until the next reset."""
        self._at_emulator.post("/emulator/behaviour", json=behaviour).raise_for_status()

    def control(self, path: str, method: str = "POST", /, **body: Any) -> Any:
        """Calls the emulator's control plane."""
        answer = self._at_emulator.request(method, f"/emulator/{_escaped(path)}", json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    # The gateway.

    def endpoint(self, name: str) -> str:
        """The event endpoint with this name."""
        return f"{self.gateway.url}/v1/genesys/events/{name}"

    @property
    def webhook(self) -> str:
        return f"{self.gateway.url}/webhooks/genesys/targets"

    def behave(self, path: str, **behaviour: Any) -> None:
        """Changes the response of an endpoint of the gateway."""
        self._at_gateway.post("/behaviour", json={"path": path, **behaviour}).raise_for_status()

    def behave_as_usual(self) -> None:
        self._at_gateway.delete("/behaviour").raise_for_status()

    def received(self) -> dict[str, list[dict[str, Any]]]:
        """The events and syncs that the gateway accepted."""
        taken: dict[str, list[dict[str, Any]]] = self._at_gateway.get("/received").json()
        return taken

    def received_at(self, gateway: GatewayServer) -> dict[str, list[dict[str, Any]]]:
        """The events and syncs that another gateway of this organization accepted."""
        trusted = ssl.create_default_context(cafile=str(self.gateway.ca_file))
        taken: dict[str, list[dict[str, Any]]] = httpx.get(f"{gateway.url}/received", verify=trusted).json()
        return taken

    def told(self) -> list[tuple[str, str]]:
        """The syncs that the gateway accepted: `UPDATED` or `DELETED`, and the target's id."""
        return [
            (each["body"]["eventType"].rpartition("_")[2], each["body"]["targetId"])
            for each in self.received()["syncs"]
        ]


def _usual_status(method: str, path: str, status: int | None) -> int | None:
    usual = {
        ("POST", "/"): (BEHAVIOUR.create_answer, 201),
        ("DELETE", path): (BEHAVIOUR.delete_answer, 204),
        ("PUT", path): (204 if BEHAVIOUR.put_answer == "none" else 200, 200),
    }
    answered, as_usual = usual.get((method, path), (None, None))
    return as_usual if status is not None and status == answered else status


def _escaped(path: str) -> str:
    """The path with its id percent-encoded, since an id may contain any character."""
    found = re.fullmatch(r"(/|targets/)(.+?)(/verify|/health|/status|)", path, re.DOTALL)
    return path if found is None else f"{found[1]}{quote(found[2], safe='')}{found[3]}"


def mark(entity: dict[str, Any]) -> str | None:
    """The owner mark of a target in a response; None if it has none."""
    value = entity["headers"].get(OWNER_HEADER)
    return None if value is None else unquote(value)
