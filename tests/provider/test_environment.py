"""Proxies and certificates in the environment: `pulumi up` works, or reports one clear sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cloud import CANARIES
from tests.support.tunnel import Tunnel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
FAR = dict.fromkeys(("GENESYSCLOUD_API_URL", "GENESYSCLOUD_LOGIN_URL"), "https://api.mypurecloud.test")
"""The settings for an organization that can't be reached from here."""


@pytest.fixture(autouse=True)
def _as_on_a_plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.full_length
def test_local_services_bypass_the_proxy(cloud: Cloud, declared: Declared) -> None:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    with Tunnel() as proxy:
        odd = {
            "HTTP_PROXY": proxy.url,
            "HTTPS_PROXY": proxy.url,
            "ALL_PROXY": "socks5://127.0.0.1:1",
            "NO_PROXY": "[::1],%%%",
            "REQUESTS_CA_BUNDLE": "/not/there",
        }
        result = stack.up(env=odd)
        assert result.code == 0, result.output
        assert stack.destroy(env={**odd, "HTTPS_PROXY": "ftp://", "HTTP_PROXY": ":::"}).code == 0
    assert proxy.asked == []
    assert len(cloud.received()["syncs"]) == 2


@pytest.mark.full_length
def test_messages_of_the_host_reach_the_engine_without_the_proxy(cloud: Cloud, declared: Declared) -> None:
    # gRPC reads these in lower case, and makes no exception for this machine.
    stack = declared.stack(declared.targets(["orders"]))
    stack.must("up", "--yes", "--skip-preview")
    with Tunnel() as proxy:
        small = {"http_proxy": proxy.url, "https_proxy": proxy.url}
        cloud.control("faults", match={"method": "GET"}, action="status", status=503, times=1)
        result = stack.refresh(env=small)
    assert result.code == 0, result.output
    assert "retry in" in result.output
    assert proxy.asked == []


BAD = [
    ({"ALL_PROXY": "socks5://me:canary-proxy@proxy.example:1080"}, "that ALL_PROXY names speaks SOCKS"),
    ({"HTTPS_PROXY": "ftp://proxy.example"}, "HTTPS_PROXY names an unsupported kind of proxy"),
    (
        {"https_proxy": "http://me:canary/proxy@x", "no_proxy": "127.0.0.1"},
        "https_proxy does not contain the URL of a proxy",
    ),
    ({"SSL_CERT_FILE": "/not/there"}, "SSL_CERT_FILE names /not/there, which can't be used: No such file"),
    ({"SSL_CERT_DIR": "/not/there"}, "SSL_CERT_DIR names no existing directory"),
    ({"GENESYSCLOUD_CA_FILE": "/not/there"}, "GENESYSCLOUD_CA_FILE names /not/there, which can't be used"),
    ({"GENESYSCLOUD_AUDIT_LOG": "/proc/no/file"}, "GENESYSCLOUD_AUDIT_LOG /proc/no/file can't be written"),
    ({"GENESYSCLOUD_MAX_RETRIES": "many"}, "GENESYSCLOUD_MAX_RETRIES must be a number"),
    ({"GENESYSCLOUD_API_URL": "http://api.example"}, "GENESYSCLOUD_API_URL must be an https:// URL"),
]
"""Environment variables, and the expected messages."""

WAYS_OUT = ("unset it", "httpx[socks]", "certificates in PEM form", "a directory that this user may write to")


@pytest.mark.parametrize(
    ("env", "said"), [BAD[0], *(pytest.param(*each, marks=pytest.mark.full_length) for each in BAD[1:])]
)
def test_an_unusable_environment_is_reported_in_one_sentence(
    cloud: Cloud, declared: Declared, env: dict[str, str], said: str
) -> None:
    stack = declared.stack(declared.targets(["orders"]))
    result = stack.up(env={**FAR, **env})
    assert result.code != 0
    assert said in result.output, result.output
    assert any(way in result.output for way in WAYS_OUT), result.output
    assert "genesys:" not in result.output.replace("dynamic/genesys:", ""), result.output
    assert "Traceback" not in result.output, result.output
    assert "canary" not in result.output
    assert not any(canary in result.output for canary in CANARIES)
    assert cloud.requests() == []


def test_a_refusing_proxy_is_named(declared: Declared) -> None:
    stack = declared.stack(declared.targets(["orders"]), config={"genesys:maxRetries": "0"})
    with Tunnel(status="407 Proxy Authentication Required") as proxy:
        env = {"HTTPS_PROXY": proxy.url.replace("//", "//me:canary-proxy@"), "NO_PROXY": "localhost,[::1]"}
        result = stack.up(env={**FAR, **env})
    assert result.code != 0
    assert "407 Proxy Authentication Required, through the proxy" in result.output
    assert "that HTTPS_PROXY names" in result.output
    assert "Traceback" not in result.output
    assert "canary-proxy" not in result.output
    assert "Proxy-Authorization: Basic" in proxy.asked[0]


@pytest.mark.full_length
def test_ssl_cert_file_is_enough(cloud: Cloud, declared: Declared) -> None:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    own = {"GENESYSCLOUD_CA_FILE": ""}
    refused = stack.up(env=own)
    assert refused.code != 0
    assert "genesys:caFile" in refused.output
    assert stack.up(env={**own, "SSL_CERT_FILE": str(cloud.gateway.ca_file)}).code == 0
    assert len(cloud.received()["syncs"]) == 1


@pytest.mark.full_length
def test_a_404_of_another_server_removes_no_target(cloud: Cloud, declared: Declared, tmp_path: Path) -> None:
    stack = declared.stack(declared.targets(["orders", "billing"]))
    stack.must("up", "--yes", "--skip-preview")
    before = cloud.targets()
    url = cloud.emulator.url
    wrong = [
        ({"GENESYSCLOUD_API_URL": f"{url}/api/v2"}, "GENESYSCLOUD_API_URL must be the address"),
        ({"GENESYSCLOUD_LOGIN_URL": f"{url}/oauth/token"}, "GENESYSCLOUD_LOGIN_URL must be the address"),
        ({"GENESYSCLOUD_LOGIN_URL": f"{url}/elsewhere"}, "check GENESYSCLOUD_LOGIN_URL or genesys:region"),
    ]
    page: dict[str, Any] = {"status": 404, "body": "<html>no such site</html>"}
    cloud.control("faults", match={"path": "/elsewhere/*"}, action="status", **page)
    for env, said in wrong:
        for command in (stack.refresh, stack.destroy):
            result = command(env=env)
            assert result.code != 0, result.output
            assert said in result.output, result.output
            assert "Traceback" not in result.output
    cloud.requests()
    # A proxy's page instead of the API's answer.
    cloud.control("faults", match={"path": "/api/*"}, action="status", **page)
    for command in (stack.refresh, stack.destroy):
        result = command()
        assert result.code != 0, result.output
        assert "check GENESYSCLOUD_API_URL or genesys:region" in result.output, result.output
    cloud.requests()
    cloud.control("faults", "DELETE")
    assert cloud.targets() == before
    assert set(stack.resources()) == {"orders", "billing"}
    assert stack.destroy().code == 0
    cloud.requests()
    assert cloud.targets() == {}
