"""The organization: part of the identity of a target or a source, since an id means nothing in another one.

A configuration that points at another organization (another region, client or address) would find nothing that a
stack has: a refresh would forget it, a `destroy` would report success and leave it alive. So whoever reads, changes
or deletes something first compares the organization that the state recorded with the one that answers now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import ApiError
from genesys_provider.client.shared import SharedCall
from genesys_provider.common.errors import OtherOrganization

_DOES_NOT_SAY = (403, 404, 405, 410, 501)
"""The API itself refuses the call or does not know it [C]; it is public and needs no permission [G]."""


@dataclass(frozen=True)
class Organization:
    """An organization of Genesys Cloud, and where it is reached."""

    id: str | None
    """None where the service does not say: then the address alone tells organizations apart."""
    api_url: str
    name: str | None = None

    def __str__(self) -> str:
        named = f" ({self.name})" if self.name else ""
        return f"organization {self.id}{named} at {self.api_url}" if self.id else f"the one at {self.api_url}"


class Organizations:
    """Asks for the organization once, when it is first needed. Safe for threads."""

    def __init__(self, client: GenesysClient, api_url: str) -> None:
        self._client = client
        self._api_url = api_url
        self._known: Organization | None = None
        self._call: SharedCall[Organization] = SharedCall()

    def now(self) -> Organization:
        """The organization that the configured client belongs to: `GET /api/v2/organizations/me` [G].

        A service that refuses the call, or knows no such call, does not say its organization. A proxy that does
        so says nothing of it.
        """
        return self._call.result(lambda: self._known, self._ask)

    def _ask(self) -> Organization:
        try:
            answer = self._client.get_organization()
        except ApiError as error:
            if not error.in_envelope or error.status not in _DOES_NOT_SAY:
                raise
            answer = {}
        found, name = answer.get("id"), answer.get("name")
        self._known = Organization(
            str(found) if found else None,
            self._api_url,
            str(name) if isinstance(name, str) and name else None,
        )
        return self._known

    def require(self, what: str, organization_id: str | None, api_url: str | None) -> Organization:
        """The organization that answers now, if it is the recorded one.

        Where the service does not say its id, the recorded id stays: it counts again when the service says it.

        Args:
            what: Whose it is, for the error: «target 'orders' (id)».
            organization_id: The id that the state recorded, if it did.
            api_url: The address that the state recorded, if it did.

        Raises:
            OtherOrganization: It is another one. Where one of the two ids is not known, the address decides.
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
