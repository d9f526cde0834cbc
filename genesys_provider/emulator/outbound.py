"""The emulator's requests to endpoints: a POST with the target's authentication and headers.

Verifications, health checks and deliveries all use it [S]. TLS is verified; redirects are not followed. Headers of
a target that belong to the connection or describe the body are left out, since the sender sets them. The
authentication on the wire, by `authType`:

- `BASIC`: HTTP Basic.
- `OAUTH2`: a bearer token from `tokenUrl`, requested each time by client credentials (HTTP Basic, form body).
- `JWT`: a bearer token signed with HS256 and `clientSecret`, whose `iss` and `sub` are the `clientId`. Without a
  `clientSecret` no token is sent, since nothing can sign it [C].
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import httpx

from genesys_provider.emulator.headers import is_senders_own

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from genesys_provider.emulator.target_store import StoredTarget

ENDPOINT_SECONDS = 10.0
"""How long an endpoint may take to answer [C]: the same as for a gateway's webhook in [S]."""

MAX_CONCURRENT = 200
"""The maximum number of open requests to endpoints, to limit file descriptors; further requests wait."""

_JWT_SECONDS = 300
_CLOSING_SECONDS = 0.2


@dataclass(frozen=True)
class PostResult:
    """The outcome of a request to an endpoint.

    Attributes:
        status: The HTTP status of the answer, if there was one.
        error: Why the request counts as failed, for humans; None after a 2xx answer.
        timed_out: Whether it failed because there was no answer in time.
    """

    status: int | None = None
    error: str | None = None
    timed_out: bool = False


class _RefusedTokenError(Exception):
    """The target's token endpoint returned no token; the message tells why."""


class _UnsendableHeadersError(Exception):
    """The target's headers are not valid HTTP."""


class Outbound:
    """The HTTP client for endpoints.

    Args:
        ca_file: A CA in PEM that is trusted in addition to the system's.
        seconds: How long an endpoint may take to answer.

    Raises:
        ValueError: The CA can't be used.
    """

    def __init__(self, ca_file: Path | None = None, seconds: float = ENDPOINT_SECONDS) -> None:
        context = ssl.create_default_context()
        if ca_file is not None:
            try:
                context.load_verify_locations(ca_file)
            except OSError as error:
                raise ValueError(f"The CA in {ca_file} can't be used: {error}") from error
        self._seconds = seconds
        self._requests: set[asyncio.Task[httpx.Response]] = set()
        self._turns = asyncio.Semaphore(MAX_CONCURRENT)
        self._client = httpx.AsyncClient(
            verify=context,
            trust_env=False,
            # The limit for the whole request is set around it. The limit of the handshake is slightly shorter.
            timeout=httpx.Timeout(None, connect=0.9 * seconds),
            # Keep few idle connections, and only briefly: the pool checks all of them at each request, and
            # an endpoint may close one just as it is used.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=2),
            # Never send the cookies of one endpoint to another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "genesys-eventbridge-emulator"},
        )

    async def close(self) -> None:
        """Close the connections; open requests get a moment to complete."""
        if self._requests:
            await asyncio.wait(self._requests, timeout=_CLOSING_SECONDS)
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._client.aclose()

    async def post(self, target: StoredTarget, event: Mapping[str, Any]) -> PostResult:
        """POST the event to the target's endpoint. Failures are returned in the outcome, not raised."""
        async with self._turns:
            # Use a separate task, which continues if the caller is cancelled: httpcore leaks the socket of
            # a request that is cancelled during its TLS handshake.
            request = asyncio.create_task(self._post(target.config, event))
            self._requests.add(request)
            request.add_done_callback(self._ended)
            try:
                response = await asyncio.wait_for(asyncio.shield(request), self._seconds)
            except (asyncio.TimeoutError, httpx.TimeoutException):
                request.cancel()
                return PostResult(error=f"endpoint did not answer within {self._seconds:g} s", timed_out=True)
            except Exception as error:  # noqa: BLE001 - one odd target must not hold up the others
                return PostResult(error=_failed(error))
        if response.is_success:
            return PostResult(response.status_code)
        return PostResult(response.status_code, f"endpoint answered {_answer(response)}")

    def _ended(self, request: asyncio.Task[httpx.Response]) -> None:
        self._requests.discard(request)
        if not request.cancelled():
            # Retrieve it, so that asyncio does not warn about a failure whose caller was cancelled.
            request.exception()

    async def _post(self, config: Mapping[str, Any], event: Mapping[str, Any]) -> httpx.Response:
        headers = _sendable(config["headers"])
        headers["Content-Type"] = "application/json"
        if authorization := await self._authorization(config["authType"], config["authConfig"]):
            headers["Authorization"] = authorization
        return await self._client.post(
            config["endpointUrl"], content=json.dumps(event).encode(), headers=headers
        )

    async def _authorization(self, auth_type: str, auth: Mapping[str, str]) -> str | None:
        if auth_type == "BASIC":
            credentials = f"{auth['username']}:{auth['password']}".encode()
            return "Basic " + base64.b64encode(credentials).decode()
        if auth_type == "OAUTH2":
            return "Bearer " + await self._token(auth)
        if auth_type == "JWT" and "clientSecret" in auth:
            return "Bearer " + signed_jwt(auth.get("clientId", ""), auth["clientSecret"])
        return None

    async def _token(self, auth: Mapping[str, str]) -> str:
        try:
            response = await self._client.post(
                auth["tokenUrl"],
                data={"grant_type": "client_credentials"},
                auth=httpx.BasicAuth(auth["clientId"], auth["clientSecret"]),
            )
        except httpx.TimeoutException:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _RefusedTokenError(f"token endpoint {_failure(error)}") from error
        if not response.is_success:
            raise _RefusedTokenError(f"token endpoint answered {_answer(response)}")
        try:
            token = response.json()["access_token"]
        except (ValueError, KeyError, TypeError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise _RefusedTokenError("token endpoint answered without an access_token")
        return token


def _sendable(given: Mapping[str, Any]) -> httpx.Headers:
    """A target's headers, without those that the sender sets.

    Raises:
        _UnsendableHeadersError: A header is not valid. The API refuses such targets, but a state file may have one.
    """
    own = [(name, value) for name, value in given.items() if not is_senders_own(name)]
    try:
        # Header values may be Latin-1, but httpx only accepts ASCII as text.
        return httpx.Headers([(name.encode("ascii"), value.encode("latin-1")) for name, value in own])
    except (AttributeError, UnicodeError) as error:
        raise _UnsendableHeadersError from error


def signed_jwt(client_id: str, client_secret: str) -> str:
    """A JWT for the client, signed with HS256 and valid for five minutes [C]."""
    now = int(time.time())
    parts = (
        {"alg": "HS256", "typ": "JWT"},
        {"iss": client_id, "sub": client_id, "iat": now, "exp": now + _JWT_SECONDS},
    )
    signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    signature = hmac.new(client_secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _answer(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".rstrip()


def _failed(error: Exception) -> str:
    if isinstance(error, _RefusedTokenError):
        return str(error)
    if isinstance(error, (_UnsendableHeadersError, httpx.LocalProtocolError)):
        # Don't use the library's message, which contains the header's value.
        return "the target's headers can't be sent: they are not valid HTTP"
    if isinstance(error, (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError)):
        return f"endpoint {_failure(error)}"
    return f"the request could not be sent: {type(error).__name__}"


def _failure(error: Exception) -> str:
    text = str(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"failed TLS: {text}"
        cause = cause.__cause__ or cause.__context__
    return f"unreachable: {text}"
