"""Any value can be marked as a secret in the program: a URL, a name, a header, an event type."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.cloud import PASSWORD, USERNAME
from tests.support.engine import SOURCE_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack
    from tests.support.process import Result

ENDPOINT = "canary-p4th-91c"
WEBHOOK = "canary-h00k-6d2"
NAME = "canary-n4me-3c7"
EVENT_TYPE = "CANARY_3VENT_8A1"
HEADER = 'canary-"hé&der"  <b52>'
SECRETS = (ENDPOINT, WEBHOOK, NAME, EVENT_TYPE, HEADER, PASSWORD)
VERBOSE = ("-v=11", "--logtostderr")


def in_all_encodings(secret: str) -> list[str]:
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
    ]


def assert_silent(texts: Iterable[str], secrets: Iterable[str] = SECRETS) -> None:
    """Checks that no text contains a secret in any encoding."""
    for number, text in enumerate(texts):
        for secret in secrets:
            for written in in_all_encodings(secret):
                where = text.find(written)
                assert where < 0, f"{written} in text {number}: …{text[max(0, where - 300) : where]}…"


def secret(value: object) -> str:
    return f"pulumi.Output.secret({value!r})"


def everything_secret(declared: Declared, cloud: Cloud, **arguments: str) -> str:
    return declared.program(
        declared.target(
            "orders",
            **{
                "endpoint_url": secret(cloud.endpoint(ENDPOINT)),
                "name": secret(NAME),
                "event_types": f"['CONVERSATION_STARTED', {secret(EVENT_TYPE)}]",
                "headers": f"{{'X-Key': {secret(HEADER)}, 'X-Source-System': 'GenesysCloud'}}",
                **arguments,
            },
        ),
        declared.sync(
            "orders", webhook_url=secret(f"{cloud.gateway.url}/hooks/{WEBHOOK}?team=7"), required="False"
        ),
    )


def test_secrets_appear_nowhere(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    """Even if the service repeats it in all encodings, or our own messages are about it."""
    stack = declared.stack(everything_secret(declared, cloud), host=host)
    said: list[str] = []

    def ran(result: Result, *words: str) -> str:
        said.append(result.output)
        shown = "\n".join(line for line in result.output.splitlines() if not line.startswith('{"time"'))
        for word in words:
            assert word in shown, shown
        return shown

    cloud.behave(f"/v1/genesys/events/{ENDPOINT}", status=503)
    ran(stack.up(*VERBOSE), "target '[secret]' ([secret]) is not verified, FAILED: endpoint answered 503")
    cloud.behave_as_usual()
    ran(stack.up(*VERBOSE), "" if host is None else "POST [secret]: HTTP 404")
    ran(stack.up("--diff", *VERBOSE))

    # The API, to which it was sent, does not know the webhook.
    told = " ".join(written for each in SECRETS if each != WEBHOOK for written in in_all_encodings(each))
    for status in (503, 400):
        body = {"message": told, "code": "some.code", "status": status}
        cloud.control("faults", match={"method": "PUT"}, action="status", status=status, body=body)
        stack.program(everything_secret(declared, cloud, retry_policy=f"RetryPolicy({status % 7})"))
        ran(stack.up("--diff", *VERBOSE), "[secret] [secret] [secret]")
        cloud.control("faults", "DELETE")
    target_id = stack.resources()["orders"]["id"]
    cloud.control(f"targets/{target_id}/status", status="FAILED", message=told)
    ran(stack.refresh("--diff", *VERBOSE), "" if host is None else "[secret] [secret] [secret]")
    cloud.requests()
    cloud.change(target_id, eventTypes=["CONVERSATION_STARTED", EVENT_TYPE, "OTHER"])
    ran(stack.refresh("--diff", *VERBOSE))
    ran(stack.preview("--diff", *VERBOSE))
    ran(stack.up(*VERBOSE))
    said.append(stack.stored())
    ran(stack.destroy("--diff", *VERBOSE))
    cloud.requests()
    assert cloud.targets() == {}
    assert_silent([*said, stack.stored(), cloud.audit_log.read_text()])


def outputs_of(stack: Stack, name: str) -> dict[str, Any]:
    outputs: dict[str, Any] = stack.resources()[name]["outputs"]
    return outputs


def programs(declared: Declared, cloud: Cloud) -> list[str]:
    """Programs with the same values in plain text, as secrets, and with other values as secrets."""

    def program(mark: str, suffix: str) -> str:
        def value(text: str) -> str:
            return mark.format(repr(text + suffix))

        return declared.program(
            declared.target(
                "orders",
                endpoint_url=value(cloud.endpoint(ENDPOINT)),
                headers=f"{{'X-Key': {value('canary-header-b52')}, 'X-Source-System': 'GenesysCloud'}}",
            ),
            declared.sync("orders", webhook_url=value(f"{cloud.webhook}?key={WEBHOOK}")),
        )

    return [
        program("{}", ""),
        program("pulumi.Output.secret({})", ""),
        program("pulumi.Output.secret({})", "-rotated"),
    ]


@pytest.mark.full_length
def test_a_value_that_becomes_a_secret_is_one_after_the_next_up(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    plain, marked, rotated = programs(declared, cloud)
    stack = declared.stack(plain, host=host)
    stack.must("up", "--yes", "--skip-preview")
    assert outputs_of(stack, "orders")["headers"]["X-Key"] == "canary-header-b52"

    stack.program(marked)
    cloud.requests()
    shown = stack.preview("--diff").output
    if host is not None:
        # The stock host shows the old inputs.
        assert_silent([shown])
    for line in ("~ secrets", '+ [0]: "endpointUrl"', '+ [1]: "headers.X-Key"', '+ [0]: "webhookUrl"'):
        assert line in shown, shown
    stack.must("up", "--yes", "--skip-preview")
    assert cloud.writes() == []
    assert "ciphertext" in outputs_of(stack, "orders")["headers"]["X-Key"]
    assert "ciphertext" in outputs_of(stack, "orders")["endpointUrl"]
    assert outputs_of(stack, "orders")["headers"]["X-Source-System"] == "GenesysCloud"
    assert "ciphertext" in outputs_of(stack, "orders-sync")["webhookUrl"]
    assert "3 unchanged" in stack.up().output

    stack.program(rotated)
    said = [stack.preview("--diff").output, stack.up("--diff").output, stack.refresh("--diff").output]
    assert host is None or "[secret] => [secret]" in said[0]
    assert_silent([*said, json.dumps(stack.export())], (ENDPOINT, WEBHOOK, "canary-header-b52"))


def as_an_earlier_version_wrote_it(stack: Stack) -> None:
    """Removes the lists of secrets from the state."""
    exported = json.loads(stack.must("stack", "export").output)
    for resource in exported["deployment"]["resources"]:
        for bag in ("inputs", "outputs"):
            resource.get(bag, {}).pop("secrets", None)
    stack.write("earlier.json", json.dumps(exported))
    stack.must("stack", "import", "--file", "earlier.json")


@pytest.mark.full_length
def test_a_value_that_becomes_a_secret_and_changes_hides_the_old_value(
    declared: Declared, cloud: Cloud
) -> None:
    """Also if an earlier version wrote the state without the lists of secrets."""
    plain, _, rotated = programs(declared, cloud)
    stack = declared.stack(plain)
    stack.must("up", "--yes", "--skip-preview")
    as_an_earlier_version_wrote_it(stack)
    assert "3 unchanged" in stack.up().output

    stack.program(rotated)
    said = [stack.preview("--diff").output, stack.up("--diff").output]
    assert "+ endpointUrl: [secret]" in "\n".join(" ".join(line.split()) for line in said[0].splitlines())
    assert_silent([*said, json.dumps(stack.export())], (ENDPOINT, WEBHOOK, "canary-header-b52"))


@pytest.mark.full_length
def test_an_old_state_with_secrets_needs_no_update(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    program = everything_secret(declared, cloud).replace(
        f"{cloud.gateway.url}/hooks/", f"{cloud.webhook}?key="
    )
    stack = declared.stack(program, host=host)
    stack.must("up", "--yes", "--skip-preview")
    as_an_earlier_version_wrote_it(stack)
    assert "3 unchanged" in stack.preview("--diff").output


@pytest.mark.full_length
def test_an_unknown_secret_is_not_shown_in_a_preview(declared: Declared) -> None:
    """It is a secret output of another resource."""
    program = declared.program(
        declared.target("orders"),
        declared.target("more", headers="{'X-Key': pulumi.Output.secret(orders.id)}"),
    )
    stack = declared.stack(program)
    previewed = stack.preview("--diff")
    assert previewed.code == 0, previewed.output
    stack.must("up", "--yes", "--skip-preview")
    assert "ciphertext" in outputs_of(stack, "more")["headers"]["X-Key"]
    assert "3 unchanged" in stack.up().output


@pytest.mark.full_length
def test_a_secret_that_is_a_common_word_keeps_messages_readable(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(
        declared.targets(
            ["orders"],
            headers=f"{{'X-Word': {secret('target')}, 'X-Other': {secret('events')}}}",
            auth=f"BasicAuth({USERNAME!r}, {PASSWORD!r})",
        )
    )
    stack.must("up", "--yes", "--skip-preview")
    target_id = stack.resources()["orders"]["id"]
    cloud.control(f"targets/{target_id}/status", status="FAILED", message="bad key target for targets")
    refreshed = stack.refresh().output
    assert (
        f"target 'orders' ({cloud.endpoint('orders')}) is FAILED: bad key [secret] for targets" in refreshed
    )


@pytest.mark.full_length
def test_a_source_shows_no_secret_either(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    """Neither in the event source's name, which contains the suffix, nor in the reason of its state."""
    secrets = ("canary-5uffix-8e1", "canary-n0tes-4d7", "v2.canary.topic", "998877665544")
    suffix, notes, topic, account = map(secret, secrets)
    source = declared.source(
        "orders", event_source_suffix=suffix, notes=notes, topics=f"[{topic}]", aws_account_id=account
    )
    stack = declared.stack(
        declared.program(source, "pulumi.export('bus', orders.event_source_name)"), host=host
    )
    said = [stack.up("--diff", *VERBOSE).output]
    assert stack.outputs()["bus"].endswith("/" + secrets[0])
    source_id = stack.resources()["orders"]["id"]
    cloud.control(f"integrations/{source_id}/state", code="ERROR", message=f"not {', '.join(secrets)}")
    said.append(stack.refresh("--diff", *VERBOSE).output)
    said.append(stack.preview("--diff", *VERBOSE).output)
    said.append(stack.up("--diff", *VERBOSE).output)
    said.append(stack.destroy("--diff", *VERBOSE).output)
    cloud.requests()
    assert cloud.integrations() == {}
    assert_silent([*said, stack.stored(), cloud.audit_log.read_text()], secrets)


@pytest.mark.full_length
def test_a_suffix_can_become_a_secret_by_a_transform(declared: Declared, cloud: Cloud) -> None:
    """The program's own list of secrets is created before the transform runs."""
    transform = (
        "def hidden(args):\n"
        f"    props = {{**args.props, 'eventSourceSuffix': {secret('canary-5uffix-8e1')}}}\n"
        "    return pulumi.ResourceTransformResult(props, args.opts)"
    )
    source = declared.source("orders", opts="pulumi.ResourceOptions(transforms=[hidden])")
    stack = declared.stack(declared.program(transform, source))
    said = [stack.up("--diff").output, stack.refresh("--diff").output]
    assert stack.recorded()[stack.urn("orders", type_=SOURCE_TYPE)]["eventSourceName"]
    assert_silent([*said, stack.stored()], ["canary-5uffix-8e1"])
