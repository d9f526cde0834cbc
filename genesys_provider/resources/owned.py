"""The engine's operations on resources with an owner and an organization: targets and sources.

The operations are the same for both. Each kind has a module for its properties, and calls its own manager.

Providers are pickled by reference, so that nothing of them is stored in a state. The modules that they need are
loaded on use, in the provider host, and not in the program that declares the resources.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from genesys_provider.host.operation import (
    DetailedDiffResult,
    InitFailed,
    OperationError,
    current,
)

if TYPE_CHECKING:
    from genesys_provider.client.errors import GenesysError
    from genesys_provider.common.manager import Manager
    from genesys_provider.common.owned import Owned
    from genesys_provider.common.ownership import Owner
    from genesys_provider.common.run import Claim
    from genesys_provider.resources.owned_properties import OwnedProperties
    from genesys_provider.resources.rules import Rules


class OwnedOutcome(Protocol):
    """The result of a create or update: the object is in its desired state."""

    @property
    def thing(self) -> Owned:
        """The object, as it is now."""


class OwnedProvider(ResourceProvider, ABC):
    """A provider for both our host and the stock one."""

    serialize_as_secret_always = False
    kind: ClassVar[str]
    """What messages call the object."""
    unique: ClassVar[tuple[str, ...]] = ("name",)
    """The properties whose values no two objects of an organization share."""
    replacing: ClassVar[tuple[str, ...]] = ()
    """The properties that can't be changed in place."""
    lasting: ClassVar[tuple[str, ...]] = ("organizationId",)
    """The outputs that never change in place, so that a preview knows them."""
    status: ClassVar[str]
    """The output with its status, which counts as a change while it is not the desired one."""
    retrial: ClassVar[str]
    """What a preview says about such a change."""
    _config: Mapping[str, object] = {}

    @abstractmethod
    def properties(self) -> OwnedProperties:
        """The module with its properties."""

    @abstractmethod
    def rules(self) -> Rules:
        """The module with its rules, which takes long to load."""

    @abstractmethod
    def managed(self, *states: Mapping[str, Any]) -> AbstractContextManager[Manager[Any, Any]]:
        """The manager, for an operation on these states: `session.managed`."""

    @abstractmethod
    def complaint(self, manager: Any, found: Any) -> str | None:
        """The problem of an object that was read, in a sentence. The state records it; the next `up` fixes it."""

    @abstractmethod
    def registered(self, manager: Any, props: Mapping[str, Any]) -> OwnedOutcome:
        """Creates the object, or adopts one left behind by an earlier run, and waits for its desired state."""

    @abstractmethod
    def updated(
        self, manager: Any, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]
    ) -> OwnedOutcome:
        """Writes what has changed, and waits for the desired state."""

    def outputs_kept(
        self,
        _manager: Any,
        _id: str,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        organization_id: str | None,
    ) -> dict[str, Any]:
        """The state after an update that wrote nothing, since only inputs unknown to the API changed."""
        return self.properties().outputs_kept(olds, news, organization_id=organization_id)

    def configure(self, req: ConfigureRequest) -> None:
        """Stores the stack's config; errors in it are reported on use."""
        from genesys_provider.resources.config import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Reports all faults at once, each with its property; makes no request."""
        from genesys_provider.resources.passed import checked
        from genesys_provider.resources.session import configured_api_url, run, speaking_of

        with speaking_of(_olds):
            inputs = self.properties().with_defaults(news, configured_api_url(self._config))
            # If a transform ignores all changes, the engine has put the old mark here, or none if there was none.
            owner = current().urn or inputs.get("owner")
            if isinstance(owner, str):
                inputs["owner"] = owner
                run.checked(owner)
                if not _olds:
                    run.parallelism.queued(owner)
            return checked(_olds, inputs, lambda: self.rules().faults(_olds, inputs))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What changes, property by property; makes no request.

        Raises:
            OperationError: Another resource of the program has the same object.
        """
        from genesys_provider.client.redaction import shown
        from genesys_provider.resources.owned_properties import ownership
        from genesys_provider.resources.properties import with_new_secrets
        from genesys_provider.resources.session import run, speaking_of

        with speaking_of(_olds):
            other = run.shown(_id, _news["owner"]) if isinstance(_news.get("owner"), str) else None
            if other is not None:
                raise OperationError(
                    f"{named(self.kind, _id, _olds)} is in the state twice: as {other} and as {_news['owner']}. "
                    "Both would write it, and removing one of them would delete it for both. Decide which of them "
                    "keeps it, remove the other from the program, and remove that from the state with "
                    "`pulumi state delete '<URN>'`"
                )
            run.learned(_id, ownership(_olds))
            found = self.properties().changes(_olds, _news)
            detailed = with_new_secrets(found, _olds, _news)
            if detailed and isinstance(_news.get("owner"), str):
                run.parallelism.queued(_news["owner"])
            note = None
            if self.status in found and self.status in _olds:
                note = shown(f"{self.retrial}: {named(self.kind, _id, _olds)} is {_olds[self.status]}")
            return DetailedDiffResult(
                detailed,
                # A property that had no value gets one in place.
                replaces=[name for name in self.replacing if found.get(name) == "update"],
                stables=[name for name in self.lasting if name in _olds],
                note=note,
            )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Creates the object, and waits for its desired state.

        Raises:
            InitFailed: It exists but is not in its desired state; our host records it.
            OperationError: Nothing was left behind.
        """
        from genesys_provider.common.errors import Unfinished
        from genesys_provider.resources.owned_properties import ownership
        from genesys_provider.resources.session import run
        from genesys_provider.resources.words import said

        properties = self.properties()
        run.parallelism.begun(props["owner"])
        run.creating(props["owner"], self._claims(props))
        with self.managed(props) as manager:
            organization_id = manager.organization().id
            try:
                outcome = self.registered(manager, props)
            except Unfinished as error:
                left = error.thing
                if not current().records_init_failures:
                    _delete_again(manager, left, error)
                run.created(left.id, props["owner"])
                outs = properties.outputs_written({}, props, left, organization_id=organization_id)
                raise InitFailed(left.id, outs, [said(error, manager.settings)]) from None
            made = outcome.thing
            run.created(made.id, props["owner"])
            outs = properties.outputs_written(
                {}, props, made, organization_id=organization_id, outcome=outcome
            )
            run.learned(made.id, ownership(outs))
            return CreateResult(made.id, outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Writes what has changed, and waits for the desired state.

        Raises:
            InitFailed: The configuration is written, but the object is not in its desired state.
            OperationError: The configuration is unchanged.
        """
        from genesys_provider.client.errors import NotFound
        from genesys_provider.common.errors import Unfinished
        from genesys_provider.resources.owned_properties import ownership
        from genesys_provider.resources.session import run
        from genesys_provider.resources.words import said

        properties = self.properties()
        run.parallelism.begun(_owner(_news).urn)
        with self.managed(_olds, _news) as manager:
            organization_id = _same_organization(manager, self.kind, _id, _olds)
            if not properties.configuration_changed(_olds, _news):
                outs = self.outputs_kept(manager, _id, _olds, _news, organization_id)
                run.learned(_id, ownership(outs))
                return UpdateResult(outs)
            try:
                outcome = self.updated(manager, _id, _olds, _news)
            except Unfinished as error:
                if not current().records_init_failures:
                    raise
                outs = properties.outputs_written(_olds, _news, error.thing, organization_id=organization_id)
                raise InitFailed(_id, outs, [said(error, manager.settings)]) from None
            except NotFound:
                raise OperationError(
                    f"{named(self.kind, _id, _news)} is gone: it was deleted outside of Pulumi. "
                    "Run `pulumi up --refresh` to create it again"
                ) from None
            outs = properties.outputs_written(
                _olds, _news, outcome.thing, organization_id=organization_id, outcome=outcome
            )
            run.learned(_id, ownership(outs))
            return UpdateResult(outs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Reads the object, for a refresh or, without properties, an import; an empty result if it is gone.

        Raises:
            OperationError: What is to be imported does not exist.
        """
        from genesys_provider.client.redaction import shown

        properties = self.properties()
        with self.managed(props) as manager:
            organization_id = _same_organization(manager, self.kind, id_, props)
            found = manager.get(
                id_,
                shared=True,
                last_write=properties.last_write(props),
                expected=properties.expected(props),
            )
            if found is None:
                if _is_imported(props):
                    raise OperationError(
                        f"{self.kind} {id_} does not exist in {manager.organization()}. Correct the id, or import "
                        "it with the provider of its organization (`--provider`, or provider=… beside import_=…)"
                    )
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
        # Without inputs in the result the engine keeps the old ones.
        unchanged = all(name in props and props[name] == value for name, value in inputs.items())
        return ReadResult(id_, outs, None if unchanged else properties.marked(inputs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Deletes the object. It is not an error if it is already gone, or now belongs to somebody else.

        Raises:
            OperationError: It stays, such as one that may belong to a new resource that was not created.
        """
        from genesys_provider.resources.session import require_unawaited, run, warn

        with self.managed(_props) as manager:
            _same_organization(manager, self.kind, _id, _props)
            require_unawaited(named(self.kind, _id, _props), _id, _owner(_props).urn, self._claims(_props))
            left = manager.delete(
                _id, owner=_deleting(_props), last_write=self.properties().last_write(_props)
            )
        if left is None:
            run.deleted(_id)
        else:
            warn(f"{left.kind} {left.name!r} ({_id}) is now owned by {left.owner}, so it was left unchanged")

    def _claims(self, state: Mapping[str, Any]) -> list[Claim]:
        return [(self.kind, name, state[name]) for name in self.unique if isinstance(state.get(name), str)]


def named(kind: str, id_: str, state: Mapping[str, Any]) -> str:
    """What messages call the object, with its name if it is known."""
    return f"{kind} {state['name']!r} ({id_})" if "name" in state else f"{kind} {id_}"


def _same_organization(
    manager: Manager[Any, Any], kind: str, id_: str, state: Mapping[str, Any]
) -> str | None:
    """The id of the organization, if it is the one recorded in the state.

    Raises:
        OtherOrganization: It is a different one.
    """
    recorded = state.get("organizationId"), state.get("apiUrl")
    return manager.require_organization(named(kind, id_, state), *recorded).id


def _delete_again(manager: Manager[Any, Any], left: Owned, error: GenesysError) -> NoReturn:
    """Cleans up under a host that can't record the result of a failed create, which would be an active orphan.

    Raises:
        OperationError: Always, with the text of `error` and the result of the deletion.
    """
    from genesys_provider.client.errors import GenesysError
    from genesys_provider.resources.words import said

    told = said(error, manager.settings)
    try:
        manager.delete(left.id)
    except GenesysError as failure:
        raise OperationError(
            f"{told}. {left.kind.capitalize()} {left.id} could not be deleted again ({failure.message}): "
            "the next `pulumi up` adopts it"
        ) from None
    raise OperationError(f"{told}. The {left.kind} was deleted again") from None


def seconds(props: Mapping[str, Any], name: str) -> float | None:
    """The time limit: `customTimeouts`, else this property; None is the manager's default."""
    return current().timeout or props.get(name)


def _owner(state: Mapping[str, Any]) -> Owner:
    """The resource of this operation: by its URN or, if the host does not provide that, by its last mark."""
    from genesys_provider.common.ownership import Owner

    recorded = state.get("owner")
    return Owner(current().urn or recorded or "", recorded)


def _deleting(state: Mapping[str, Any]) -> Owner:
    """The same for a delete: what this resource imported but never wrote still belongs to the other one."""
    owner = _owner(state)
    return replace(owner, recorded=None) if "importedFrom" in state else owner


def _owner_read(found: Owned, state: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The owner mark that a read records, and the foreign one that it only shows; warns about either."""
    from genesys_provider.common.urns import quoted
    from genesys_provider.resources.session import warn

    urn, what = current().urn, f"{found.kind} {found.name!r} ({found.id})"
    if _is_imported(state):
        # An import records any mark, so that the first update takes the object over.
        if found.owner not in (None, urn):
            warn(
                f"{what} is owned by {found.owner}: the next `pulumi up` takes it "
                "over from there, and so does one with `import_=` in the program. If that resource is still "
                "in use, don't: remove this one from the program and, if it is already in the state, from there "
                f"with `pulumi state delete {quoted(urn or '')}`"
            )
        return found.owner, None
    owner, claimed_by = _owner(state).recorded_after_reading(found.owner)
    if claimed_by is not None:
        warn(f"{what} is now owned by {claimed_by}, so this resource leaves it alone")
    return owner, claimed_by


def _only_imported(state: Mapping[str, Any], owner: str | None) -> bool:
    """Whether a read finds the mark of another resource that an import records or has recorded."""
    if _is_imported(state):
        return owner not in (None, current().urn)
    return owner is not None and state.get("importedFrom") == owner


def _is_imported(state: Mapping[str, Any]) -> bool:
    """Whether there is no state yet."""
    return "name" not in state
