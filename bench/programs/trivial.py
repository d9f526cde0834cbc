"""`BENCH_COUNT` trivial resources with the inputs of the targets, of which `BENCH_CHANGED` differ."""

import os

import pulumi

from bench.trivial import Trivial

count, changed = int(os.environ["BENCH_COUNT"]), int(os.environ["BENCH_CHANGED"])
for number in range(count):
    name = f"{pulumi.get_stack()}-{number:04}"
    Trivial(
        name,
        {
            "name": name,
            "endpointUrl": f"{os.environ['BENCH_GATEWAY']}/v1/genesys/events/{name}",
            "eventTypes": ["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"],
            "authType": "BASIC",
            "authConfig": {
                "username": "genesys-relay",
                "password": pulumi.Output.secret("a password of the bench"),
            },
            "retryPolicy": {
                "maxRetries": 7 if number < changed else 5,
                "backoffStrategy": "EXPONENTIAL",
                "initialDelaySeconds": 2,
            },
            "headers": {"X-Source-System": "GenesysCloud"},
            "healthCheck": False,
            "owner": f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}",
        },
    )
