"""Arguments of the wrong type end the program with a message for each of them, which shows no value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

CANARY = "canary-b7e2"
LIST = "it must be a list of texts, such as ['CONVERSATION_STARTED']"
DICT = "it must be a dict of texts, such as {'X-Source-System': 'GenesysCloud'}"
AUTH = "it must be BasicAuth(…), OAuth2Auth(…) or JwtAuth(…), whose fields may be outputs"
POLICY = "it must be RetryPolicy(max_retries=…, backoff_strategy=…, initial_delay_seconds=…), whose fields"
TEXT = "it must be text, or an output that is text"
NUMBER = "it must be a number, or an output that is one"

TARGET = {
    "auth": {
        f"{{'username': 'x', 'password': {CANARY!r}}}": f"auth is a dict; {AUTH}",
        "BasicAuth": f"auth is the class BasicAuth; {AUTH}",
        "'NONE'": f"auth is a str; {AUTH}",
        f"pulumi.Output.secret({CANARY!r})": f"auth is an Output; {AUTH}",
        f"BasicAuth('x', b{CANARY!r})": f"auth.password is a bytes; {TEXT}",
    },
    "retry_policy": {
        "{'max_retries': 3}": f"retry_policy is a dict; {POLICY}",
        "3": f"retry_policy is an int; {POLICY}",
        "RetryPolicy('3')": f"retry_policy.max_retries is a str; {NUMBER}",
        "RetryPolicy(backoff_strategy=2)": f"retry_policy.backoff_strategy is an int; {TEXT}",
    },
    "event_types": {
        "{'A', 'B'}": f"event_types is a set; {LIST}",
        "'A'": f"event_types is a str; {LIST}",
        "None": f"event_types is None; {LIST}",
        "(each for each in 'AB')": f"event_types is a generator; {LIST}",
        "{'A': True}": f"event_types is a dict; {LIST}",
        "['A', 5]": f"event_types[1] is an int; {TEXT}",
    },
    "headers": {
        f"[('X-Key', {CANARY!r})]": f"headers is a list; {DICT}",
        f"'X-Key: {CANARY}'": f"headers is a str; {DICT}",
        "{'X-Key': 5}": f"headers['X-Key'] is an int; {TEXT}",
        "{5: 'x'}": "a key of headers is an int; it must be text",
    },
    "endpoint_url": {
        "None": f"endpoint_url is None; {TEXT}",
        "['https://a.example']": f"endpoint_url is a list; {TEXT}",
        "pulumi.ComponentResource('a:b:C', 'gateway')": f"endpoint_url is a ComponentResource; {TEXT}",
    },
    "name": {"5": f"name is an int; {TEXT}"},
    "verification_timeout": {
        "'60'": "verification_timeout is a str; it must be seconds: a number",
        "True": "verification_timeout is a bool; it must be seconds: a number",
        "__import__('datetime').timedelta(minutes=1)": "verification_timeout is a timedelta; it must be seconds",
    },
    "health_check": {"'yes'": "health_check is a str; it must be True or False"},
    "opts": {"{'protect': True}": "opts is a dict; it must be pulumi.ResourceOptions(…)"},
}
SYNC = {
    "target_id": {
        "EventBridgeTarget('t', endpoint_url='https://a.example', event_types=['A'])": (
            "target_id is an EventBridgeTarget; it must be the target's id: write the target's `.id`"
        ),
    },
    "revision": {
        "'1'": "revision is a str; it must be a number: write the target's `.revision`",
        "None": "revision is None; it must be a number",
    },
    "webhook_url": {"5": f"webhook_url is an int; {TEXT}"},
    "signing_secret": {
        f"b{CANARY!r}": (
            "signing_secret is a bytes; it must be text, a list of texts, or an output that is one of them"
        )
    },
    "required": {"'no'": "required is a str; it must be True or False, or an output that is one of them"},
    "opts": {"5": "opts is an int; it must be pulumi.ResourceOptions(…)"},
}


def test_each_wrong_type_has_its_message(declared: Declared, cloud: Cloud) -> None:
    """In one program, since each takes a second to start."""
    lines = [
        "sentences = []",
        "def told(declare):",
        "    try: declare()",
        "    except pulumi.RunError as error: sentences.append(str(error))",
    ]
    expected = []
    for argument, cases in TARGET.items():
        for value, said in cases.items():
            line = declared.target("orders", **{argument: value}).removeprefix("orders = ")
            lines.append(f"told(lambda: {line})")
            expected.append(f"EventBridgeTarget 'orders': {said}")
    for argument, cases in SYNC.items():
        for value, said in cases.items():
            sync = declared.sync("orders", **{"target_id": "'t'", "revision": "1", argument: value})
            lines.append(f"told(lambda: {sync})")
            expected.append(f"GatewaySync 'orders-sync': {said}")
    for line, said in (
        (
            "EventBridgeTarget(5, endpoint_url='', event_types=[])",
            "EventBridgeTarget: resource_name is an int",
        ),
        (
            "EventBridgeTarget('', endpoint_url='', event_types=[])",
            "EventBridgeTarget: resource_name is a str; it",
        ),
        (
            "EventBridgeTarget.get('x', None)",
            "EventBridgeTarget 'x': id is None; it must be the target's id: text",
        ),
    ):
        lines.append(f"told(lambda: {line})")
        expected.append(said)
    lines += ["import json, pathlib", "pathlib.Path('told.json').write_text(json.dumps(sentences))"]
    stack = declared.stack(declared.program(*lines))
    result = stack.preview()
    assert result.code == 0, result.output
    told = json.loads((stack.directory / "told.json").read_text())
    for line, beginning in zip(told, expected, strict=True):
        assert line.startswith(beginning)
        assert CANARY not in line
    assert cloud.requests() == []


def test_the_program_reports_all_of_them(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(
        declared.program(declared.target("orders", auth=f"{{'password': {CANARY!r}}}", event_types="{'A'}"))
    )
    for result in (stack.preview(), stack.up()):
        assert result.code != 0
        assert "Traceback" not in result.output
        assert CANARY not in result.output
        assert f"EventBridgeTarget 'orders': auth is a dict; {AUTH}." in result.output
        assert f"EventBridgeTarget 'orders': event_types is a set; {LIST}." in result.output
    assert cloud.requests() == []


def test_outputs_and_awaitables_are_accepted(declared: Declared, cloud: Cloud) -> None:
    """And other types of lists, numbers and texts."""
    stack = declared.stack(
        declared.program(
            "import enum",
            "class Type(str, enum.Enum):\n    A = 'A'",
            "async def later(value): return value",
            "known = pulumi.Output.from_input",
            declared.target(
                "orders",
                name="later('orders')",
                endpoint_url=f"known({cloud.endpoint('orders')!r})",
                event_types="(Type.A, known('B'))",
                auth="BasicAuth(known('genesys-relay'), later('canary-password-7c1'))",
                retry_policy="RetryPolicy(known(3), 'LINEAR', later(2))",
                headers="{'X-A': known('1'), 'X-B': later('2'), 'X-C': None}",
                verification_timeout="known(30.5)",
                health_check="known(True)",
            ),
            declared.target(
                "more", event_types="known(['A'])", headers="known({'X': '1'})", auth="JwtAuth()"
            ),
            declared.sync("orders", required="known(False)", signing_secret="None"),
        )
    )
    cloud.behave("/v1/genesys/events/more", status=200)
    result = stack.up()
    assert result.code == 0, result.output
    inputs = stack.resources()["orders"]["inputs"]
    assert inputs["eventTypes"] == ["A", "B"]
    assert inputs["headers"] == {"X-A": "1", "X-B": "2"}
    assert inputs["retryPolicy"]["maxRetries"] == 3
