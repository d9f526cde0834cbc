"""The source document's way: one target after another, each with a POST and a poll every 5 s."""

from __future__ import annotations

import time

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.settings import Settings

POLL_SECONDS = 5.0


def create_one_after_another(settings: Settings, gateway: str, count: int) -> float:
    """Creates `count` targets, and returns the seconds that it took."""
    client = GenesysClient(settings)
    started = time.monotonic()
    for number in range(count):
        name = f"target-{number:04}"
        target = client.create_target(
            {
                "name": name,
                "endpointUrl": f"{gateway}/v1/genesys/events/{name}",
                "authType": "NONE",
                "authConfig": {},
                "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
                "eventTypes": ["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"],
            }
        )
        status = target["status"]
        while status != "VERIFIED":
            time.sleep(POLL_SECONDS)
            status = client.get_verification(target["id"])["status"]
    seconds = time.monotonic() - started
    client.close()
    return seconds
