"""Login: tokens for the one OAuth client, and who may make which call.

`POST /oauth/token` is OAuth2's client credentials grant [S][G]. A token carries the scopes that the OAuth
client has when it is issued; `POST /emulator/scopes` changes them, to see what a missing one does, and
`POST /emulator/client-secret` rotates the client's secret.
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
from genesys_provider.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from genesys_provider.emulator.limits import RateLimit
    from genesys_provider.emulator.store import Store

    Endpoint = Callable[[Request], Awaitable[Response]]

READ = "integration:eventbridge:read"
WRITE = "integration:eventbridge:write"
INTEGRATION_WRITE = "integration:write"
INTEGRATIONS = "integrations"
INTEGRATIONS_READ = "integrations:readonly"
ALL_SCOPES = frozenset({READ, WRITE, INTEGRATION_WRITE, INTEGRATIONS, INTEGRATIONS_READ})
"""Those of the targets [S], and those of the integrations [G]."""

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
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
"""How the token endpoint throttles, with status 400 [G]; here an injected fault with status 400 does."""


def bearer_token(authorization: str) -> str | None:
    """The token in a header `Authorization`, valid or not."""
    kind, _, token = authorization.partition(" ")
    return token if kind.lower() == "bearer" else None


@dataclass
class OAuthClient:
    """The confidential client that may log in, and the scopes that its next tokens get."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: frozenset[str] = ALL_SCOPES

    def __post_init__(self) -> None:
        self._first_secret = self.client_secret

    def reset(self) -> None:
        """The scopes and the secret are those that it began with."""
        self.scopes, self.client_secret = ALL_SCOPES, self._first_secret


class Login:
    """Issues tokens, and checks them at each call of the API."""

    def __init__(self, client: OAuthClient, store: Store, limit: RateLimit) -> None:
        self.client = client
        self._store = store
        self._limit = limit

    def routes(self) -> list[Route]:
        """The token endpoint."""
        return [Route(TOKEN_PATH, self._token, methods=["POST"])]

    def guarded(self, endpoint: Endpoint, *scopes: str, permission: str | None = None) -> Endpoint:
        """The endpoint, for callers with a valid token, within its rate limit, with these scopes.

        Where the call's permission is known, a 403 names that: a client with client credentials has roles [G].
        """

        async def guard(request: Request) -> Response:
            held = self.admit(request)
            if missing := [scope for scope in scopes if scope not in held]:
                kind, names = ("scope", missing) if permission is None else ("permission", [permission])
                raise ApiError(
                    403,
                    f"Unable to perform the requested action. You are missing the following {kind}(s): "
                    + ", ".join(names),
                )
            return await endpoint(request)

        return guard

    def admit(self, request: Request) -> frozenset[str]:
        """The scopes of the request's token, of whose limit one more request is used.

        Raises:
            ApiError: 401, or 429 beyond the limit.
        """
        token = bearer_token(request.headers.get("authorization", ""))
        held = None if token is None else self._store.scopes_of(token)
        if token is None or held is None:
            raise ApiError(401, "Invalid login credentials.")  # [G]
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
        self._store.add_token(token, self.client.scopes, TOKEN_SECONDS)
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
        # RFC 6749 has id and secret form-encoded first; most clients don't: take both.
        return any(
            secrets.compare_digest("\0".join(given).encode(), "\0".join(right).encode())
            for given in ((client_id, client_secret), (unquote_plus(client_id), unquote_plus(client_secret)))
        )
