"""The trusted certificate authorities: the operating system's, unless SSL_CERT_FILE or SSL_CERT_DIR replace them.

We use the standard library's context. `truststore` (0.10.5) would also ask the macOS keychain, but it holds one
lock during each handshake, so that one hanging endpoint delays all others until its time limit. On Linux it also
reads the system's CAs for each connection (some 25 ms of CPU, instead of 20 ms once).
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path

from genesys_provider.client.errors import ConfigurationError

SYSTEM_BUNDLES = (
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
"""Where systems keep their CAs, for a Python whose OpenSSL looks elsewhere."""

_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
"""The file name under which OpenSSL finds a CA in a directory."""


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The system's CAs, and in addition those in `ca_file`.

    SSL_CERT_FILE and SSL_CERT_DIR replace the system's CAs, as they do in OpenSSL.

    Raises:
        ConfigurationError: One of the three can't be read or contains no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        hint = "It must be a readable file of certificates in PEM form; unset it to trust the system's CAs"
        _load(context, Path(file), "SSL_CERT_FILE", hint)
    if folders:
        if not any(os.path.isdir(folder) for folder in folders.split(os.pathsep)):  # noqa: PTH112  (what OpenSSL gets)
            raise ConfigurationError(
                f"SSL_CERT_DIR names no existing directory: {folders}",
                hint="It must name a directory prepared by `openssl rehash`; unset it to trust the system's CAs",
            )
        context.load_verify_locations(capath=folders)
    if not file and not folders:
        _load_systems(context)
    if ca_file is not None:
        _load(context, ca_file, "genesys:caFile", "It must be a readable file of certificates in PEM form")
    return context


def untrusted_hint() -> str:
    """The hint for a certificate that is not trusted, given this process's environment."""
    hint = (
        "If its certificate is signed by a private CA (a gateway, an inspecting proxy), name that CA's file in "
        "GENESYSCLOUD_CA_FILE"
    )
    own = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    if own:
        return f"{hint}; the system's CAs are not used, since {' and '.join(own)} replaced them"
    unread = [name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)]
    return f"{hint}, or in SSL_CERT_FILE ({' and '.join(unread)} is ignored here)" if unread else hint


def _load_systems(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if context.get_ca_certs() or _finds_some(paths.capath):
        return
    bundle = next((bundle for bundle in SYSTEM_BUNDLES if os.path.isfile(bundle)), None)  # noqa: PTH113  (likewise)
    if bundle is None:
        # A system without CAs, such as a minimal container: use those that come with httpx.
        import certifi

        bundle = certifi.where()
    context.load_verify_locations(bundle)


def _finds_some(folder: str | None) -> bool:
    if folder is None:
        return False
    with os.scandir(folder) as entries:
        return any(_HASHED.fullmatch(entry.name) for entry in entries)


def _load(context: ssl.SSLContext, file: Path, named_by: str, hint: str) -> None:
    try:
        context.load_verify_locations(file)
    except (OSError, ssl.SSLError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{named_by} names {file}, which can't be used: {why}", hint=hint) from error
