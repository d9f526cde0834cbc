"""Pulumi's resource options, with property names of the program or of the state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

SECRET = "1b47061264138c4ac30d75fd1eb44270"
PYTHON = (
    *(
        "endpoint_url",
        "retry_policy.max_retries",
        'retry_policy["initial_delay_seconds"]',
        'headers["X-Key"]',
    ),
    *("headers.max_retries", "event_types[0]", "auth.password", "health_check"),
)
STATE = (
    *("endpointUrl", "retryPolicy.maxRetries", 'retryPolicy["initialDelaySeconds"]', "headers.X-Key"),
    *('headers["max_retries"]', "eventTypes[0]", "authConfig.password", "healthCheck"),
)


def opts(**options: object) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"pulumi.ResourceOptions({given})"


def usual(**arguments: str) -> dict[str, str]:
    return {
        "auth": "BasicAuth('relay', 'canary-1')",
        "retry_policy": "RetryPolicy(5)",
        "headers": "{'X-Key': '1', 'max_retries': '1'}",
        "event_types": "['A', 'B']",
        **arguments,
    }


@pytest.mark.full_length
def test_ignore_changes_accepts_either_name(declared: Declared, cloud: Cloud) -> None:
    cloud.behave("/v1/genesys/events/orders", status=200)
    stack = declared.stack(declared.program(declared.target("orders", **usual())))
    assert stack.up().code == 0
    cloud.requests()
    changed = usual(
        auth="BasicAuth('relay', 'canary-2')",
        endpoint_url=repr(cloud.endpoint("elsewhere")),
        retry_policy="RetryPolicy(7, initial_delay_seconds=9)",
        headers="{'X-Key': '2', 'max_retries': '2'}",
        event_types="['C', 'B']",
        health_check="True",
    )
    for names in (PYTHON, STATE, ("*",)):
        stack.program(
            declared.program(declared.target("orders", **changed, opts=opts(ignore_changes=list(names))))
        )
        result = stack.up()
        assert result.code == 0, result.output
        assert "2 unchanged" in result.output
        assert "cannot ignore" not in result.output
    assert cloud.writes() == []
    # All but one.
    stack.program(
        declared.program(declared.target("orders", **changed, opts=opts(ignore_changes=list(PYTHON[1:]))))
    )
    preview = stack.preview("--diff")
    assert "endpointUrl" in preview.output
    assert "maxRetries: 5 => 7" not in preview.output
    assert "1 to update" in preview.output


@pytest.mark.full_length
def test_the_authentication_is_ignored_as_a_whole(declared: Declared, cloud: Cloud) -> None:
    """Its type and its fields belong together."""
    stack = declared.stack(declared.program(declared.target("orders")))
    assert stack.up().code == 0
    cloud.requests()
    ignored = opts(ignore_changes=["auth"])
    for auth in ("None", "JwtAuth(client_id='me')", "OAuth2Auth('a', 'b', 'https://127.0.0.1/token')"):
        stack.program(declared.program(declared.target("orders", auth=auth, opts=ignored)))
        result = stack.up()
        assert "2 unchanged" in result.output, result.output
    assert cloud.writes() == []


@pytest.mark.full_length
def test_additional_secret_outputs_accepts_either_name(declared: Declared, cloud: Cloud) -> None:
    lines = []
    for target, names in (
        ("orders", ["endpoint_url", "retry_policy"]),
        ("more", ["endpointUrl", "retryPolicy"]),
    ):
        lines += [
            declared.target(target, opts=opts(additional_secret_outputs=names)),
            f"pulumi.export('{target}-url', {target}.endpoint_url)",
            f"pulumi.export('{target}-name', {target}.name)",
        ]
    stack = declared.stack(declared.program(*lines))
    result = stack.up()
    assert result.code == 0, result.output
    assert cloud.endpoint("orders") not in result.output
    assert len(re.findall(r"-url\s+: \[secret\]", result.output)) == 2
    for target in ("orders", "more"):
        outputs = stack.resources()[target]["outputs"]
        secret = {
            name for name, value in outputs.items() if isinstance(value, dict) and SECRET in value.values()
        }
        assert secret == {"endpointUrl", "retryPolicy"}
        assert stack.outputs()[f"{target}-url"] == cloud.endpoint(target)
    assert "3 unchanged" in stack.up().output


@pytest.mark.full_length
@pytest.mark.parametrize(
    ("names", "arguments"),
    [
        (["retry_policy.max_retries"], {"retry_policy": "RetryPolicy(7)"}),
        (['headers["X-Key"]'], {"headers": "{'X-Key': '2', 'max_retries': '1'}"}),
        (["event_types[*]", "auth"], {"event_types": "['A', 'C']"}),
        (["auth"], {"auth": "None"}),
    ],
)
def test_replace_on_changes_accepts_either_name(
    declared: Declared, cloud: Cloud, names: list[str], arguments: dict[str, str]
) -> None:
    cloud.behave("/v1/genesys/events/orders", status=200)
    options = opts(replace_on_changes=names)
    stack = declared.stack(declared.program(declared.target("orders", **usual(), opts=options)))
    assert stack.up().code == 0
    before = stack.resources()["orders"]["id"]
    # Other changes do not cause a replacement.
    other = usual(name="'other'")
    stack.program(declared.program(declared.target("orders", **other, opts=options)))
    assert "1 updated" in stack.up().output
    stack.program(declared.program(declared.target("orders", **{**other, **arguments}, opts=options)))
    result = stack.up()
    assert "1 replaced" in result.output, result.output
    after = stack.resources()["orders"]["id"]
    assert after != before
    cloud.requests()
    assert [each["id"] for each in cloud.targets().values()] == [after]


def test_an_unknown_name_ends_the_program_with_one_sentence(declared: Declared, cloud: Cloud) -> None:
    options = ("ignore_changes", "replace_on_changes", "additional_secret_outputs", "hide_diffs")
    declarations = [
        line
        for option in options
        for line in (
            declared.target("orders", opts=opts(**{option: ["endpont_url"]})),
            declared.sync("orders", target_id="'t'", revision="1", opts=opts(**{option: ["endpont_url"]})),
        )
    ]
    declarations.append(
        declared.source("s", opts=opts(deleted_with="pulumi.ComponentResource('a:b:C', 'c')"))
    )
    ended = [
        f"try: {line}\nexcept pulumi.RunError as error: pulumi.error(str(error))" for line in declarations
    ]
    stack = declared.stack(declared.program(*ended[:-1], declarations[-1]))
    result = stack.preview()
    assert result.code != 0
    assert "Traceback" not in result.output
    assert "error: EventBridgeSource 's': remove the option deleted_with" in result.output
    for option in options:
        for resource in ("EventBridgeTarget 'orders'", "GatewaySync 'orders-sync'"):
            assert re.search(
                rf"error: {resource}: the option {option} names 'endpont_url', which is not a property "
                r"of it\. Its properties are [a-z_]+, ",
                result.output,
            ), result.output
    assert cloud.requests() == []


@pytest.mark.full_length
def test_options_that_are_shared_or_come_from_transformations(declared: Declared, cloud: Cloud) -> None:
    """One object for several resources; a transformation and a transform, which use the names of the state."""
    stack = declared.stack(
        declared.program(
            "def all_of_it(args):",
            "    merged = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=['name']))",
            "    return pulumi.ResourceTransformationResult(args.props, merged)",
            "async def later(args):",
            "    if args.custom: args.opts.ignore_changes = [*(args.opts.ignore_changes or []), 'healthCheck']",
            "    return pulumi.ResourceTransformResult(args.props, args.opts)",
            "shared = pulumi.ResourceOptions(ignore_changes=['endpoint_url'], transformations=[all_of_it], "
            "transforms=[later])",
            declared.target("orders", opts="shared"),
            declared.target("more", opts="shared"),
            "assert shared.ignore_changes == ['endpoint_url']",
        )
    )
    assert stack.up().code == 0
    cloud.requests()
    program = (stack.directory / "__main__.py").read_text()
    program = re.sub(r"(/events/)(orders|more)'", r"\1elsewhere', name='another', health_check=True", program)
    stack.program(program)
    result = stack.up()
    assert "3 unchanged" in result.output, result.output
    assert cloud.writes() == []
