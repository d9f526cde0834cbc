"""A provider as a beginner with dynamic providers would write it: a login, a POST and a loop for each target."""

from __future__ import annotations

import os
import time
from typing import Any

import httpx
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class PlainProvider(ResourceProvider):
    """Creates targets, on the stock host."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """POST, then GET …/verify every 5 s, at most 15 times."""
        with httpx.Client(base_url=os.environ["GENESYSCLOUD_API_URL"]) as client:
            login = client.post(
                "/oauth/token", auth=("dev-client", "dev-secret"), data={"grant_type": "client_credentials"}
            )
            client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
            body = {name: value for name, value in props.items() if name != "__provider"}
            target = (
                client.post("/api/v2/integrations/eventbridge/targets", json=body).raise_for_status().json()
            )
            for _ in range(15):
                time.sleep(5)
                if client.get(target["selfUri"] + "/verify").json()["status"] == "VERIFIED":
                    return CreateResult(target["id"], {**props, "status": "VERIFIED"})
        raise TimeoutError(f"{props['name']} is not verified")


class Plain(Resource, name="Plain"):
    """A target of the plain provider."""

    def __init__(self, resource_name: str, properties: dict[str, Any]) -> None:
        super().__init__(PlainProvider(), resource_name, properties)
