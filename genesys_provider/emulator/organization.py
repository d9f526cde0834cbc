"""The organization: `GET /api/v2/organizations/me`, which every client may call [G]."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from genesys_provider.emulator.database import Database
    from genesys_provider.emulator.login import Authorization

ORGANIZATION_PATH = "/api/v2/organizations/me"

SCHEMA = ("CREATE TABLE IF NOT EXISTS organization (id TEXT NOT NULL)",)


def organization_id(database: Database, wanted: str | None) -> str:
    """The organization's id: `wanted`, or the stored one, or a new one; it is stored."""
    row = database.execute("SELECT id FROM organization").fetchone()
    chosen: str = wanted or (row[0] if row else str(uuid4()))
    database.execute("REPLACE INTO organization (rowid, id) VALUES (1, ?)", (chosen,))
    return chosen


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
