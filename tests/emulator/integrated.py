"""Helpers that create, change and inspect integrations in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulator.emulated import Api
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import httpx

INTEGRATIONS = "/api/v2/integrations"
TYPE = "amazon-eventbridge-source"
PRESENCE = "v2.users.{id}.presence"
AS_USUAL = {"Emulator-As-Usual": "true"}


def properties(suffix: str = "orders", **fields: Any) -> dict[str, Any]:
    return {
        "awsAccountId": "012345678901",
        "awsAccountRegion": "us-east-1",
        "eventSourceSuffix": suffix,
        "eventFilter": [PRESENCE],
        **fields,
    }


def configuration(suffix: str = "orders", version: int = 1, **fields: Any) -> dict[str, Any]:
    given = {"name": suffix, "version": version, "notes": "", "advanced": {}, "credentials": {}}
    return {**given, "properties": properties(suffix), **fields}


def create(api: Api, name: str | None = "orders", kind: str = TYPE) -> dict[str, Any]:
    named = {} if name is None else {"name": name}
    answer = api.post(INTEGRATIONS, json={**named, "integrationType": {"id": kind}})
    assert answer.is_success, answer.text
    integration: dict[str, Any] = answer.json()
    return integration


def configure(api: Api, integration: dict[str, Any], **body: Any) -> httpx.Response:
    return api.put(f"{integration['selfUri']}/config/current", json=body)


def intend(api: Api, integration: dict[str, Any], state: str) -> httpx.Response:
    return api.patch(integration["selfUri"], json={"intendedState": state})


def shown(api: Api, integration: dict[str, Any]) -> dict[str, Any]:
    answer = api.get(integration["selfUri"], params={"expand": "config.current"}, headers=AS_USUAL)
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


def state(api: Api, integration: dict[str, Any]) -> tuple[str, str]:
    seen = shown(api, integration)
    return seen["intendedState"], seen["reportedState"]["code"]


def wait_for(api: Api, integration: dict[str, Any], code: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        seen = shown(api, integration)
        return seen if seen["reportedState"]["code"] == code else None

    return eventually(there)


def active(api: Api, suffix: str = "orders", **fields: Any) -> dict[str, Any]:
    """Creates an `ACTIVE` integration; `fields` are fields of its configuration."""
    integration = create(api, suffix)
    configure(api, integration, **configuration(suffix, **fields)).raise_for_status()
    intend(api, integration, "ENABLED").raise_for_status()
    return wait_for(api, integration, "ACTIVE")


def names(api: Api, **query: Any) -> list[str]:
    answer = api.get(INTEGRATIONS, params={"pageSize": 100, **query})
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["entities"]]


def sources(api: Api) -> dict[str, tuple[str, str, str]]:
    """Account, region and state of each partner event source, by its suffix."""
    return {
        each["name"].rpartition("/")[2]: (each["account"], each["region"], each["state"])
        for each in api.get("/emulator/partner-sources").json()
    }
