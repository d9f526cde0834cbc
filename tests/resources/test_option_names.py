"""Property names in resource options: their translation for the engine, and the errors for wrong names."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from genesys_provider.resources.explicit_provider import _NAMES as PROVIDER
from genesys_provider.resources.options import with_the_states_names
from genesys_provider.resources.sync import _NAMES as SYNC
from genesys_provider.resources.target import _NAMES as TARGET

ALL = ("ignore_changes", "replace_on_changes", "hide_diffs")


def options(**given: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(**given)


def translated(option: str, *given: str) -> list[str]:
    opts = options(**{option: list(given)})
    names: list[str] = getattr(with_the_states_names(opts, "EventBridgeTarget 'orders'", TARGET), option)
    assert getattr(opts, option) == list(given), "the program's own options stay as they are"
    return names


def refused(option: str, given: object) -> str:
    opts = options(**{option: given})
    with pytest.raises(pulumi.RunError) as error:
        with_the_states_names(opts, "EventBridgeTarget 'orders'", TARGET)
    beginning = f"EventBridgeTarget 'orders': the option {option} "
    assert str(error.value).startswith(beginning)
    return str(error.value).removeprefix(beginning)


@pytest.mark.parametrize("option", ALL)
@pytest.mark.parametrize(
    ("given", "state"),
    [
        ("name", ["name"]),
        ("endpoint_url", ["endpointUrl"]),
        ("endpointUrl", ["endpointUrl"]),
        ('["endpoint_url"]', ["endpointUrl"]),
        ("auth_type", ["authType"]),
        ("health_check", ["healthCheck"]),
        ("retry_policy", ["retryPolicy"]),
        ("retry_policy.max_retries", ["retryPolicy.maxRetries"]),
        ('retry_policy["max_retries"]', ["retryPolicy.maxRetries"]),
        ('retryPolicy["maxRetries"]', ["retryPolicy.maxRetries"]),
        ("retryPolicy.backoff_strategy", ["retryPolicy.backoffStrategy"]),
        ("retry_policy.*", ["retryPolicy.*"]),
        ("retry_policy[*]", ["retryPolicy[*]"]),
        ("auth", ["authConfig", "authType"]),
        ("auth.password", ["authConfig.password"]),
        ("auth.client_secret", ["authConfig.clientSecret"]),
        ('auth_config["token_url"]', ["authConfig.tokenUrl"]),
        ("auth.*", ["authConfig.*"]),
        ("headers", ["headers"]),
        ("headers.*", ["headers.*"]),
        ("headers.X-Key", ["headers.X-Key"]),
        ('headers["X-Key"]', ['headers["X-Key"]']),
        # Names of headers are not translated.
        ("headers.endpoint_url", ["headers.endpoint_url"]),
        ('headers["max_retries"]', ['headers["max_retries"]']),
        ('headers["a.b"]', ['headers["a.b"]']),
        (r'headers["a\"b]"]', [r'headers["a\"b]"]']),
        ("event_types", ["eventTypes"]),
    ],
)
def test_both_spellings_become_the_name_in_the_state(option: str, given: str, state: list[str]) -> None:
    assert translated(option, given) == state


def test_an_item_of_the_event_types() -> None:
    for option in ("ignore_changes", "hide_diffs"):
        assert translated(option, "event_types[0]", "eventTypes[*]", "event_types.*") == [
            *("eventTypes[0]", "eventTypes[*]", "eventTypes.*")
        ]
    # The diff compares them as a set, so it only names the whole list.
    assert translated("replace_on_changes", "event_types[*]", "event_types.*") == ["eventTypes"]
    assert "the order of 'event_types' does not matter: write 'event_types'" in refused(
        "replace_on_changes", ["event_types[0]"]
    )


def test_outputs() -> None:
    assert translated("additional_secret_outputs", "self_uri", "endpoint_url", "auth", "headers") == [
        *("selfUri", "endpointUrl", "authConfig", "authType", "headers")
    ]
    assert translated("replace_on_changes", "status") == ["status"]
    for name in ("status", "self_uri", "selfUri"):
        assert refused("ignore_changes", [name]) == (
            f"names {name!r}, which is an output: only inputs can be ignored."
        )


@pytest.mark.parametrize("option", [*ALL, "additional_secret_outputs"])
@pytest.mark.parametrize(
    "given", ["endpoint", "endpoint_URL", "endpointurl", "id", "__provider", "webhook_url"]
)
def test_an_unknown_name(option: str, given: str) -> None:
    said = refused(option, ["name", given])
    assert said.startswith(f"names {given!r}, which is not a property of it. Its properties are ")
    assert "auth, auth_config, auth_type, " in said
    assert "endpoint_url, event_types, " in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "retry_policy.retries",
            "'retry_policy' has no 'retries'. It has backoff_strategy, initial_delay_seconds, max_retries",
        ),
        ("retry_policy[0]", "'retry_policy' has no '0'"),
        ("auth.pass", "'auth' has no 'pass'. It has client_id, client_secret, password, token_url, username"),
        ("auth_type.x", "there is nothing inside of 'auth_type'"),
        ("endpoint_url[0]", "there is nothing inside of 'endpoint_url'"),
        ("auth.password.x", "there is nothing inside of 'auth.password'"),
        (
            "headers.X.Y",
            "there is nothing inside of 'headers.X'. A key with a dot in it is written headers[\"a.b\"]",
        ),
        ("headers[0]", "'headers' has keys: write headers[\"…\"]"),
        ("event_types.A", "'event_types' is a list"),
        ("event_types[0][0]", "there is nothing inside of 'event_types[0]'"),
    ],
)
def test_an_unknown_path(given: str, said: str) -> None:
    assert f"names {given!r}, but {said}" in refused("ignore_changes", [given])


@pytest.mark.parametrize(
    "given", ["", ".name", "name.", "headers[", "headers['X']", 'headers["X"', "a..b", "[x]"]
)
def test_an_invalid_path(given: str) -> None:
    assert f"holds {given!r}, which is not a property path" in refused("ignore_changes", [given])


def test_everything() -> None:
    for given in ("*", '["*"]', "[*]"):
        for option in ("replace_on_changes", "hide_diffs"):
            assert translated(option, given) == ["*"]
        # Only what programs set: an ignored owner mark would one day be somebody else's.
        assert set(translated("ignore_changes", given)) == {
            *("name", "endpointUrl", "eventTypes", "authType", "authConfig", "retryPolicy", "headers"),
            *("verificationTimeout", "healthCheck"),
        }
    assert "names 'owner', which is an output" in refused("ignore_changes", ["owner"])
    assert translated("hide_diffs", "owner", "api_url") == ["owner", "apiUrl"]
    assert "holds '*.max_retries', but '*' is everything" in refused("ignore_changes", ["*.max_retries"])


def test_a_part_of_a_property_can_not_be_a_secret_output() -> None:
    for given in ('headers["X-Key"]', "auth.password"):
        said = refused("additional_secret_outputs", [given])
        assert f"names {given!r}, but a property can only be a secret as a whole" in said
    assert "not a property of it" in refused("additional_secret_outputs", ["*"])


@pytest.mark.parametrize("option", [*ALL, "additional_secret_outputs"])
def test_a_value_that_is_not_a_list(option: str) -> None:
    assert refused(option, "name") == "is a str; it must be a list of property names."
    assert refused(option, {"name"}) == "is a set; it must be a list of property names."
    assert refused(option, [None]) == "holds a NoneType; it must be a list of property names."
    empty: list[str] | None
    for empty in (None, []):
        opts = options(**{option: empty})
        assert getattr(with_the_states_names(opts, "x", TARGET), option) == empty
    assert translated(option, "name", "name") == ["name"]


def test_names_of_a_sync() -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["webhook_url", "targetId"], protect=True)
    made = with_the_states_names(opts, "GatewaySync 's'", SYNC)
    assert made.ignore_changes == ["webhookUrl", "targetId"]
    assert made.protect
    with pytest.raises(pulumi.RunError, match=r"GatewaySync 's': .*'endpoint_url'.* required, revision, "):
        with_the_states_names(
            pulumi.ResourceOptions(ignore_changes=["endpoint_url"]), "GatewaySync 's'", SYNC
        )


@pytest.mark.parametrize("option", ["ignore_changes", "replace_on_changes", "additional_secret_outputs"])
@pytest.mark.parametrize("given", ["client_secret", "clientSecret", "genesys:clientSecret"])
def test_the_settings_of_a_provider_are_config_keys_in_the_state(option: str, given: str) -> None:
    opts = options(**{option: [given]})
    translated = with_the_states_names(opts, "GenesysProvider 'eu'", PROVIDER)
    assert getattr(translated, option) == ["genesys:clientSecret"]


def test_a_setting_that_a_provider_does_not_have() -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["secret"])
    with pytest.raises(pulumi.RunError) as error:
        with_the_states_names(opts, "GenesysProvider 'eu'", PROVIDER)
    assert "names 'secret', which is not a property of it. Its properties are api_url, audit_log" in str(
        error.value
    )
