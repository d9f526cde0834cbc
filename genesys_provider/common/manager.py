"""What every manager of an organization's things has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.settings import Settings
from genesys_provider.common.audit import AuditTrail
from genesys_provider.common.organization import Organization, Organizations
from genesys_provider.common.run import Run

if TYPE_CHECKING:
    from typing_extensions import Self


class Manager:
    """One organization, and one login to it. Safe for threads.

    Args:
        settings: Where, as whom, how patient.
        cancelled: When set, every wait ends at once.
        run: What the engine has shown in this run; a script has none.
        clock: Seconds.
        beside: A manager of another kind with the same settings: login, rate limit and organization are shared.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        cancelled: threading.Event | None = None,
        run: Run | None = None,
        clock: Callable[[], float] = time.monotonic,
        beside: Manager | None = None,
    ) -> None:
        self.settings = settings
        self._cancelled = cancelled or threading.Event()
        self._run = run or Run()
        self._clock = clock
        self.audit: AuditTrail
        if beside is None:
            self.audit = AuditTrail(settings.audit_log, settings.audit_key)
            self._client = GenesysClient(settings, cancelled=self._cancelled, clock=clock)
            self._organizations = Organizations(self._client, settings.api_url)
        else:
            self.audit = beside.audit
            self._client, self._organizations = beside._client, beside._organizations  # noqa: SLF001

    @classmethod
    def from_environment(cls) -> Self:
        """A manager as the environment variables `GENESYSCLOUD_…` say, those of the Terraform provider [G].

        Raises:
            ConfigurationError: One of them is wrong.
        """
        settings = Settings.resolve({})
        with settings.naming_variables():
            return cls(settings)

    def close(self) -> None:
        """Closes all connections, those of a manager beside it too."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def organization(self) -> Organization:
        """The organization that this manager works in, asked for once: `GET /api/v2/organizations/me` [G]."""
        return self._organizations.now()

    def require_organization(
        self, what: str, organization_id: str | None, api_url: str | None
    ) -> Organization:
        """The organization, if it is the one that was recorded earlier.

        Args:
            what: What belongs to it, for the error: «target 'orders'».
            organization_id: The recorded id, if there is one.
            api_url: The recorded address, if there is one.

        Raises:
            OtherOrganization: It is another one.
        """
        return self._organizations.require(what, organization_id, api_url)
