"""Programs with the worst input on the real engine: each fault is clear and on its property; no secret is shown.

The engine stops at the first resource with a fault, so each resource has its own preview.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.declared import Declared

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.engine import StackMaker

CANARY = "canary-b7e2"
RAW = """
from genesys_provider.resources.target_provider import EventBridgeTargetProvider

class Raw(pulumi.dynamic.Resource, module="genesys", name="EventBridgeTarget"):
    def __init__(self, name, /, **properties):
        usual = {"name": name, "endpointUrl": "https://127.0.0.1/", "eventTypes": ["A"]}
        super().__init__(EventBridgeTargetProvider(), name, {**usual, **properties})

secret = pulumi.Output.secret
"""

RESOURCES = {
    # The resource, and the properties with faults.
    "numbers": (
        (
            "Raw('numbers', retryPolicy={'maxRetries': float('nan'), 'initialDelaySeconds': float('inf')},"
            "verificationTimeout=1e300, headers={'x-pulumi-resource': 'mine', 'X': pulumi.StringAsset('y')})"
        ),
        {
            *("retryPolicy.initialDelaySeconds", "retryPolicy.maxRetries", "verificationTimeout"),
            *("headers.x-pulumi-resource", "headers.X"),
        },
    ),
    # A null counts as absent, so it is only a fault in a list.
    "keys": (
        (
            "Raw('keys', retryPolicy={'maxRetries': None}, headers={'X': None, 'Y': 1}, eventTypes=[None, 'A'], "
            "endpoint_url='https://127.0.0.1/', authConfig={'client_id': 'x'}, **{'a.b\"c': 1, 'ключ': 2})"
        ),
        {
            *("eventTypes[0]", "headers.Y", r'["a.b\"c"]', '["ключ"]'),
            *("authConfig.client_id", "endpoint_url"),
        },
    ),
    # The owner is always the URN, whatever a program says.
    "shapes": (
        (
            "Raw('shapes', authConfig=[1], retryPolicy='x', headers=['X'], eventTypes={'A': 1}, healthCheck='yes',"
            "owner=[{}], name='\U0001f600' * 101, endpointUrl='https://☃/')"
        ),
        {
            *("authConfig", "eventTypes", "headers", "healthCheck", "retryPolicy"),
            *("name", "endpointUrl"),
        },
    ),
    "secrets": (
        (
            f"Raw('secrets', authType='BASIC', authConfig={{'password': [secret({CANARY!r})]}}, "
            f"headers={{'X\\n': secret({CANARY!r}), 'Y': [secret({CANARY!r})]}})"
        ),
        {"authConfig.username", "authConfig.password", "headers.Y", r'headers["X\n"]'},
    ),
    "all-secret": (
        (
            f"Raw('all-secret', authType='JWT', authConfig=secret({CANARY!r}), headers=secret({CANARY!r}), "
            f"eventTypes=[secret({CANARY!r}), ''], name=secret([{CANARY!r}]), owner=secret({{'a': {CANARY!r}}}))"
        ),
        {"authConfig", "eventTypes[1]", "headers", "name"},
    ),
    "sync": (
        (
            "GatewaySync('sync', target_id='t', webhook_url='http://127.0.0.1/', revision=-1, "
            f"signing_secret='whsec_{CANARY}é')"
        ),
        {"revision", "signingSecret", "webhookUrl"},
    ),
    "rotating-sync": (
        (
            "GatewaySync('rotating-sync', target_id='t', webhook_url='https://127.0.0.1/', revision=1, "
            f"signing_secret=[{CANARY!r}, 'whsec_{CANARY}é', secret('')])"
        ),
        {"signingSecret[1]", "signingSecret[2]"},
    ),
    "secret-sync": (
        (
            f"GatewaySync('secret-sync', target_id=secret([{CANARY!r}]), webhook_url=secret({CANARY!r}), "
            f"revision=secret({CANARY!r}), signing_secret=secret({{'a': {CANARY!r}}}), required=secret({CANARY!r}))"
        ),
        {"revision", "signingSecret", "webhookUrl", "targetId", "required"},
    ),
}


QUICK = ("shapes", "all-secret", "secret-sync")


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=() if each in QUICK else pytest.mark.full_length) for each in RESOURCES],
)
def test_previews_of_bad_resources(cloud: Cloud, make_stack: StackMaker, name: str) -> None:
    declared = Declared(cloud, make_stack)
    line, wrong = RESOURCES[name]
    stack = declared.stack(declared.program(RAW, line))
    result = stack.preview("--diff")
    assert result.code != 0
    assert "Traceback" not in result.output
    assert CANARY not in result.output
    paths = re.findall(
        rf"error: \S+ resource '{name}': property (\S+) value .* has a problem: (?:must|is|the) ",
        result.output,
    )
    assert sorted(paths) == sorted(wrong), result.output
    assert cloud.requests() == []
