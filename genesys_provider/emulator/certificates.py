"""The gateway's certificate, issued by a test CA that is created once per directory.

Clients trust `ca.pem`. `gateway.pem` is the certificate with its private key, for `localhost`, `127.0.0.1` and
`::1`. The CA's own key is discarded, so that `ca.pem` can never vouch for another certificate.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

import trustme
from cryptography import x509
from filelock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = ("localhost", "127.0.0.1", "::1")

_SPARE = timedelta(days=1)


class Certificate(NamedTuple):
    """The paths of a gateway's certificates."""

    ca_file: Path
    chain_file: Path


def gateway_certificate(directory: Path) -> Certificate:
    """The certificate in the directory; a new one if there is none or it has expired.

    Raises:
        OSError: The directory can't be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    certificate = Certificate(directory / "ca.pem", directory / "gateway.pem")
    # Two gateways that start at the same time share one CA.
    with FileLock(directory / ".lock"):
        if not _usable(certificate):
            authority = trustme.CA(organization_name="genesys-eventbridge local gateway")
            issued = authority.issue_cert(*HOSTS)
            _write(certificate.chain_file, issued.private_key_and_cert_chain_pem.bytes(), 0o600)
            _write(certificate.ca_file, authority.cert_pem.bytes(), 0o644)
    return certificate


def _usable(certificate: Certificate) -> bool:
    try:
        issued = x509.load_pem_x509_certificate(certificate.chain_file.read_bytes())
        authority = x509.load_pem_x509_certificate(certificate.ca_file.read_bytes())
        issued.verify_directly_issued_by(authority)
    except (FileNotFoundError, ValueError, TypeError, x509.InvalidVersion):
        return False
    except Exception:  # noqa: BLE001 - such as cryptography's InvalidSignature: the two don't match
        return False
    soon = datetime.now(timezone.utc) + _SPARE
    return min(issued.not_valid_after_utc, authority.not_valid_after_utc) > soon


def _write(path: Path, data: bytes, mode: int) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    new.replace(path)
