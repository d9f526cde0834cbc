"""What the engine asks of a resource that has an owner and lives in an organization: a target, a source.

`check`, `diff`, `read` and `delete` are the same for all of them. They differ in their properties, for which each
has a module, and in their manager. `create` and `update` are each one's own; what those have in common is below.

Providers pickle by reference, so nothing of them lands in a state; the modules that they work with are loaded where
they work, in the provider host, and not in the program that declares.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    DiffResult,
    ReadResult,
    ResourceProvider,
)

from genesys_provider.host.operation import (
    ChangeKind,
    DetailedDiffResult,
    InitFailed,
    OperationError,
    current,
)

if TYPE_CHECKING:
    from genesys_provider.client.errors import GenesysError
    from genesys_provider.common.faults import Fault
    from genesys_provider.common.manager import Manager
    from genesys_provider.common.ownership import Owned, Owner
    from genesys_provider.common.writes import LastWrite


class OwnedProperties(Protocol):
    """The module of a kind's properties."""

    def with_defaults(self, news: Mapping[str, Any], api_url: str) -> dict[str, Any]:
        """The inputs with every default filled in."""

    def faults(self, olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[Fault]:
        """Every fault of the inputs."""

    def changes(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
        """What an update changes, by property path."""

    def last_write(self, state: Mapping[str, Any]) -> LastWrite | None:
        """The last write of an earlier run."""

    def expected(self, state: Mapping[str, Any]) -> Callable[[Any], bool] | None:
        """Whether what is found is as that run wrote it, where it has not seen so itself."""

    def inputs_read(
        self, state: Mapping[str, Any], found: Any, /, *, owner: str | None, api_url: str
    ) -> dict[str, Any]:
        """The inputs that would make it what it is now."""

    def outputs_read(
        self,
        state: Mapping[str, Any],
        inputs: Mapping[str, Any],
        found: Any,
        /,
        *,
        organization_id: str | None,
        claimed_by: str | None = None,
        imported_from: str | None = None,
    ) -> dict[str, Any]:
        """The state of what was read."""

    def marked(self, bag: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs or outputs with the secrets among them marked."""


class OwnedProvider(ResourceProvider, ABC):
    """Works under our host and under the stock one."""

    serialize_as_secret_always = False
    kind: ClassVar[str]
    """What messages call it."""
    replacing: ClassVar[tuple[str, ...]] = ()
    """The properties that can't be changed in place."""
    lasting: ClassVar[tuple[str, ...]] = ("organizationId",)
    """The outputs that no change in place touches: a preview knows them."""
    _config: Mapping[str, object] = {}

    @abstractmethod
    def properties(self) -> OwnedProperties:
        """The module of its properties."""

    @abstractmethod
    def managed(self, *states: Mapping[str, Any]) -> AbstractContextManager[Manager[Any, Any]]:
        """Its manager, for an operation on these states: `session.managed`."""

    @abstractmethod
    def complaint(self, manager: Any, found: Any) -> str | None:
        """What is wrong with one that was read, in a sentence: the state keeps it, and the next `up` mends it."""

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config; what is wrong with it shows when it is needed."""
        from genesys_provider.resources.properties import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """All faults at once, each on its property; no network."""
        from genesys_provider.resources.session import configured_api_url, run, speaking_of

        with speaking_of(_olds):
            inputs = self.properties().with_defaults(news, configured_api_url(self._config))
            if isinstance(inputs.get("owner"), str):
                # Where a transform ignores all changes, the engine has put the old mark here.
                inputs["owner"] = current().urn or inputs["owner"]
                run.checked(inputs["owner"])
            found = self.properties().faults(_olds, inputs)
            return CheckResult(inputs, [CheckFailure(fault.path, fault.reason) for fault in found])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What changes, property by property; no network.

        Raises:
            OperationError: Another resource of the program has the same object.
        """
        from genesys_provider.resources.owned_properties import facts
        from genesys_provider.resources.properties import with_new_secrets
        from genesys_provider.resources.session import run, speaking_of

        with speaking_of(_olds):
            other = run.shown(_id, _news["owner"]) if isinstance(_news.get("owner"), str) else None
            if other is not None:
                raise OperationError(
                    f"{named(self.kind, _id, _olds)} is in the state twice: as {other} and as {_news['owner']}. "
                    "Both would write it, and removing one of them would delete it for both. Decide which of them "
                    "keeps it, remove the other from the program, and take it out of the state with "
                    "`pulumi state delete '<URN>'`"
                )
            run.learned(_id, facts(_olds))
            found = self.properties().changes(_olds, _news)
            return DetailedDiffResult(
                with_new_secrets(found, _olds, _news),
                # What it has not got yet, it gets in place.
                replaces=[name for name in self.replacing if found.get(name) == "update"],
                stables=[name for name in self.lasting if name in _olds],
            )

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it is, for a refresh or, without properties, an import; gone where there is none."""
        from genesys_provider.client.redaction import shown

        properties = self.properties()
        with self.managed(props) as manager:
            organization_id = same_organization(manager, self.kind, id_, props)
            found = manager.get(
                id_,
                shared=True,
                last_write=properties.last_write(props),
                expected=properties.expected(props),
            )
            if found is None:
                return ReadResult(None, {})
            complaint = self.complaint(manager, found)
            if complaint is not None:
                complaint = shown(complaint)
            owner, claimed_by = _owner_read(found, props)
            inputs = properties.inputs_read(props, found, owner=owner, api_url=manager.settings.api_url)
        outs = properties.outputs_read(
            props,
            inputs,
            found,
            organization_id=organization_id,
            claimed_by=claimed_by,
            imported_from=owner if _only_imported(props, owner) else None,
        )
        if complaint is not None and current().records_init_failures:
            raise InitFailed(id_, outs, [complaint], properties.marked(inputs))
        # Without inputs the engine keeps those it has.
        unchanged = all(name in props and props[name] == value for name, value in inputs.items())
        return ReadResult(id_, outs, None if unchanged else properties.marked(inputs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Deletes it; one that is gone already is a success, and so is one that is another's by now."""
        from genesys_provider.resources.session import run, warn

        with self.managed(_props) as manager:
            same_organization(manager, self.kind, _id, _props)
            left = manager.delete(
                _id, owner=_deleting(_props), last_write=self.properties().last_write(_props)
            )
        if left is None:
            run.deleted(_id)
        else:
            warn(f"{left.kind} {left.name!r} ({_id}) is owned by {left.owner} by now, and was left as it is")


class OwnedReader(ResourceProvider):
    """Reads what is not this stack's, for a `get`. There is no way to write or delete one through it."""

    serialize_as_secret_always = False
    of: ClassVar[type[OwnedProvider]]
    """The kind that it reads."""

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config; what is wrong with it shows when it is needed."""
        self._kind = self.of()
        self._kind.configure(req)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it is, in whatever state: to judge that is its own stack's business.

        Raises:
            OperationError: There is none. To a refresh it is just gone.
        """
        kind, properties = self._kind.kind, self._kind.properties()
        with self._kind.managed(props) as manager:
            organization = manager.require_organization(
                f"{kind} {id_}", props.get("organizationId"), props.get("apiUrl")
            )
            found = manager.get(id_, shared=True)
            api_url = manager.settings.api_url
        if found is None:
            if "name" in props:
                return ReadResult(None, {})
            raise OperationError(
                f"there is no {kind} with the id {id_!r} in this organization: it was deleted, or belongs to "
                f"another one. Correct the id, or take this EventBridge{kind.capitalize()}.get out of the program"
            )
        inputs = properties.inputs_read({}, found, owner=found.owner, api_url=api_url)
        return ReadResult(id_, properties.outputs_read({}, inputs, found, organization_id=organization.id))


def named(kind: str, id_: str, state: Mapping[str, Any]) -> str:
    """What messages call it, as far as its name is known."""
    return f"{kind} {state['name']!r} ({id_})" if "name" in state else f"{kind} {id_}"


def same_organization(
    manager: Manager[Any, Any], kind: str, id_: str, state: Mapping[str, Any]
) -> str | None:
    """The id of the organization, if it is the one that the state recorded.

    Raises:
        OtherOrganization: It is another one.
    """
    recorded = state.get("organizationId"), state.get("apiUrl")
    return manager.require_organization(named(kind, id_, state), *recorded).id


def gone(kind: str, id_: str, state: Mapping[str, Any]) -> OperationError:
    """The error of an update that finds nothing to update."""
    return OperationError(
        f"{named(kind, id_, state)} is gone: it was deleted outside of Pulumi. "
        "Run `pulumi up --refresh` to create it again"
    )


def delete_again(manager: Manager[Any, Any], kind: str, id_: str, error: GenesysError) -> NoReturn:
    """Under a host that can't record what a failed create has left: it would be an orphan that is in use.

    Raises:
        OperationError: Always: what `error` says, and what became of it.
    """
    from genesys_provider.client.errors import GenesysError
    from genesys_provider.resources.words import said

    try:
        manager.delete(id_)
    except GenesysError as failure:
        raise OperationError(
            f"{said(error)}. {kind.capitalize()} {id_} could not be deleted again ({failure.message}): the next "
            "`pulumi up` adopts it"
        ) from None
    raise OperationError(f"{said(error)}. The {kind} was deleted again") from None


def _owner(state: Mapping[str, Any]) -> Owner:
    """The resource whose operation this is: by its URN, or where the host does not tell it, by its last mark."""
    from genesys_provider.common.ownership import Owner

    recorded = state.get("owner")
    return Owner(current().urn or recorded or "", recorded)


def _deleting(state: Mapping[str, Any]) -> Owner:
    """The same for a delete: what this resource has imported and never written is still the other's."""
    owner = _owner(state)
    return replace(owner, recorded=None) if "importedFrom" in state else owner


def _owner_read(found: Owned, state: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The owner mark that a reading records, and the foreign one that it only shows; either is told."""
    from genesys_provider.common.ownership import quoted
    from genesys_provider.resources.session import warn

    urn, what = current().urn, f"{found.kind} {found.name!r} ({found.id})"
    if _is_imported(state):
        # An import records whatever mark there is, and so the first update takes it over.
        if found.owner not in (None, urn):
            warn(
                f"{what} is owned by {found.owner}: the next `pulumi up` takes it "
                "over from there, and with `import_=` in the program the same one does. If that resource is still "
                "in use, don't: take this one out of the program, and where it is in the state already, out of it "
                f"with `pulumi state delete {quoted(urn or '')}`"
            )
        return found.owner, None
    owner, claimed_by = _owner(state).recorded_after_reading(found.owner)
    if claimed_by is not None:
        warn(f"{what} is owned by {claimed_by} by now: this resource leaves it alone")
    return owner, claimed_by


def _only_imported(state: Mapping[str, Any], owner: str | None) -> bool:
    """Whether a reading finds the mark of another resource that an import records, or has recorded."""
    if _is_imported(state):
        return owner not in (None, current().urn)
    return owner is not None and state.get("importedFrom") == owner


def _is_imported(state: Mapping[str, Any]) -> bool:
    """Whether there is no state yet."""
    return "name" not in state
