"""The organization, which is part of the identity of a target or source: an id means nothing in another one.

Settings that lead to another organization (another region, client or address) would find none of a stack's objects:
a refresh would drop them from the state, and a `destroy` would report success but leave them in place. So before
we read, change or delete anything, we compare the organization in the state with the current one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genesys_provider.client.errors import ApiError, GenesysError
from genesys_provider.client.shared import SharedCall

if TYPE_CHECKING:
    # Error texts import this module too, and must not load an HTTP client.
    from genesys_provider.client.api import GenesysClient

_DOES_NOT_SAY = (403, 404, 405, 410, 501)
"""The API refuses or does not know the call [C], though it is documented and needs no permission [G]."""


@dataclass(frozen=True)
class Organization:
    """An organization of Genesys Cloud, and its address."""

    id: str | None
    """None if the service does not tell it; then organizations are distinguished by address alone."""
    api_url: str
    name: str | None = None

    def __str__(self) -> str:
        if not self.id:
            return f"the organization at {self.api_url}"
        named = f" ({self.name})" if self.name else ""
        return f"organization {self.id}{named} at {self.api_url}"


class OtherOrganization(GenesysError):
    """The settings lead to another organization than the object's; nothing was sent to it."""

    hint = (
        "Set GENESYSCLOUD_REGION, GENESYSCLOUD_API_URL and the OAuth client back to those of the organization that "
        "it belongs to"
    )

    def __init__(self, what: str, recorded: Organization, now: Organization) -> None:
        super().__init__(f"{what} belongs to {recorded}, but the configuration leads to {now}")
        self.recorded = recorded
        self.now = now


class Organizations:
    """Asks for the organization when it is first needed, and again after each login. Thread-safe.

    With the same token it can't be another one. With a new token it can, if the address now leads elsewhere.
    """

    def __init__(self, client: GenesysClient, api_url: str) -> None:
        self._client = client
        self._api_url = api_url
        self._known: Organization | None = None
        self._logins = 0
        self._call: SharedCall[Organization] = SharedCall()

    def now(self) -> Organization:
        """The organization of the configured OAuth client: `GET /api/v2/organizations/me` [G].

        If the API itself refuses or does not know the call, the id stays unknown.
        """
        return self._call.result(self._of_this_token, self._ask)

    def _of_this_token(self) -> Organization | None:
        return self._known if self._client.logins == self._logins else None

    def _ask(self) -> Organization:
        try:
            answer = self._client.get_organization()
        except ApiError as error:
            if not error.in_envelope or error.status not in _DOES_NOT_SAY:
                raise
            answer = {}
        self._logins = self._client.logins
        found, name = answer.get("id"), answer.get("name")
        self._known = Organization(
            str(found) if found else None,
            self._api_url,
            str(name) if isinstance(name, str) and name else None,
        )
        return self._known

    def require(self, what: str, organization_id: str | None, api_url: str | None) -> Organization:
        """Returns the current organization, if it is the recorded one.

        If the service does not tell its id, the recorded id is kept until the service tells one again.

        Args:
            what: What belongs to it, for the error: "target 'orders' (id)".
            organization_id: The id recorded in the state, if any.
            api_url: The address recorded in the state, if any.

        Raises:
            OtherOrganization: It is a different one. If either id is unknown, the address decides.
        """
        now = self.now()
        recorded = Organization(organization_id, api_url or "an unknown address")
        if organization_id and now.id:
            same = organization_id == now.id
        else:
            same = api_url is None or api_url == now.api_url
        if not same:
            raise OtherOrganization(what, recorded, now)
        return now if now.id else replace(now, id=organization_id)
