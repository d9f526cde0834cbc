"""Login and authorization: issues tokens to the OAuth client, and checks them at each call.

`POST /oauth/token` is OAuth2's client credentials grant [S][G]. A token has the scopes that the OAuth client had
when it was issued. `POST /emulator/scopes` changes them, to test missing scopes, and `POST /emulator/client-secret`
rotates the client's secret.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_plus

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genesys_provider.emulator.bodies import read_body
from genesys_provider.emulator.errors import ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from genesys_provider.emulator.limits import RateLimiter
    from genesys_provider.emulator.tokens import Tokens

    Endpoint = Callable[[Request], Awaitable[Response]]

READ = "integration:eventbridge:read"
WRITE = "integration:eventbridge:write"
INTEGRATION_WRITE = "integration:write"
INTEGRATIONS = "integrations"
INTEGRATIONS_READ = "integrations:readonly"
ALL_SCOPES = frozenset({READ, WRITE, INTEGRATION_WRITE, INTEGRATIONS, INTEGRATIONS_READ})
"""The scopes for targets [S] and for integrations [G]."""

LOGIN_PATH = "/oauth/token"
TOKEN_SECONDS = 86_400
"""[G]: usually a day."""

INVALID_CLIENT = {
    "error": "invalid_client",
    "description": "authentication failed",
    "error_description": "authentication failed",
}
"""[G]"""

THROTTLED = {
    "error": "invalid_request",
    "description": "rate limit exceeded; retry later",
    "error_description": "rate limit exceeded; retry later",
}
"""The token endpoint's throttling error, with status 400 [G]; sent here by an injected fault with that status."""


def bearer_token(authorization: str) -> str | None:
    """The bearer token in an `Authorization` header, valid or not."""
    kind, _, token = authorization.partition(" ")
    return token if kind.lower() == "bearer" else None


@dataclass
class OAuthClient:
    """The confidential client that may log in, and the scopes of its next tokens."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: frozenset[str] = ALL_SCOPES

    def __post_init__(self) -> None:
        self._first_secret = self.client_secret

    def reset(self) -> None:
        """Restore the initial scopes and secret."""
        self.scopes, self.client_secret = ALL_SCOPES, self._first_secret


class Authorization:
    """Issues tokens, and checks them at each call of the API."""

    def __init__(self, client: OAuthClient, tokens: Tokens, limit: RateLimiter) -> None:
        self.client = client
        self._tokens = tokens
        self._limit = limit

    def routes(self) -> list[Route]:
        """The token endpoint."""
        return [Route(LOGIN_PATH, self._token, methods=["POST"])]

    def guarded(self, endpoint: Endpoint, *scopes: str, permission: str | None = None) -> Endpoint:
        """Restricts an endpoint to callers with a valid token that has these scopes and is within its rate limit.

        If the call's permission is known, a 403 names it: a client with client credentials has roles [G].
        """

        async def guard(request: Request) -> Response:
            held = self.admit(request)
            if missing := [scope for scope in scopes if scope not in held]:
                kind, names = ("scope", missing) if permission is None else ("permission", [permission])
                raise ErrorResponse(
                    403,
                    f"Unable to perform the requested action. You are missing the following {kind}(s): "
                    + ", ".join(names),
                )
            return await endpoint(request)

        return guard

    def admit(self, request: Request) -> frozenset[str]:
        """Count a request of the token, and return the token's scopes.

        Raises:
            ErrorResponse: 401, or 429 over the limit.
        """
        token = bearer_token(request.headers.get("authorization", ""))
        held = None if token is None else self._tokens.scopes_of(token)
        if token is None or held is None:
            raise ErrorResponse(401, "Invalid login credentials.")  # [G]
        self._limit.count(token)
        return held | {INTEGRATIONS_READ} if INTEGRATIONS in held else held

    async def _token(self, request: Request) -> Response:
        form = parse_qs((await read_body(request)).decode("utf-8", "replace"))
        if not self._knows(request.headers.get("authorization", "")):
            # RFC 6749, 5.2; Genesys Cloud answers 400 or 401 [G].
            return JSONResponse(INVALID_CLIENT, 401, headers={"WWW-Authenticate": 'Basic realm="genesys"'})
        if form.get("grant_type") != ["client_credentials"]:
            fault = "grant_type must be client_credentials"
            return JSONResponse(
                {"error": "unsupported_grant_type", "description": fault, "error_description": fault}, 400
            )
        token = secrets.token_urlsafe(48)
        self._tokens.add(token, self.client.scopes, TOKEN_SECONDS)
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS},
            headers={"Cache-Control": "no-store"},
        )

    def _knows(self, authorization: str) -> bool:
        kind, _, credentials = authorization.partition(" ")
        if kind.lower() != "basic":
            return False
        try:
            client_id, _, client_secret = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return False
        right = (self.client.client_id, self.client.client_secret)
        # RFC 6749 form-encodes id and secret first, but most clients don't, so accept both.
        return any(
            secrets.compare_digest("\0".join(given).encode(), "\0".join(right).encode())
            for given in ((client_id, client_secret), (unquote_plus(client_id), unquote_plus(client_secret)))
        )
