"""Proxies from the environment: never for loopback, NO_PROXY, and clear errors for unusable values."""

from __future__ import annotations

import base64
import os
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from genesys_provider.client.errors import ConfigurationError, ConnectionFailed
from genesys_provider.client.proxies import proxy_for
from genesys_provider.client.redaction import redacted
from genesys_provider.emulator.server import Server
from tests.client.fake_server import FakeServer, certified, listed
from tests.support.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
API = "https://api.mypurecloud.test"
PASSWORD = "canary-p@ss word"
QUOTED = "canary-p%40ss%20word"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower() in VARIABLES:
            monkeypatch.delenv(name)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of a server with a certificate for `api.mypurecloud.test`, and the file of its CA."""
    chain, ca_file = certified(tmp_path, "api.mypurecloud.test")
    with Server(FakeServer().app(), "127.0.0.1", 0, chain) as server:
        port = httpx.URL(server.url).port
        assert port
        yield port, ca_file


def used(url: str) -> str | None:
    proxy = proxy_for(httpx.URL(url))
    return None if proxy is None else str(proxy.url)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_api_is_reached_through_a_proxy(
    far: tuple[int, Path], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    port, ca_file = far
    with Tunnel(port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        listed(API, caFile=ca_file)
    assert {head.splitlines()[0] for head in proxy.asked} == {"CONNECT api.mypurecloud.test:443 HTTP/1.1"}


def test_a_proxy_without_a_scheme_speaks_http(far: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    port, ca_file = far
    with Tunnel(port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f" {proxy.url.removeprefix('http://')} ")
        listed(API, caFile=ca_file)
    assert proxy.asked


def test_only_the_proxy_gets_its_credentials(far: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    port, ca_file = far
    with Tunnel(port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//me:{QUOTED}@"))
        listed(API, caFile=ca_file)
    credentials = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert f"Proxy-Authorization: Basic {credentials}" in proxy.asked[0]
    assert redacted(f"{PASSWORD} {QUOTED} {credentials}") == "[secret] [secret] [secret]"


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_refusing_proxy_is_named_without_its_credentials(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    with Tunnel(status=status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//me:{QUOTED}@"))
        with pytest.raises(ConnectionFailed, match=status) as refused:
            listed(API)
    address = proxy.url.removeprefix("http://")
    assert f"through the proxy {address} that HTTPS_PROXY names" in str(refused.value)
    assert "canary" not in str(refused.value)
    assert not refused.value.maybe_acted


def test_an_unreachable_proxy_is_named(unused_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", unused_url)
    with pytest.raises(ConnectionFailed, match="that ALL_PROXY names"):
        listed(API)


def test_the_address_of_a_proxy_is_shown_as_in_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary@[2001:db8::1]:3128")
    proxy = proxy_for(httpx.URL(API))
    assert str(proxy) == "the proxy [2001:db8::1]:3128 that HTTPS_PROXY names"


def test_a_tls_proxy_is_verified_with_the_same_cas(
    far: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "proxy").mkdir()
    chain, ca_file = certified(tmp_path / "proxy", "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    both = tmp_path / "both.pem"
    both.write_bytes(ca_file.read_bytes() + far[1].read_bytes())
    with Tunnel(far[0], context=context) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://127.0.0.1", "https://localhost"))
        listed(API, caFile=both)
        with pytest.raises(ConnectionFailed, match="certificate"):
            listed(API, caFile=far[1])
    assert proxy.asked


LOOPBACK = [
    "http://127.0.0.1:8080",
    "http://localhost:8080",
    "http://LOCALHOST",
    "http://api.localhost",
    "http://[::1]:8080",
    "https://127.9.9.9",
    "https://localhost",
]


@pytest.mark.parametrize("url", LOOPBACK)
@pytest.mark.parametrize("value", ["http://proxy.example:3128", "socks5://proxy.example", "ftp://x", ":::"])
def test_loopback_never_goes_through_a_proxy(url: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, value)
    assert used(url) is None


def test_no_login_reaches_a_proxy_in_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    with Tunnel() as proxy, Server(FakeServer().app(), "127.0.0.1", 0) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        listed(server.url)
    assert proxy.asked == []


PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    "no_proxy",
    [
        "*",
        "api.mypurecloud.test",
        "localhost, api.mypurecloud.test",
        "localhost api.mypurecloud.test",
        "API.mypurecloud.TEST",
        "mypurecloud.test",
        ".mypurecloud.test",
        "*.mypurecloud.test",
        "https://api.mypurecloud.test",
        "api.mypurecloud.test:443",
        "localhost,[::1],,api.mypurecloud.test",
    ],
)
def test_no_proxy_names_hosts(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert used(API) is None


@pytest.mark.parametrize(
    "no_proxy",
    [
        "",
        ",",
        "localhost,[::1]",
        "127.0.0.1,::1,10.0.0.0/8",
        "purecloud.test",
        "api.mypurecloud.test:8443",
        "other.example",
        "[",
        "]:[",
        "[::1",
        "10.0.0.0/99",
        "http://",
        "*.",
        "%%%,\u00e9,:80,::::",
    ],
)
def test_no_proxy_with_other_hosts_or_empty(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert used(API) == PROXY


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        ("https://10.1.2.3", "10.0.0.0/8"),
        ("https://10.1.2.3", "10.1.2.3"),
        ("https://10.1.2.3:8443", "10.1.2.3:8443"),
        ("https://[fd00::1]", "fd00::1"),
        ("https://[fd00::1]", "[fd00::1]"),
        ("https://[fd00::1]:8443", "[fd00::1]:8443"),
        ("https://[fd00::1]", "fd00::/8"),
    ],
)
def test_no_proxy_names_addresses_and_networks(
    url: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert used(url) == PROXY
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert used(url) is None


def test_the_scheme_variable_goes_before_all_proxy_and_lower_case_before_upper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://all.example")
    monkeypatch.setenv("HTTP_PROXY", "http://http.example")
    proxy = proxy_for(httpx.URL(API))
    assert str(proxy) == "the proxy all.example that ALL_PROXY names"
    monkeypatch.setenv("HTTPS_PROXY", "http://capitals.example")
    monkeypatch.setenv("https_proxy", "http://small.example:1")
    assert str(proxy_for(httpx.URL(API))) == "the proxy small.example:1 that https_proxy names"
    assert "small" not in repr(proxy_for(httpx.URL(API))).replace("https_proxy", "")


BAD = [
    "ftp://proxy.example",
    "socks4://proxy.example",
    "socks://proxy.example",
    "file:///etc/passwd",
    "http://",
    "://",
    ":::",
    "http://proxy.example:port",
    "http://proxy.example:99999",
    "http://[::1",
    "http://proxy example",
    "http://proxy.example\x7f",
    "http://me:canary/word@proxy.example:1",
    "http://me:canary#word@proxy.example:1",
    "http://xn--.example",
    "http://.",
    "http://a..b",
]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_an_invalid_proxy_error_is_one_sentence_with_the_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"^{variable} ") as refused:
        listed(API)
    said = str(refused.value)
    assert "unset it" in said
    assert "canary" not in said


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_without_its_package_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:{QUOTED}@proxy.example:1080")
    with pytest.raises(ConfigurationError) as refused:
        listed(API)
    said = str(refused.value)
    assert "the proxy proxy.example:1080 that ALL_PROXY names speaks SOCKS" in said
    assert "httpx[socks]" in said
    assert "canary" not in said


def test_unused_proxy_variables_are_not_validated(
    far: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://")
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example")
    port, ca_file = far
    with Tunnel(port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        listed(API, caFile=ca_file)
    # A request to a host in NO_PROXY ignores the proxy variables; this host does not exist.
    monkeypatch.setenv("NO_PROXY", "api.invalid")
    monkeypatch.setenv("HTTPS_PROXY", "junk://")
    with pytest.raises(ConnectionFailed):
        listed("https://api.invalid")
