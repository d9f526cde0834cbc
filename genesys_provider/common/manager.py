"""The common part of the managers of targets and sources."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import PERMANENT, Cancelled, GenesysError, NotFound
from genesys_provider.client.limits import Allowance
from genesys_provider.client.settings import Settings
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.directory import Directory
from genesys_provider.common.organization import Organization, Organizations
from genesys_provider.common.ownership import Owner
from genesys_provider.common.reader import Listed, Reader
from genesys_provider.common.run import Run
from genesys_provider.common.writes import LastWrite, Writes
from genesys_provider.common.writing import Wanted, Writing

if TYPE_CHECKING:
    from typing_extensions import Self


T = TypeVar("T", bound=Listed)
W = TypeVar("W", bound=Wanted)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StatusChange(Generic[T]):
    """A change that `Manager.monitor` saw; a status of None means that the object does not exist."""

    thing: T
    before: str | None
    after: str | None

    @property
    def target(self) -> T:
        """The object, if it is a target: the name that scripts have used from the start."""
        return self.thing


class Manager(Generic[T, W]):
    """One organization, and one login to it. Thread-safe.

    Args:
        settings: Address, credentials, retry and time limits.
        cancelled: Ends all waits when set.
        run: What the engine has shown in this run; a script has none.
        clock: The current time in seconds.
        beside: A manager of another kind with the same settings, to share its login, rate limit and organization.
    """

    _reader: Reader[T]
    _writes: Writes[T]
    _directory: Directory[T]
    _writing: Writing[T, W]

    def __init__(
        self,
        settings: Settings,
        *,
        cancelled: threading.Event | None = None,
        run: Run | None = None,
        clock: Callable[[], float] = time.monotonic,
        beside: Manager[Any, Any] | None = None,
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
        """A manager configured by the environment variables `GENESYSCLOUD_…`, as for the Terraform provider [G].

        Raises:
            ConfigurationError: One of them is invalid.
        """
        settings = Settings.resolve({})
        with settings.naming_sources():
            return cls(settings)

    def close(self) -> None:
        """Closes all connections, including those shared with another manager."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def organization(self) -> Organization:
        """The organization of this manager, requested once for each login: `GET /api/v2/organizations/me` [G]."""
        return self._organizations.now()

    @property
    def allowance(self) -> Allowance:
        """What the rate limit leaves to this manager's token."""
        return self._client.allowance

    def require_organization(
        self, what: str, organization_id: str | None, api_url: str | None
    ) -> Organization:
        """Returns the current organization, if it is the recorded one.

        Args:
            what: What belongs to it, for the error: "target 'orders'".
            organization_id: The recorded id, if any.
            api_url: The recorded address, if any.

        Raises:
            OtherOrganization: It is a different one.
        """
        return self._organizations.require(what, organization_id, api_url)

    def get(
        self,
        id_: str,
        *,
        shared: bool = False,
        last_write: LastWrite | None = None,
        expected: Callable[[T], bool] | None = None,
    ) -> T | None:
        """The object with this id, or None if it does not exist.

        The service may lag behind our writes [G], so an absence counts only `LAG_SECONDS` after our last write.

        Args:
            id_: The id.
            shared: Whether a reading of the whole list may answer, which serves many calls with few requests. It is
                never older than 30 seconds, nor than the last write of this manager.
            last_write: The last write of an earlier process.
            expected: Whether the object is as that process wrote it. If that process had not seen its own write, an
                object that is not as expected may be outdated, and is requested again.
        """
        self._writes.written_earlier(id_, last_write)
        return self._directory.get_settled(id_, shared=shared, expected=expected)

    def find(self, name: str) -> T | None:
        """The current object with this name, or None."""
        return self._directory.find_now(name)

    def list(self) -> Iterator[T]:
        """All objects of the organization, 100 per request, requested as needed."""
        for page in self._reader.pages():
            yield from page.things

    def delete(
        self, id_: str, *, owner: Owner | None = None, last_write: LastWrite | None = None
    ) -> T | None:
        """Deletes the object. It is not an error if the object is already gone.

        Args:
            id_: The id.
            owner: The resource that deletes it. None for a script, which decides for itself.
            last_write: The last write of an earlier process.

        Returns:
            The object, if it was left in place because another resource now owns it.

        Raises:
            StillThere: The service accepted the deletion, but still shows the object.
        """
        self._writes.written_earlier(id_, last_write)
        left = self._writing.delete(id_, owner)
        return None if left is None else left.thing.model_copy(update={"owner": left.owner})

    def monitor(self, interval: float = 30.0) -> Iterator[StatusChange[T]]:
        """Yields each change of a status from this call on, until the manager's `cancelled` is set.

        The call itself takes the first reading. After a failed reading, the next one catches up.

        Args:
            interval: Seconds between two readings of the list.
        """
        return self._changes_since(self._current({}), interval)

    def _changes_since(self, known: dict[str, T] | None, interval: float) -> Iterator[StatusChange[T]]:
        unread = known is None
        while not self._cancelled.wait(interval):
            now = self._current(known or {})
            if now is None:
                unread = True
                continue
            if unread:
                _log.warning("the list can be read again")
            unread = False
            before = now if known is None else known
            for id_, thing in {**before, **now}.items():
                was, is_now = _status(before.get(id_)), _status(now.get(id_))
                if was != is_now:
                    yield StatusChange(thing, was, is_now)
            known = now

    def _current(self, known: Mapping[str, T]) -> dict[str, T] | None:
        """The current objects by id, or None if they can't be read now."""
        try:
            now = {thing.id: thing for thing in self.list() if thing.status}
            for id_ in known.keys() - now.keys():
                # Pages can shift during a listing, so confirm with a single GET.
                if (thing := self._directory.get_now(id_)) is not None:
                    now[id_] = thing
        except Cancelled:
            return None
        except PERMANENT:
            raise
        except GenesysError as error:
            _log.warning("the list can't be read now, retrying: %s", error)
            return None
        return now

    def _gone_meanwhile(self, id_: str, what: str, error: NotFound) -> NotFound:
        """The error for an object that was deleted during a wait; also updates the directory."""
        self._writes.deleted(id_)
        return NotFound(f"{what}: {error.message}", status=error.status, correlation_id=error.correlation_id)

    def _failed(self, event: AuditEvent, id_: str | None, started: float, error: GenesysError) -> None:
        """Records a failure in the audit trail."""
        self.audit.record(event, id_, latency_seconds=self._clock() - started, error=error.message)


def _status(thing: Listed | None) -> str | None:
    return None if thing is None else thing.status
