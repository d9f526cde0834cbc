"""The code that Pulumi prints after an import can be pasted, as far as the host's schema decides it.

The generator itself is in the official Python language host. `PRINTED` is what the same generator made of this
schema, called directly from the Go module that has it (pulumi/pkg 3.274.1).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.engine import OWN_HOST

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"
PRINTED = """\
import pulumi
import genesys_provider as pulumi_python

orders = pulumi_python.EventBridgeTarget("orders",
    endpoint_url="{url}",
    event_types=[
        "CONVERSATION_STARTED",
        "QUEUE_MEMBER_ADDED",
    ],
    headers={{
        "X-Source": "a",
    }},
    name="orders",
    opts = pulumi.ResourceOptions(protect=True))
"""


def test_the_schema_names_our_package_and_the_arguments(declared: Declared) -> None:
    stack = declared.stack("")
    shown = stack.must("package", "get-schema", str(OWN_HOST / "pulumi-resource-pulumi-python")).output
    schema = json.loads(shown[shown.index("{") :])
    assert schema["language"]["python"] == {
        "packageName": "genesys_provider",
        "moduleNameOverrides": {"dynamic/genesys": ""},
    }
    assert sorted(schema["resources"][TYPE]["inputProperties"]) == [
        "endpointUrl",
        "eventTypes",
        "headers",
        "name",
    ]


@pytest.mark.full_length
def test_the_printed_code_matches_the_import(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.targets(["orders"], headers="{'X-Source': 'a'}"))
    stack.must("up", "--yes", "--skip-preview")
    orders = stack.resources()["orders"]
    stack.must("state", "delete", orders["urn"], "--yes")

    imported = stack.import_(TYPE, "orders", orders["id"])
    assert imported.code == 0, imported.output
    stack.program(PRINTED.format(url=cloud.endpoint("orders")))
    preview = stack.preview("--diff")
    assert preview.code == 0, preview.output
    # Only `auth` must be written manually, since the API does not return its secrets.
    assert '"BASIC" => "NONE"' in preview.output, preview.output
    for pasted in ("endpointUrl", "eventTypes", "headers", "retryPolicy", " name "):
        assert pasted not in preview.output
