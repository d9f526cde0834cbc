"""The trusted CAs: the system's, or those of SSL_CERT_FILE instead, and genesys:caFile in addition."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.errors import ConfigurationError, ConnectionFailed
from genesys_provider.client.trust import trust
from genesys_provider.emulator.server import Server
from tests.client.fake_server import FakeServer, certified, client_of, listed
from tests.support.engine import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = "from tests.client.fake_server import client_of; client_of({url!r}).list_targets(); print('trusted')"
COUNT = "from genesys_provider.client.trust import trust; print(len(trust(None).get_ca_certs()))"
BUNDLES = ("certs/ca-certificates.crt", "ca-bundle.pem", "cert.pem")


@pytest.fixture(autouse=True)
def _as_on_a_plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a server with an unknown CA, and the CA's file."""
    chain, ca_file = certified(tmp_path, "localhost", "127.0.0.1")
    with Server(FakeServer().app(), "127.0.0.1", 0, chain) as server:
        yield server.url, ca_file


def rehashed(folder: Path, ca_file: Path) -> Path:
    """A directory of CAs in OpenSSL's format."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ca_file, folder / "own.pem")
    subprocess.run(["openssl", "rehash", folder], check=True)
    return folder


def with_system(etc_ssl: Path, code: str) -> str:
    """The output of this Python on a machine with this `/etc/ssl`, which only its process sees."""
    mounted = 'mount --bind "$0" /etc/ssl && exec "$@"'
    command: list[str | Path] = [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        mounted,
        str(etc_ssl),
        sys.executable,
        "-c",
        code,
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, env=env, capture_output=True, text=True)
    return done.stdout.strip()


def can_have_another_system() -> bool:
    paths = ssl.get_default_verify_paths()
    ours = Path(paths.openssl_capath).resolve() == Path("/etc/ssl/certs")
    allowed = shutil.which("unshare") and subprocess.run(
        ["unshare", "--map-root-user", "--mount", "true"], check=False, capture_output=True
    )
    return bool(ours and allowed and allowed.returncode == 0)


another_system = pytest.mark.skipif(
    not can_have_another_system(),
    reason="no mount of one's own here, or OpenSSL looks elsewhere than /etc/ssl",
)
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="no openssl to make a folder of CAs"
)


@another_system
@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_ca_that_the_system_has_is_trusted(private: tuple[str, Path], tmp_path: Path, bundle: str) -> None:
    url, ca_file = private
    (tmp_path / "etc" / "certs").mkdir(parents=True)
    shutil.copy(ca_file, tmp_path / "etc" / bundle)
    assert with_system(tmp_path / "etc", LIST.format(url=url)) == "trusted"
    assert with_system(tmp_path / "etc", COUNT) == "1"


@another_system
@needs_openssl
def test_a_ca_in_the_systems_folder_is_trusted(private: tuple[str, Path], tmp_path: Path) -> None:
    url, ca_file = private
    (tmp_path / "etc").mkdir()
    rehashed(tmp_path / "etc" / "certs", ca_file)
    assert with_system(tmp_path / "etc", LIST.format(url=url)) == "trusted"


@another_system
def test_a_system_without_cas_gets_those_of_httpx(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    assert int(with_system(tmp_path / "etc", COUNT)) > 50


def test_certificates_and_names_are_always_checked() -> None:
    context = trust(None)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_ssl_cert_file_replaces_the_system_cas(
    private: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, ca_file = private
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    listed(url)
    assert len(trust(None).get_ca_certs()) == 1


@needs_openssl
def test_ssl_cert_dir_replaces_the_system_cas_and_may_name_several(
    private: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, ca_file = private
    folder = rehashed(tmp_path / "folder", ca_file)
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path / 'none'}{os.pathsep}{folder}")
    listed(url)
    assert trust(None).get_ca_certs() == []


@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE"])
def test_the_ca_of_the_settings_is_trusted_in_addition(
    private: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    (tmp_path / "other").mkdir()
    _, other = certified(tmp_path / "other", "other.example")
    if variable:
        monkeypatch.setenv(variable, str(other))
    listed(private[0], caFile=private[1])
    assert len(trust(private[1]).get_ca_certs()) == len(trust(None).get_ca_certs()) + 1


def test_empty_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = len(trust(None).get_ca_certs())
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", "")
    assert len(trust(None).get_ca_certs()) == plain


def junk(tmp_path: Path, content: str) -> Path:
    """A path that is not a file of CAs."""
    path = tmp_path / "junk.pem"
    if content == "folder":
        path.mkdir()
    elif content != "missing":
        path.write_text(content)
    return Path("with\0nul") if content == "impossible" else path


JUNK = [
    "missing",
    "",
    "no certificate",
    "folder",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
]


@pytest.mark.parametrize("content", [*JUNK, "impossible"])
def test_an_invalid_ca_file_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigurationError, match="genesys:caFile") as refused:
        client_of("https://localhost:1", caFile=junk(tmp_path, content))
    assert "PEM" in str(refused.value)


@pytest.mark.parametrize("content", JUNK)
def test_an_invalid_ssl_cert_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(junk(tmp_path, content)))
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE") as refused:
        client_of("https://localhost:1")
    assert "unset it" in str(refused.value)


@pytest.mark.parametrize("content", ["missing", "a file"])
def test_an_invalid_ssl_cert_dir_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(junk(tmp_path, content)))
    with pytest.raises(ConfigurationError, match="SSL_CERT_DIR") as refused:
        client_of("https://localhost:1")
    assert "unset it" in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (None, "GENESYSCLOUD_CA_FILE"),
        ("SSL_CERT_FILE", "SSL_CERT_FILE replaced them"),
        ("REQUESTS_CA_BUNDLE", "REQUESTS_CA_BUNDLE is ignored here"),
    ],
)
def test_a_refused_certificate_names_the_variable_that_matters(
    private: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    said: str,
) -> None:
    (tmp_path / "other").mkdir()
    _, other = certified(tmp_path / "other", "other.example")
    if variable:
        monkeypatch.setenv(variable, str(other))
    with pytest.raises(ConnectionFailed, match="certificate") as refused:
        listed(private[0], maxRetries=3)
    assert said in str(refused.value)
    assert "GENESYSCLOUD_CA_FILE" in str(refused.value)
    assert not refused.value.maybe_acted
