"""`BENCH_COUNT` targets, of which `BENCH_CHANGED` have another retry policy."""

import os

import pulumi

from genesys_provider import BasicAuth, EventBridgeTarget, RetryPolicy

count, changed = int(os.environ["BENCH_COUNT"]), int(os.environ["BENCH_CHANGED"])
for number in range(count):
    name = f"{pulumi.get_stack()}-{number:04}"
    EventBridgeTarget(
        name,
        endpoint_url=f"{os.environ['BENCH_GATEWAY']}/v1/genesys/events/{name}",
        event_types=["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"],
        auth=BasicAuth("genesys-relay", "a password of the bench"),
        retry_policy=RetryPolicy(max_retries=7 if number < changed else 5),
        headers={"X-Source-System": "GenesysCloud"},
    )
