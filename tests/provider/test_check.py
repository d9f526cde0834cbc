"""All errors are reported together at their properties, before any request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import CLIENT_SECRET, PASSWORD

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared


def test_six_errors_make_six_messages_and_no_request(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(
        declared.program(
            declared.target(
                "orders",
                name="'x' * 101",
                endpoint_url="'http://gateway.example.com'",
                event_types="[]",
                auth="BasicAuth('', 'p')",
                retry_policy="RetryPolicy(11, 'SOMETIMES', 2)",
                headers="{}",
            )
        )
    )
    for result in (stack.preview(), stack.up()):
        assert result.code != 0
        diagnostics = result.output.partition("Diagnostics:")[2]
        assert sorted(re.findall(r"property (\S+) value .* has a problem: must", diagnostics)) == [
            "authConfig.username",
            "endpointUrl",
            "eventTypes",
            "name",
            "retryPolicy.backoffStrategy",
            "retryPolicy.maxRetries",
        ]
        assert "Traceback" not in result.output
    assert cloud.requests() == []


def test_nonsense_is_refused_at_its_property(declared: Declared, cloud: Cloud) -> None:
    headers = {"Content-Length": "0", "Host": "elsewhere.example", "Authorization": "Bearer x", "X-Fine": "1"}
    stack = declared.stack(
        declared.program(
            declared.target(
                "orders", name=repr("a\ab"), event_types="['A', ' B', 'C\\a']", headers=repr(headers)
            )
        )
    )
    result = stack.preview()
    assert result.code != 0
    found = re.findall(r"property (\S+) value .* has a problem: (must .*)", result.output)
    assert sorted(set(found)) == [
        ("eventTypes[1]", "must have no white space around it"),
        ("eventTypes[2]", "must hold no control or other invisible characters"),
        (
            "headers.Authorization",
            "must be left out: authType BASIC sets it; without authentication you may set it yourself",
        ),
        (
            "headers.Content-Length",
            "must be left out: it belongs to the connection, and is set for each request",
        ),
        ("headers.Host", "must be left out: it belongs to the connection, and is set for each request"),
        ("name", "must hold no control or other invisible characters"),
    ]
    assert cloud.requests() == []


def test_a_preview_with_an_unknown_endpoint_passes(declared: Declared, cloud: Cloud) -> None:
    """The endpoint is an output of another resource; here, of another target."""
    stack = declared.stack(
        declared.program(
            declared.target("first"),
            declared.target(
                "second",
                endpoint_url=f"first.self_uri.apply(lambda uri: {cloud.endpoint('')!r} + uri)",
                headers="{'X-First': first.id}",
                event_types="[first.status, 'B']",
                auth="OAuth2Auth(first.id, first.id, first.self_uri)",
            ),
        )
    )
    preview = stack.preview()
    assert preview.code == 0, preview.output
    assert "+ 3 to create" in preview.output
    assert cloud.requests() == []
    # Once it is known, it is an error.
    result = stack.up()
    assert result.code != 0
    assert "authConfig.tokenUrl" in result.output


def test_missing_configuration_names_the_key(declared: Declared) -> None:
    stack = declared.stack(declared.targets(["orders"]), env={"GENESYSCLOUD_OAUTHCLIENT_SECRET": ""})
    assert stack.preview().code == 0
    result = stack.up()
    assert result.code != 0
    assert "genesys:clientSecret is not set. Run `pulumi config set" in result.output
    assert "Traceback" not in result.output


def test_wrong_credentials_tell_what_to_do(declared: Declared) -> None:
    stack = declared.stack(declared.targets(["orders"]), env={"GENESYSCLOUD_OAUTHCLIENT_SECRET": "canary-x"})
    result = stack.up()
    assert result.code != 0
    assert "login refused: authentication failed (HTTP 4" in result.output
    assert "correlation id" in result.output
    assert "canary" not in result.output


def test_only_a_plain_refresh_says_that_it_uses_the_secret_of_the_last_up(
    declared: Declared, cloud: Cloud
) -> None:
    hint = "run `pulumi up` first: a plain refresh or destroy uses the secret of the last `up`"
    stack = declared.stack(
        declared.targets(["orders"]),
        env={"GENESYSCLOUD_OAUTHCLIENT_SECRET": ""},
        secrets={"genesys:clientSecret": CLIENT_SECRET},
    )
    stack.must("up", "--yes", "--skip-preview")
    cloud.control("client-secret", clientSecret="canary-rotated")
    assert hint in stack.refresh().output
    stack.program(declared.targets(["orders", "presence"]))
    refused = stack.up()
    assert "login refused" in refused.output
    assert hint not in refused.output
    from_environment = stack.refresh(env={"GENESYSCLOUD_OAUTHCLIENT_SECRET": "canary-x"})
    assert "login refused" in from_environment.output


def test_a_missing_scope_tells_what_to_do(declared: Declared, cloud: Cloud) -> None:
    cloud.control("scopes", scopes=["integration:eventbridge:read"])
    result = declared.stack(declared.targets(["orders"])).up()
    assert result.code != 0
    assert "integration:eventbridge:write" in result.output
    assert "five minutes" in result.output


@pytest.mark.full_length
def test_a_password_in_a_url_is_refused_without_being_shown(declared: Declared) -> None:
    """The engine shows the refused value."""
    url = f"'https://user:{PASSWORD}@gateway.example.com'"
    target = declared.program(declared.target("orders", endpoint_url=url))
    sync = declared.program(
        declared.sync("orders", target_id="'an-id'", revision="1", webhook_url=url),
    )
    stack = declared.stack(target)
    for program, name in ((target, "endpointUrl"), (sync, "webhookUrl")):
        stack.program(program)
        for result in (stack.preview(), stack.up()):
            assert result.code != 0
            assert (
                f"property {name} value {{[secret]}} has a problem: must hold no credentials" in result.output
            )
            assert PASSWORD not in result.output
    assert PASSWORD not in stack.stored()
