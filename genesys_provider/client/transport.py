"""One HTTP exchange: TLS that can't be turned off, time limits, a bound on what is read, failures by name."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from genesys_provider.client.errors import ConfigurationError, ConnectionFailed, UnexpectedAnswer

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Far more than a page of 100 targets; a server that sends more is not Genesys Cloud."""

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
"""The failures of a request that has not reached the server."""

UNTRUSTED_HINT = (
    "If its certificate is signed by a CA of your own (a gateway, an inspecting proxy), name that CA's file in "
    "genesys:caFile"
)


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The system's CAs, and the one of `ca_file` besides them.

    Raises:
        ConfigurationError: The file can't be read or holds no certificate.
    """
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"genesys:caFile {ca_file} can't be used: {error.strerror or error}",
                hint="It must be a readable file of certificates in PEM form",
            ) from error
    return context


@dataclass(frozen=True)
class Answer:
    """A whole answer; `body` is its bytes."""

    status: int
    reason: str
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes."""
        return self.body.decode("utf-8", "replace")


def exchange(
    client: httpx.Client, method: str, url: str, *, what: str, auth: httpx.Auth | None = None, **request: Any
) -> Answer:
    """Sends one request and reads its answer; redirects are not followed, so that no secret goes elsewhere.

    Args:
        client: The connections to use.
        method: HTTP method.
        url: Where to.
        auth: How to authenticate, if at all.
        what: The call in the user's words, for errors: `GET /api/v2/…`.
        request: As `httpx.Client.build_request` takes it.

    Raises:
        ConfigurationError: There can't be such a URL.
        ConnectionFailed: No whole answer came.
        UnexpectedAnswer: The answer is larger than `MAX_ANSWER_BYTES`.
    """
    try:
        outgoing = client.build_request(method, url, **request)
        answer = client.send(outgoing, stream=True, follow_redirects=False, auth=auth)
        try:
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise UnexpectedAnswer(f"{what}: the answer is larger than {MAX_ANSWER_BYTES} bytes")
        finally:
            answer.close()
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ConfigurationError(f"{what}: the URL can't be used: {error}") from error
    except httpx.HTTPError as error:
        untrusted = _untrusted(error)
        failure = ConnectionFailed(
            f"{what}: {_in_words(error)}",
            maybe_acted=not isinstance(error, NOT_SENT),
            hint=UNTRUSTED_HINT if untrusted else None,
        )
        # No other try makes a certificate trusted.
        failure.tried_enough = untrusted
        raise failure from error
    return Answer(answer.status_code, answer.reason_phrase, answer.headers, bytes(body))


def _untrusted(error: BaseException) -> bool:
    """Whether the server's certificate is the cause, which httpx hands on as text and as context."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _in_words(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer within the time limit"
    if isinstance(error, httpx.DecodingError):
        return "the answer can't be decoded"
    return str(error).rstrip(".") or type(error).__name__
