"""Verifies an endpoint from this machine like Genesys Cloud does, step by step until one fails.

This can't tell whether Genesys Cloud's own addresses get through a firewall, nor which CAs it trusts.
Genesys Cloud has neither our proxy nor our CAs, so the report tells what only works because of one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from genesys_provider.client.errors import GenesysError
from genesys_provider.client.proxies import proxy_for
from genesys_provider.client.redaction import hide, shortened
from genesys_provider.client.transport import Answer, connections, exchange
from genesys_provider.client.trust import trust
from genesys_provider.client.urls import checked_url, shown_url, split_url
from genesys_provider.common.times import utc_now

SECONDS = 10.0
"""Time limit for an endpoint's response [C]."""
SOON_DAYS = 14
"""A certificate that is valid for at most this long is reported as expiring soon."""
_JWT_SECONDS = 300
_HINTS = {
    401: "The endpoint requires other credentials: check those given here, and those of the target",
    403: "The endpoint refuses this sender: check the credentials, and whether a firewall answers in its place",
    404: "There is nothing at this path: check the URL",
    405: "It must accept POST at this path",
    413: "It must accept a body of a few hundred bytes",
    415: "It must accept the content type application/json",
    429: "It is throttled: a verification is a single request, so find out who else sends",
}
_NOT_CHAINED = (
    "The server must send its intermediate certificates too. If it does, its CA is not trusted here: name a "
    "private CA with --ca-file, and remember that Genesys Cloud must trust it too"
)
_TLS_HINTS = {
    10: "Renew the certificate",
    18: "Use a certificate of a public CA: Genesys Cloud does not trust self-signed ones",
    19: "Use a certificate of a public CA. If yours is one, the server must send its own chain, without the root",
    20: _NOT_CHAINED,
    21: _NOT_CHAINED,
    62: "The certificate is for another name: use a host name that it contains",
}
"""Hints by OpenSSL's verification error code."""


class Step(NamedTuple):
    """A step: what was checked, the result, and what to do if it failed."""

    name: str
    passed: bool
    said: str
    hint: str = ""


@dataclass(frozen=True)
class Credentials:
    """The authentication of a target; the fields that are given determine its kind."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_url: str | None = None

    @property
    def auth_type(self) -> str:
        """The `authType` of the API."""
        if self.token_url is not None:
            return "OAUTH2"
        if self.client_secret is not None:
            return "JWT"
        return "NONE" if self.username is None else "BASIC"


def steps(
    url: str, credentials: Credentials, headers: Mapping[str, str], ca_file: Path | None
) -> Iterator[Step]:
    """Yields each step as soon as it is done.

    Args:
        url: The endpoint.
        credentials: The target's credentials.
        headers: The target's headers.
        ca_file: An additional trusted CA.
    """
    hide(*(each for each in (credentials.password, credentials.client_secret, *headers.values()) if each))
    try:
        checked_url(url)
    except ValueError as error:
        yield Step("URL", False, str(error), "Genesys Cloud accepts https:// URLs only")
        return
    yield Step("URL", True, shown_url(url))
    try:
        proxy = proxy_for(httpx.URL(url))
        if proxy is not None:
            yield Step(
                "Proxy",
                True,
                f"through {proxy}, unlike Genesys Cloud; DNS and TLS can't be checked",
            )
        else:
            for step in _connection(url, ca_file):
                yield step
                if not step.passed:
                    return
        with connections(ca_file, seconds=SECONDS, most=2) as client:
            yield from _post(client, url, credentials, headers)
    except GenesysError as error:
        yield Step("POST", False, error.message, error.hint)


def _connection(url: str, ca_file: Path | None) -> Iterator[Step]:
    parts = split_url(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Step(
            "DNS",
            False,
            f"{host} can't be looked up: {error.strerror or error}",
            "Check the name and its DNS",
        )
        return
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    private = [each for each in addresses if not ip_address(each.partition("%")[0]).is_global]
    note = "; not a public address, so it can only be reached from nearby" if private else ""
    yield Step("DNS", True, f"{host} is {', '.join(addresses)}{note}")
    started = time.monotonic()
    try:
        with socket.create_connection((host, port), SECONDS):
            pass
    except OSError as error:
        yield Step(
            "Connection",
            False,
            f"port {port} of {host}: {error.strerror or error}",
            "Check that the gateway is up, and that its firewall lets Genesys Cloud's addresses through",
        )
        return
    yield Step("Connection", True, f"port {port}, {time.monotonic() - started:.2f} s")
    yield _tls(host, port, ca_file)


def _tls(host: str, port: int, ca_file: Path | None) -> Step:
    try:
        return Step("TLS", True, _handshake(host, port, trust(None)))
    except (OSError, ValueError) as error:
        failure: Exception = error
    if ca_file is not None and isinstance(failure, ssl.SSLCertVerificationError):
        try:
            said = _handshake(host, port, trust(ca_file))
        except (OSError, ValueError) as error:
            failure = error
        else:
            return Step(
                "TLS", True, f"{said}; trusted only because of {ca_file}, which Genesys Cloud must trust too"
            )
    if isinstance(failure, ssl.SSLCertVerificationError):
        hint = _TLS_HINTS.get(failure.verify_code, "Use a certificate of a public CA, for this host name")
        return Step("TLS", False, f"the certificate is not trusted: {failure.verify_message}", hint)
    said = "no answer within the time limit" if isinstance(failure, TimeoutError) else str(failure)
    return Step("TLS", False, f"no handshake: {shortened(said)}", "The port must speak TLS 1.2 or 1.3")


def _handshake(host: str, port: int, context: ssl.SSLContext) -> str:
    with (
        socket.create_connection((host, port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate: Mapping[str, Any] = secured.getpeercert() or {}
        version = secured.version()
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), timezone.utc)
    soon = " (renew it soon)" if expires - datetime.now(timezone.utc) <= timedelta(days=SOON_DAYS) else ""
    names = ", ".join(name for _, name in certificate.get("subjectAltName", ()))
    return (
        f"{version}, chain trusted; certificate of {names or _common_name(certificate, 'subject')} by "
        f"{_common_name(certificate, 'issuer')}, valid until {expires:%Y-%m-%d}{soon}"
    )


def _common_name(certificate: Mapping[str, Any], of: str) -> str:
    fields = {name: value for part in certificate.get(of, ()) for name, value in part}
    return str(fields.get("commonName") or fields.get("organizationName") or "somebody without a name")


def _post(
    client: httpx.Client, url: str, credentials: Credentials, headers: Mapping[str, str]
) -> Iterator[Step]:
    sent = {**headers, "Content-Type": "application/json", "User-Agent": "genesys-eventbridge-probe"}
    if credentials.auth_type == "BASIC":
        pair = f"{credentials.username}:{credentials.password or ''}"
        sent["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif credentials.auth_type == "JWT":
        sent["Authorization"] = "Bearer " + _jwt(credentials.client_id or "", credentials.client_secret or "")
    elif credentials.auth_type == "OAUTH2":
        step, token = _token(client, credentials)
        yield step
        if token is None:
            return
        sent["Authorization"] = f"Bearer {token}"
    hide(sent.get("Authorization", ""))
    started = time.monotonic()
    try:
        answer = exchange(
            client, "POST", url, what="POST", content=json.dumps(_body()).encode(), headers=sent
        )
    except GenesysError as error:
        hint = f"It must answer within {SECONDS:g} s" if "time limit" in error.message else error.hint
        yield Step("POST", False, error.message, hint)
        return
    took = f"{answer.status} {answer.reason}".rstrip() + f", {time.monotonic() - started:.2f} s"
    yield Step("POST", 200 <= answer.status < 300, took + _words(answer), _hint(answer))


def _words(answer: Answer) -> str:
    """The text of a response that is not a success."""
    said = "" if answer.status < 300 else shortened(answer.text)
    return f": {said}" if said else ""


def _hint(answer: Answer) -> str:
    if answer.status < 300:
        return ""
    if answer.redirects:
        return "Redirects are not followed: use the URL that it leads to"
    return _HINTS.get(answer.status, "It must answer 2xx to a POST of JSON: look into the endpoint's own log")


def _token(client: httpx.Client, credentials: Credentials) -> tuple[Step, str | None]:
    url, hint = credentials.token_url or "", "Check token URL, client id and client secret"
    try:
        checked_url(url, loopback_http=True)
        answer = exchange(
            client,
            "POST",
            url,
            what="token",
            data={"grant_type": "client_credentials"},
            auth=httpx.BasicAuth(credentials.client_id or "", credentials.client_secret or ""),
        )
    except ValueError as error:
        return Step("Token", False, f"the token URL {error}", hint), None
    except GenesysError as error:
        return Step("Token", False, error.message, hint), None
    token = (answer.json_object() or {}).get("access_token")
    if answer.status != 200 or not isinstance(token, str):
        return Step("Token", False, f"{shown_url(url)} answered {answer.status} without a token", hint), None
    hide(token)
    return Step("Token", True, f"from {shown_url(url)}"), token


def _jwt(client_id: str, client_secret: str) -> str:
    """A token for the client, signed with HS256, valid for five minutes [C]."""
    now = int(time.time())
    parts = (
        {"alg": "HS256", "typ": "JWT"},
        {"iss": client_id, "sub": client_id, "iat": now, "exp": now + _JWT_SECONDS},
    )
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return (
        f"{signed}.{_base64url(hmac.new(client_secret.encode(), signed.encode(), hashlib.sha256).digest())}"
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _body() -> dict[str, Any]:
    """The body of a verification: EventBridge's envelope [G]; the names in it are ours [C]."""
    now = utc_now("milliseconds")
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "TARGET_VERIFICATION",
        "source": "genesys-eventbridge/probe",
        "account": "000000000000",
        "time": now,
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "topicName": "TARGET_VERIFICATION",
            "version": "1",
            "eventBody": {"targetId": "probe"},
            "metadata": {"CorrelationId": str(uuid4())},
            "timestamp": now,
        },
    }
