"""The examples for AWS, executed with Pulumi's own mocks, since there is no AWS for tests.

The mocks replace AWS and the engine. So these tests only cover the programs: their dependencies, their unknown
values in a preview, and their final values.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from genesys_provider.targets.signature import signing_key

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
RUNNER = """
import json, os, runpy, sys
import pulumi

PREVIEW = os.environ["PREVIEW"] == "yes"
SEEN = []


class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        SEEN.append({"type": args.typ, "name": args.name, "inputs": args.inputs})
        inputs = {name: value for name, value in args.inputs.items() if name != "__provider"}
        if PREVIEW:
            return "", inputs
        outs = {"arn": f"arn:{args.name}", "url": f"https://queue/{args.name}", **inputs}
        if args.typ.endswith(":EventBridgeSource"):
            outs |= {"eventSourceName": f"aws.partner/genesys.com/cloud/org/{inputs['eventSourceSuffix']}"}
            outs |= {"state": "ACTIVE"}
        if args.typ.endswith(":Api"):
            outs |= {"apiEndpoint": "https://gateway.example", "executionArn": "arn:api"}
        return f"{args.name}-id", outs

    def call(self, args):
        return {"accountId": "012345678901", "region": "eu-central-1", "id": "x"}


pulumi.runtime.set_mocks(Mocks(), project="contact-centre", stack="dev", preview=PREVIEW)
for key, value in json.loads(os.environ["CONFIG"]).items():
    pulumi.runtime.set_config(f"contact-centre:{key}", value)


@pulumi.runtime.test
def run():
    runpy.run_path("__main__.py")


run()

def shown(value):
    return "not known" if isinstance(value, pulumi.output.Unknown) else str(value)


print(json.dumps(SEEN, default=shown))
"""
NOT_KNOWN = "not known"
CONFIG = {
    "tokenUrl": "https://token.example/oauth/token",
    "tokenIssuer": "https://token.example",
    "clientId": "me",
    "clientSecret": "canary",
    "signingSecret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


def run(example: str, *, preview: bool) -> dict[tuple[str, str], dict[str, Any]]:
    """The inputs of each declared resource, by the last part of its type and its name."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        cwd=EXAMPLES / example,
        env={
            "PREVIEW": "yes" if preview else "no",
            "CONFIG": json.dumps(CONFIG),
            "PYTHONPATH": str(EXAMPLES.parent),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    return {(each["type"].rpartition(":")[2], each["name"]): each["inputs"] for each in seen}


def test_the_bus_has_the_name_of_the_source() -> None:
    made = run("aws-event-bus", preview=False)
    name = "aws.partner/genesys.com/cloud/org/contact-centre-dev"
    source = made["EventBridgeSource", "contact-centre"]
    assert (source["awsAccountId"], source["awsRegion"]) == ("012345678901", "eu-central-1")
    bus = made["EventBus", "contact-centre"]
    assert (bus["name"], bus["eventSourceName"]) == (name, name)
    assert made["EventRule", "all"]["eventBusName"] == name
    assert made["EventTarget", "all"]["eventBusName"] == name
    assert made["EventTarget", "all"]["arn"] == "arn:contact-centre"
    # `destroy` uses the reverse order.
    order = [kind for kind, _ in made]
    assert order.index("EventBridgeSource") < order.index("EventBus") < order.index("EventRule")
    assert order.index("EventRule") < order.index("EventTarget")


def test_a_preview_does_not_know_the_name_yet() -> None:
    made = run("aws-event-bus", preview=True)
    bus = made["EventBus", "contact-centre"]
    assert (bus["name"], bus["eventSourceName"]) == (NOT_KNOWN, NOT_KNOWN)
    assert made["EventRule", "all"]["eventBusName"] == NOT_KNOWN
    assert made["EventBridgeSource", "contact-centre"]["eventSourceSuffix"] == "contact-centre-dev"


def test_the_target_sends_to_the_gateway() -> None:
    made = run("aws-api-gateway", preview=False)
    assert (
        made["EventBridgeTarget", "conversations"]["endpointUrl"]
        == "https://gateway.example/v1/genesys/events"
    )
    sync = made["GatewaySync", "conversations"]
    assert sync["webhookUrl"] == "https://gateway.example/webhooks/genesys/targets"
    assert sync["targetId"] == "conversations-id"


def test_a_preview_does_not_know_the_gateway_yet() -> None:
    made = run("aws-api-gateway", preview=True)
    assert made["EventBridgeTarget", "conversations"]["endpointUrl"] == NOT_KNOWN
    assert made["GatewaySync", "conversations"]["webhookUrl"] == NOT_KNOWN


@pytest.mark.parametrize("secret", [CONFIG["signingSecret"], "whsec_bm90IHBhZGRlZA", "any other text"])
def test_the_gateways_function_accepts_what_the_provider_signs(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_SECRET", secret)
    handler = runpy.run_path(str(EXAMPLES / "aws-api-gateway" / "webhook.py"))["handler"]
    sent_at = datetime.now(timezone.utc)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(signing_key(secret)).sign("msg_1", sent_at, "{}"),
    }
    assert handler({"headers": headers, "body": "{}"}, None) == {"statusCode": 200}
    assert handler({"headers": headers, "body": "{ }"}, None) == {"statusCode": 401}
