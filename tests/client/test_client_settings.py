"""The settings from config, environment or region, and errors that name the invalid one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.regions import DOMAIN_BY_REGION, api_url, domain_of, login_url
from genesys_provider.client.settings import ENVIRONMENT, Settings
from genesys_provider.client.urls import checked_url
from genesys_provider.targets.manager import TargetManager

if TYPE_CHECKING:
    from pathlib import Path

# The table of the contract, which follows `purecloud_region_hosts.py` of the official SDK.
REGIONS = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
}
CANARY = "canary-secret-5d2"


def test_every_region_of_the_contract_is_known() -> None:
    assert DOMAIN_BY_REGION == REGIONS


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_a_region_gives_the_hosts_of_api_and_login(region: str) -> None:
    settings = Settings.resolve({"region": region}, {})
    assert settings.api_url == f"https://api.{REGIONS[region]}"
    assert settings.login_url == f"https://login.{REGIONS[region]}"


def test_a_region_may_be_a_domain_in_any_case_with_white_space() -> None:
    assert domain_of(" MyPureCloud.DE ") == "mypurecloud.de"
    assert api_url("EU-Central-1") == "https://api.mypurecloud.de"
    assert login_url("mypurecloud.jp") == "https://login.mypurecloud.jp"


@pytest.mark.parametrize(
    "region", ["moon-1", "evil.com/path", "a b.com", "user@evil.com", "evil.com:80", "."]
)
def test_an_unknown_region_is_refused_with_the_known_ones(region: str) -> None:
    with pytest.raises(ConfigurationError, match="genesys:region") as refused:
        Settings.resolve({"region": region}, {})
    assert "eu-central-1" in str(refused.value)


@pytest.mark.parametrize(
    "region", ["api.mypurecloud.de", "https://apps.mypurecloud.de/", "login.MyPureCloud.de."]
)
def test_an_address_for_a_region_is_refused_with_its_domain(region: str) -> None:
    with pytest.raises(ConfigurationError, match="genesys:region") as refused:
        Settings.resolve({"region": region}, {})
    assert "Write mypurecloud.de" in str(refused.value)


@pytest.mark.parametrize("value", ['{"value":"canary-1"}', '["canary-1"]', ["canary-1"]])
def test_a_structured_value_is_refused_without_repeating_it(value: object) -> None:
    # `pulumi config set --path genesys:clientSecret.value …` reaches a provider as JSON text.
    with pytest.raises(ConfigurationError, match="genesys:clientSecret must be text") as refused:
        Settings.resolve({"clientSecret": value}, {})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("secret", ["{canary", "[1", "{}x", "[" * 100_000])
def test_a_secret_may_look_like_json(secret: str) -> None:
    assert Settings.resolve({"clientSecret": secret}, {}).client_secret == secret


@pytest.mark.parametrize("key", ["caFile", "auditLog"])
def test_a_home_that_nobody_has_is_one_sentence(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{ENVIRONMENT[key]} names ~nobody-here/x") as refused:
        Settings.resolve({}, {ENVIRONMENT[key]: "~nobody-here/x"})
    assert "Write the whole path" in str(refused.value)


def test_defaults_without_config_or_environment() -> None:
    settings = Settings.resolve({}, {})
    assert settings.api_url == "https://api.mypurecloud.com"
    assert settings.login_url == "https://login.mypurecloud.com"
    assert (settings.client_id, settings.client_secret) == ("", "")
    assert (settings.max_retries, settings.verification_timeout) == (3, 75.0)
    assert (settings.ca_file, settings.audit_log) == (None, None)


VALUES: dict[str, tuple[str, str, str]] = {
    "clientId": ("client_id", "from-config", "from-environment"),
    "clientSecret": ("client_secret", "from-config", "from-environment"),
    "apiUrl": ("api_url", "https://config.example", "https://environment.example"),
    "loginUrl": ("login_url", "https://config.example", "https://environment.example"),
    "caFile": ("ca_file", "/config", "/environment"),
    "auditLog": ("audit_log", "/config", "/environment"),
    "maxRetries": ("max_retries", "7", "8"),
    "verificationTimeout": ("verification_timeout", "7.5", "8.5"),
    "region": ("api_url", "ap-south-1", "eu-west-1"),
}


@pytest.mark.parametrize("key", sorted(ENVIRONMENT))
def test_config_goes_before_the_environment(key: str) -> None:
    attribute, config, environment = VALUES[key]

    def resolved(config: dict[str, object], environ: dict[str, str]) -> object:
        return getattr(Settings.resolve(config, environ), attribute)

    from_environment = resolved({}, {ENVIRONMENT[key]: environment})
    from_config = resolved({key: config}, {})
    assert from_environment != from_config
    assert resolved({key: config}, {ENVIRONMENT[key]: environment}) == from_config
    for absent in (None, ""):
        assert resolved({key: absent}, {ENVIRONMENT[key]: environment}) == from_environment


def test_the_environment_is_read_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYSCLOUD_REGION", "eu-west-2")
    assert Settings.resolve({}).api_url == "https://api.euw2.pure.cloud"


def test_urls_go_before_the_region_and_lose_a_trailing_slash() -> None:
    settings = Settings.resolve({"region": "eu-west-1", "apiUrl": "https://proxy.example/genesys/"}, {})
    assert settings.api_url == "https://proxy.example/genesys"
    assert settings.login_url == "https://login.mypurecloud.ie"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maxRetries", "many"),
        ("maxRetries", "-1"),
        ("maxRetries", "1.5"),
        ("maxRetries", "86401"),
        ("verificationTimeout", "soon"),
        ("verificationTimeout", "nan"),
        ("verificationTimeout", "inf"),
        ("verificationTimeout", "-0.1"),
        ("apiUrl", "http://api.example.com"),
        ("apiUrl", "ftp://127.0.0.1"),
        ("apiUrl", "https://"),
        ("apiUrl", "https://api example"),
        ("apiUrl", "https://[::1"),
        ("apiUrl", "https://api.example:port"),
        ("loginUrl", f"https://user:{CANARY}@login.example.com"),
        ("loginUrl", "http://127.0.0.1.evil.com"),
        ("loginUrl", "api.mypurecloud.com"),
        ("region", "moon-1"),
    ],
)
@pytest.mark.parametrize("source", ["config", "environment"])
def test_a_bad_value_names_its_key_and_never_a_secret(key: str, value: str, source: str) -> None:
    given = {"clientSecret": CANARY}
    environ = {}
    if source == "config":
        given[key] = value
    else:
        environ[ENVIRONMENT[key]] = value
    named, other = f"genesys:{key}", ENVIRONMENT[key]
    if source == "environment":
        named, other = other, named
    with pytest.raises(ConfigurationError, match=named) as refused:
        Settings.resolve(given, environ)
    assert other not in str(refused.value)
    assert CANARY not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize("key", ["clientId", "clientSecret"])
@pytest.mark.parametrize(
    ("value", "named"),
    [
        (f'"{CANARY}"', "in quotes"),
        (f"'{CANARY}'", "in quotes"),
        (f"\u201c{CANARY}\u201d", "in quotes"),
        ('""', "in quotes"),
        (f"{CANARY}\n", "white space"),
        (f" {CANARY}", "white space"),
        (f"\ufeff{CANARY}", "invisible"),
        (f"{CANARY}\u200b", "invisible"),
        # A byte of the environment that is not UTF-8.
        (f"{CANARY}\udce4", "invalid character"),
    ],
)
def test_what_does_not_belong_to_credentials_is_named(key: str, value: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{ENVIRONMENT[key]} .*{named}") as refused:
        Settings.resolve({}, {ENVIRONMENT[key]: value})
    assert CANARY not in str(refused.value) + repr(refused.value)


def test_a_wrong_variable_is_one_sentence_with_advice() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.resolve({}, {"GENESYSCLOUD_MAX_RETRIES": "many"})
    assert (
        str(refused.value) == "GENESYSCLOUD_MAX_RETRIES must be a number. Correct the variable, or unset it"
    )


def test_hints_name_the_variables_in_use() -> None:
    environ = {"GENESYSCLOUD_API_URL": "https://api.example", "GENESYSCLOUD_REGION": "eu-west-1"}
    settings = Settings.resolve({"region": "eu-west-2"}, environ)
    assert settings.in_its_words("check genesys:apiUrl, genesys:region and genesys:apiUrlX") == (
        "check GENESYSCLOUD_API_URL, genesys:region and genesys:apiUrlX"
    )
    assert settings == Settings.resolve({"region": "eu-west-2", "apiUrl": "https://api.example"}, {})


URL = "https://api.example"


@pytest.mark.parametrize(
    ("config", "origin_of"),
    [
        ({"region": "eu-west-1"}, "GENESYSCLOUD_REGION, which leads to https://api.mypurecloud.ie"),
        ({"apiUrl": URL}, f"GENESYSCLOUD_API_URL, which leads to {URL}"),
        ({"apiUrl": URL, "region": "eu-west-1"}, f"GENESYSCLOUD_API_URL, which leads to {URL}"),
        ({}, "GENESYSCLOUD_API_URL or GENESYSCLOUD_REGION, which lead to https://api.mypurecloud.com"),
    ],
)
def test_what_to_check_about_a_url_is_where_it_came_from(config: dict[str, str], origin_of: str) -> None:
    assert Settings.resolve(config, {}).origin_of("apiUrl") == origin_of
    environ = {ENVIRONMENT[key]: value for key, value in config.items()}
    assert Settings.resolve({}, environ).origin_of("apiUrl") == origin_of


def test_an_error_about_a_file_names_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in set(ENVIRONMENT.values()) - {"GENESYSCLOUD_CA_FILE"}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GENESYSCLOUD_CA_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigurationError, match=r"^GENESYSCLOUD_CA_FILE names .*missing\.pem"):
        TargetManager.from_environment()


@pytest.mark.parametrize(
    ("key", "value", "write"),
    [
        ("apiUrl", "https://api.mypurecloud.de/api/v2", "https://api.mypurecloud.de"),
        ("apiUrl", "https://api.mypurecloud.de/api/v2/", "https://api.mypurecloud.de"),
        ("apiUrl", "https://api.mypurecloud.de/API/V2", "https://api.mypurecloud.de"),
        ("apiUrl", "https://proxy.example/genesys//api/v2", "https://proxy.example/genesys"),
        (
            "apiUrl",
            "https://api.mypurecloud.de/api/v2/integrations/eventbridge/targets?pageSize=1",
            "https://api.mypurecloud.de",
        ),
        ("apiUrl", "https://api.mypurecloud.de?", "https://api.mypurecloud.de"),
        ("apiUrl", f"https://api.mypurecloud.de/?key={CANARY}", "https://api.mypurecloud.de"),
        ("apiUrl", f"https://api.mypurecloud.de/#{CANARY}", "https://api.mypurecloud.de"),
        ("loginUrl", "https://login.mypurecloud.de/oauth/token", "https://login.mypurecloud.de"),
        ("loginUrl", "http://127.0.0.1:8080/oauth/token/", "http://127.0.0.1:8080"),
        ("loginUrl", "https://login.mypurecloud.de/#/authenticate", "https://login.mypurecloud.de"),
    ],
)
def test_an_error_about_a_full_url_tells_what_to_write(key: str, value: str, write: str) -> None:
    with pytest.raises(ConfigurationError, match=f"genesys:{key} must be the address") as refused:
        Settings.resolve({key: value}, {})
    assert str(refused.value).endswith(f"Write {write}")
    assert CANARY not in str(refused.value)
    Settings.resolve({key: write}, {})


@pytest.mark.parametrize(
    "path", ["/api", "/api/v3", "/api/v2x", "/v2", "/myapi/v2", "/oauth", "/oauth/tokens"]
)
def test_other_url_paths_are_accepted_for_proxies(path: str) -> None:
    url = f"https://proxy.example{path}"
    settings = Settings.resolve({"apiUrl": url, "loginUrl": url}, {})
    assert (settings.api_url, settings.login_url) == (url, url)


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("api_url", "http://anywhere", "apiUrl"),
        ("api_url", "https://api.example/api/v2", "apiUrl"),
        ("login_url", "http://login.example", "loginUrl"),
        ("login_url", "", "loginUrl"),
        ("max_retries", -1, "maxRetries"),
        ("verification_timeout", float("nan"), "verificationTimeout"),
    ],
)
def test_settings_that_are_built_directly_are_validated_too(field: str, value: Any, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"genesys:{key}"):
        Settings("me", CANARY, **{field: value})
    with pytest.raises(ConfigurationError, match=f"genesys:{key}"):
        replace(Settings("me", CANARY), **{field: value})
    assert Settings("me", CANARY, api_url="http://localhost:1/").api_url == "http://localhost:1"


def test_the_secret_is_in_no_repr() -> None:
    settings = Settings.resolve({"clientId": "me", "clientSecret": CANARY}, {})
    assert settings.client_secret == CANARY
    assert CANARY not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://localhost:1",
        "http://api.localhost",
        "http://[::1]:8080/base",
        "HTTP://LOCALHOST",
        "https://api.example.com",
    ],
)
def test_plain_http_is_only_allowed_for_loopback(url: str) -> None:
    assert checked_url(url, loopback_http=True) == url
    if url.startswith("https"):
        assert checked_url(url) == url
    else:
        with pytest.raises(ValueError, match="https"):
            checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://localhost.evil.com",
        "http://evil.com#localhost",
        "http://localhost@evil.com",
        "http://evil.com\\@localhost",
        "http://2130706433",
        "http://[::ffff:8.8.8.8]",
        "http:///path",
        "https:///path",
        "https://host:0",
        "https://host:65536",
        "https://@host",
        "https://host\n.example",
        "https://host\u200b.example",
        "",
        "//host",
        "javascript:alert(1)",
        "https://\u2100.example",
    ],
)
def test_an_unsafe_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        checked_url(url, loopback_http=True)
    assert not url or url not in str(refused.value)


GIVEN = {"region": "eu-central-1", "clientId": "eu-client", "clientSecret": CANARY}


def test_an_explicit_provider_takes_nothing_from_elsewhere() -> None:
    environ = {**dict.fromkeys(ENVIRONMENT.values(), "7"), "GENESYSCLOUD_AUDIT_KEY": "the machine's"}
    settings = Settings.of_provider(GIVEN, "eu", environ)
    assert settings == Settings(
        client_id="eu-client",
        client_secret=CANARY,
        api_url="https://api.mypurecloud.de",
        login_url="https://login.mypurecloud.de",
        audit_key="the machine's",
    )


@pytest.mark.parametrize("given", [7, 7.0, "7"])
def test_numbers_in_the_forms_of_program_engine_and_host(given: object) -> None:
    settings = Settings.of_provider({**GIVEN, "maxRetries": given, "verificationTimeout": given}, "eu")
    assert (settings.max_retries, settings.verification_timeout) == (7, 7.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"clientId": None}, "provider 'eu' has no client_id"),
        ({"clientSecret": ""}, "provider 'eu' has no client_secret"),
        ({"region": None}, "provider 'eu' has no region"),
        ({"region": "", "clientId": None}, "provider 'eu' has no client_id, no region"),
        ({"region": None, "apiUrl": "https://api.example.com"}, "provider 'eu' has no region or login_url"),
        ({"region": "atlantis"}, "region of provider 'eu' is 'atlantis'"),
        ({"maxRetries": "x"}, "max_retries of provider 'eu' must be a number"),
        ({"maxRetries": 1.5}, "max_retries of provider 'eu' must be a whole number"),
        ({"maxRetries": float("inf")}, "max_retries of provider 'eu' must be a whole number"),
        ({"clientSecret": [CANARY]}, "client_secret of provider 'eu' must be text"),
        ({"clientSecret": f"{CANARY}\n"}, "client_secret of provider 'eu' begins or ends with white space"),
        ({"clientId": " "}, "client_id of provider 'eu' begins or ends with white space"),
        ({"apiUrl": "http://api.example.com"}, "api_url of provider 'eu'"),
    ],
)
def test_invalid_explicit_providers(change: dict[str, object], named: str) -> None:
    environ = dict.fromkeys(ENVIRONMENT.values(), "7")
    with pytest.raises(ConfigurationError) as caught:
        Settings.of_provider({**GIVEN, **change}, "eu", environ)
    assert named in caught.value.message
    assert named == caught.value.message or "has no" not in named
    assert "GENESYSCLOUD_" not in str(caught.value)
    assert "the variable" not in str(caught.value)
    assert CANARY not in str(caught.value)


def test_the_words_of_an_explicit_provider_name_it_once_for_several_arguments() -> None:
    settings = Settings.of_provider(GIVEN, "eu")
    text = (
        "Check genesys:clientId and genesys:clientSecret, or genesys:region, genesys:apiUrl; genesys:caFile."
    )
    assert settings.in_its_words(text) == (
        "Check client_id and client_secret of provider 'eu', or region, api_url of provider 'eu'; "
        "ca_file of provider 'eu'."
    )
