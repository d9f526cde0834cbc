"""One HTTP exchange: mandatory TLS verification, time limits, a maximum response size, and typed errors."""

from __future__ import annotations

import json
import math
import re
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from genesys_provider.client.errors import ConfigurationError, ConnectionFailed, UnexpectedAnswer
from genesys_provider.client.proxies import Proxy, proxy_for
from genesys_provider.client.redaction import shortened
from genesys_provider.client.settings import Settings, UrlKey
from genesys_provider.client.trust import trust, untrusted_hint

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Far more than a page of 100 targets; a server that sends more is not Genesys Cloud."""

_HALF = re.compile(rb"\\u[dD]|\xed[\xa0-\xbf]")
"""What half a character may begin with: an escape, or half a surrogate pair in UTF-8, which Python accepts."""

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
"""Failures of requests that did not reach the server."""


class _Routes(httpx.BaseTransport):
    """Sends each request directly or through a proxy, as `proxy_for` decides."""

    def __init__(self, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._context = context
        self._limits = limits
        self._lock = threading.Lock()
        self._ways: dict[Proxy | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._way(proxy_for(request.url)).handle_request(request)

    def close(self) -> None:
        for way in self._ways.values():
            way.close()

    def _way(self, proxy: Proxy | None) -> httpx.HTTPTransport:
        with self._lock:
            if proxy not in self._ways:
                self._ways[proxy] = self._made(proxy)
            return self._ways[proxy]

    def _made(self, proxy: Proxy | None) -> httpx.HTTPTransport:
        through = None
        if proxy is not None:
            context = self._context if proxy.url.scheme == "https" else None
            through = httpx.Proxy(proxy.url, ssl_context=context)
        try:
            return httpx.HTTPTransport(
                verify=self._context, limits=self._limits, trust_env=False, proxy=through
            )
        except ImportError as error:
            raise ConfigurationError(
                f"{proxy} speaks SOCKS, which needs another package",
                hint="Add httpx[socks] to requirements.txt and install it, or use an HTTP proxy",
            ) from error


def connections(
    ca_file: Path | None, *, seconds: float, most: int, headers: Mapping[str, str] | None = None
) -> httpx.Client:
    """An HTTP client for `exchange`, with the environment's proxies and the CAs of `trust`.

    Args:
        ca_file: An additional trusted CA.
        seconds: Time limit for each step of a request: connecting, sending, receiving the next chunk.
        most: Maximum number of connections, all kept open; further requests wait.
        headers: Sent with every request.

    Raises:
        ConfigurationError: The CAs can't be read.
    """
    return httpx.Client(
        transport=_Routes(trust(ca_file), httpx.Limits(max_connections=most, max_keepalive_connections=most)),
        trust_env=False,
        timeout=httpx.Timeout(seconds, pool=None),
        headers=headers,
    )


@dataclass(frozen=True)
class Answer:
    """A complete response. `reason_phrase` is the server's text and may repeat a secret."""

    status: int
    reason_phrase: str
    headers: httpx.Headers
    body: bytes

    @property
    def reason(self) -> str:
        """The reason phrase, safe to show."""
        return shortened(self.reason_phrase)

    @property
    def said(self) -> str:
        """What the server says, safe to show: the body, or else the reason phrase, which may be empty too."""
        return shortened(self.text) or self.reason or "no reason given"

    @property
    def redirects(self) -> bool:
        """Whether it is a redirect."""
        return 300 <= self.status < 400

    @property
    def text(self) -> str:
        """The body as text; invalid bytes are replaced."""
        return self.body.decode("utf-8", "replace")

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object; None if it isn't one.

        Half a surrogate pair is replaced, and numbers that JSON does not have, such as NaN, are read as null.
        """
        try:
            body = json.loads(self.body, parse_constant=_finite, parse_float=_finite)
            if _HALF.search(self.body):
                # JSON can express half a character; no file, database or protocol of ours can hold it.
                body = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None


def exchange(
    client: httpx.Client, method: str, url: str, *, what: str, auth: httpx.Auth | None = None, **request: Any
) -> Answer:
    """Sends one request and reads its response. Redirects are not followed, so that no secret goes elsewhere.

    Args:
        client: The client to use.
        method: HTTP method.
        url: The URL.
        auth: The authentication, if any.
        what: The call as errors name it: `GET /api/v2/…`.
        request: Arguments for `httpx.Client.build_request`.

    Raises:
        ConfigurationError: The URL is invalid, or its proxy can't be used.
        ConnectionFailed: There was no complete response.
        UnexpectedAnswer: The response is larger than `MAX_ANSWER_BYTES`.
    """
    try:
        outgoing = client.build_request(method, url, **request)
        answer = client.send(outgoing, stream=True, follow_redirects=False, auth=auth)
        try:
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise UnexpectedAnswer(f"{what}: the response is larger than {MAX_ANSWER_BYTES} bytes")
        finally:
            answer.close()
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ConfigurationError(f"{what}: the URL can't be used: {error}") from error
    except httpx.HTTPError as error:
        proxy = proxy_for(httpx.URL(url))
        untrusted = _untrusted(error)
        failure = ConnectionFailed(
            f"{what}: {_in_words(error)}" + (f", through {proxy}" if proxy else ""),
            maybe_acted=not isinstance(error, NOT_SENT),
            hint=untrusted_hint() if untrusted else None,
        )
        # A retry would meet the same certificate.
        failure.tried_enough = untrusted
        raise failure from error
    return Answer(answer.status_code, answer.reason_phrase, answer.headers, bytes(body))


def where_to_look(key: UrlKey, settings: Settings) -> str:
    """The hint for responses that seem to come from something other than Genesys Cloud.

    Args:
        key: The config key of the URL in question.
        settings: The connection.
    """
    proxy = proxy_for(httpx.URL(settings.url_of(key)))
    return (
        f"Something between here and Genesys Cloud may have answered in its place: check {settings.origin_of(key)}"
        + (f", and {proxy}" if proxy else "")
    )


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _untrusted(error: BaseException) -> bool:
    """Whether an untrusted certificate is the cause; httpx keeps it only in the exception chain."""
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
    return shortened(str(error)).rstrip(".") or type(error).__name__
