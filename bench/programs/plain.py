"""`BENCH_COUNT` targets as a plain dynamic provider makes them."""

import os

from bench.plain import Plain

for number in range(int(os.environ["BENCH_COUNT"])):
    name = f"target-{number:04}"
    Plain(
        name,
        {
            "name": name,
            "endpointUrl": f"{os.environ['BENCH_GATEWAY']}/v1/genesys/events/{name}",
            "eventTypes": ["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"],
            "authType": "NONE",
            "authConfig": {},
            "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        },
    )
