"""One HTTP exchange: TLS that can't be turned off, time limits, a bound on what is read, failures by name."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from genesys_provider.client.errors import ConfigurationError, ConnectionFailed, UnexpectedAnswer, shortened
from genesys_provider.client.proxies import Proxy, proxy_for
from genesys_provider.client.settings import ENVIRONMENT
from genesys_provider.client.trust import trust, untrusted_hint

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


class _Routes(httpx.BaseTransport):
    """Sends each request directly or through a proxy, as `proxy_for` says."""

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
                f"{proxy} speaks SOCKS, for which a package is missing",
                hint="Add httpx[socks] to requirements.txt and install it, or name a proxy that speaks HTTP",
            ) from error


def connections(
    ca_file: Path | None, *, seconds: float, most: int, headers: Mapping[str, str] | None = None
) -> httpx.Client:
    """Connections for `exchange`, through the environment's proxies, with the CAs that `trust` names.

    Args:
        ca_file: A CA that is trusted besides.
        seconds: Time limit of each step of a request: to connect, to send, to wait for the next part.
        most: How many connections at a time, all kept open; who needs one more waits.
        headers: What each request carries.

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
    """A whole answer; `body` is its bytes, `reason_phrase` the server's own words, which may repeat a secret."""

    status: int
    reason_phrase: str
    headers: httpx.Headers
    body: bytes

    @property
    def reason(self) -> str:
        """The reason phrase, fit to be shown."""
        return shortened(self.reason_phrase)

    @property
    def redirects(self) -> bool:
        """Whether it sends us elsewhere."""
        return 300 <= self.status < 400  # noqa: PLR2004

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes."""
        return self.body.decode("utf-8", "replace")

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object; None where it is none."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None


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
        ConfigurationError: There can't be such a URL, or its proxy can't be used.
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
        proxy = proxy_for(httpx.URL(url))
        untrusted = _untrusted(error)
        failure = ConnectionFailed(
            f"{what}: {_in_words(error)}" + (f", through {proxy}" if proxy else ""),
            maybe_acted=not isinstance(error, NOT_SENT),
            hint=untrusted_hint() if untrusted else None,
        )
        # No other try makes a certificate trusted.
        failure.tried_enough = untrusted
        raise failure from error
    return Answer(answer.status_code, answer.reason_phrase, answer.headers, bytes(body))


def where_to_look(key: str, url: str) -> str:
    """What to check where something else seems to have answered in place of Genesys Cloud.

    Args:
        key: The config key that says where the request went: `apiUrl` or `loginUrl`.
        url: What it says.
    """
    proxy = proxy_for(httpx.URL(url))
    return (
        "Something between here and Genesys Cloud may have answered in its place: check "
        f"{ENVIRONMENT[key]} or {ENVIRONMENT['region']}, which lead to {url}"
        + (f", and {proxy}" if proxy else "")
    )


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
    return shortened(str(error)).rstrip(".") or type(error).__name__
