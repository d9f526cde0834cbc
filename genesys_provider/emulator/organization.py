"""The organization: `GET /api/v2/organizations/me`, which every client may call [G]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from genesys_provider.emulator.login import Authorization

ORGANIZATION_PATH = "/api/v2/organizations/me"


class OrganizationRoute:
    """The emulated organization.

    Args:
        organization_id: Its id, a UUID.
    """

    def __init__(self, organization_id: str) -> None:
        self.id = organization_id

    def routes(self, login: Authorization) -> list[Route]:
        """The single call; it needs a token, but no scope [G]."""
        return [Route(ORGANIZATION_PATH, login.guarded(self.me), methods=["GET"])]

    async def me(self, _: Request) -> Response:
        """`GET /api/v2/organizations/me`: the fields that clients rely on [G]."""
        return JSONResponse(
            {
                "id": self.id,
                "name": f"Emulated {self.id[:8]}",
                "domain": "emulated",
                "thirdPartyOrgName": "emulated",
                "state": "active",
                "version": 1,
                "features": {},
                "productPlatform": "PureCloud",
                "selfUri": ORGANIZATION_PATH,
            }
        )
