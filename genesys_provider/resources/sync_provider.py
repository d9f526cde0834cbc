"""The engine's operations on a `GatewaySync`, and what they tell the gateway.

| operation | webhook |
|---|---|
| create | `UPDATED` for the target, if it exists |
| update | `UPDATED` for the target, if it exists |
| update to another target | first `DELETED` for the former one, as below; then `UPDATED` |
| update of only `required` | none |
| delete | `DELETED` for the target, unless the program of this run keeps it, or it belongs to another stack |

If the run deletes a target that it seemed to keep, since it replaces both, `DELETED` is sent right after that. It
is always sent to the gateway that was told of the target, with the secret that it knew, both from the state.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from genesys_provider.host.operation import DetailedDiffResult, InitFailed, OperationError, current

if TYPE_CHECKING:
    from genesys_provider.common.faults import Fault
    from genesys_provider.common.run import Ownership
    from genesys_provider.targets.gateway import Delivery, SyncEvent
    from genesys_provider.targets.manager import TargetManager

_LOOK_SECONDS = 0.2
"""How often a sync that waits for another target checks."""

_GONE_HINT = (
    "Run `pulumi up --refresh`, which finds out what exists; if target_id is a literal id, correct it"
)

_NOT_HERE_HINT = (
    "If the target has a GenesysProvider, give the sync the same one: opts=pulumi.ResourceOptions(provider=…). "
    f"Otherwise: {_GONE_HINT[0].lower()}{_GONE_HINT[1:]}"
)
"""The hint for a sync that has not announced a target yet, and may look in the wrong organization."""

_WITHOUT_GATEWAY = (
    "If it is gone for good: set required=False on the sync (add it to the program again if it was removed), run "
    "`pulumi up`, then repeat this command"
)
_UNREACHED_HINT = (
    f"Check that the gateway is up, and that genesys:caFile trusts its certificate. {_WITHOUT_GATEWAY}"
)
_REFUSED_HINT = (
    "Check that the gateway still has its webhook at that URL, and the signing secret of the last `pulumi up`. "
    f"{_WITHOUT_GATEWAY}"
)


class GatewaySyncProvider(ResourceProvider):
    """Sends the webhooks; there is nothing to read back."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Stores the stack's config: the CA, the audit file and the retries are used."""
        from genesys_provider.resources.config import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Reports all faults at once, each with its property; unknown values are accepted."""
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.passed import checked

        def faults() -> list[Fault]:
            from genesys_provider.resources import sync_rules

            return sync_rules.faults(inputs)

        inputs = sync_properties.with_defaults(news)
        return checked(_olds, inputs, faults)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Reports the changes; each one means a new webhook, except for `required`."""
        from genesys_provider.resources import sync_properties

        return DetailedDiffResult(sync_properties.changes(_olds, _news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Tells the gateway that the target's configuration has changed."""
        from genesys_provider.common.run import Ownership
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.manager import TargetManager

        with managed(TargetManager, self._config, props) as manager:
            ownership = _ownership(manager, props["targetId"])
            delivery = _say_updated(manager, props, Ownership())
        outs = sync_properties.outputs(props, delivery, ownership)
        return CreateResult(outs.get("deliveryId") or f"unsent_{uuid.uuid4().hex}", outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Tells the gateway again; if the target is a different one, it first reports the former one as deleted.

        Raises:
            InitFailed: That succeeded, but not the new target's `UPDATED`: the next `up` only sends the latter.
            OperationError: The gateway was not told.
        """
        from genesys_provider.client.errors import GenesysError
        from genesys_provider.common.run import Ownership
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.resources.words import said
        from genesys_provider.targets.manager import TargetManager

        if not sync_properties.due(_olds, _news):
            return UpdateResult(sync_properties.undelivered(_olds, _news))
        moved = _olds["targetId"] != _news["targetId"]
        recorded = Ownership() if moved else sync_properties.ownership_in(_olds)
        with managed(TargetManager, self._config, _olds, _news) as manager:
            ownership = _ownership(manager, _news["targetId"], recorded)
            if moved:
                _wait_until_shown(_olds)
                _say_deleted(manager, _olds, required=_news["required"])
            try:
                delivery = _say_updated(manager, _news, recorded)
            except GenesysError as error:
                if not moved or not current().records_init_failures:
                    raise
                outs = sync_properties.outputs(_news, None, ownership)
                raise InitFailed(_id, outs, [said(error, manager.settings)]) from None
        return UpdateResult(sync_properties.outputs(_news, delivery, ownership))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Returns the state, since no service knows of a sync.

        Raises:
            OperationError: It is an import.
        """
        if "targetId" not in props:
            raise OperationError(
                f"a GatewaySync can't be imported ({id_}): there is nothing to read back. Declare it, and "
                "`pulumi up` tells the gateway"
            )
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Tells the gateway that the target is deleted, if it is, or as soon as it is.

        When both are replaced, the engine deletes the sync first, before it shows that the target goes.
        """
        from genesys_provider.resources.session import managed, run
        from genesys_provider.targets.manager import TargetManager

        # Before a manager is created: if there is nothing to send, there is nothing to ask.
        if run.wanted_by(_props["targetId"]) is not None:
            run.at_deletion(_props["targetId"], lambda: self._say_deleted_late(_props))
            return
        with managed(TargetManager, self._config, _props) as manager:
            _say_deleted(manager, _props, required=_props.get("required", True))

    def _say_deleted_late(self, props: Mapping[str, Any]) -> None:
        """The same when the target is already deleted: a failure can't keep it, and is only a warning."""
        from genesys_provider.client.errors import GenesysError
        from genesys_provider.resources.session import managed, warn
        from genesys_provider.targets.gateway import DELETED
        from genesys_provider.targets.manager import TargetManager

        with managed(TargetManager, self._config, props) as manager:
            try:
                _sent(manager, DELETED, props)
            except GenesysError as error:
                warn(
                    f"{error.message}. Target {props['targetId']} is deleted, and no later command tells the "
                    "gateway so: remove it there"
                )


def _say_updated(manager: TargetManager, news: Mapping[str, Any], recorded: Ownership) -> Delivery | None:
    """Tells the gateway that the target's configuration has changed.

    Whether the target exists is only looked up if the engine has not shown it in this run: for a literal id, or in
    an update of the sync alone (`--target`).

    Raises:
        OtherOrganization: The target is in another organization than the configured one.
    """
    from genesys_provider.common.run import Ownership
    from genesys_provider.resources.session import run
    from genesys_provider.targets.errors import SyncFailed
    from genesys_provider.targets.gateway import UPDATED

    target_id = news["targetId"]
    there = not run.goes(target_id)
    if there and not run.knows(target_id):
        _require_organization(manager, target_id, recorded)
        there = manager.get(target_id, shared=True) is not None
    with _warning_unless(manager, required=news["required"]):
        if not there:
            organization = manager.organization()
            where = f" from organization {organization.id}" if organization.id else ""
            raise SyncFailed(
                f"the gateway was not told of target {target_id}, which is gone{where}",
                hint=_NOT_HERE_HINT if recorded == Ownership() else _GONE_HINT,
            )
        return _sent(manager, UPDATED, news)
    return None


def _say_deleted(manager: TargetManager, olds: Mapping[str, Any], *, required: bool) -> None:
    """Tells the gateway that the target in a sync's state is deleted, unless it stays or belongs to another stack.

    Raises:
        OtherOrganization: The target is in another organization than the configured one.
        OperationError: The target stays, since it may belong to a resource that could not be created.
    """
    from genesys_provider.common.ownership import goes_with_stack
    from genesys_provider.common.urns import urn_in
    from genesys_provider.resources import sync_properties
    from genesys_provider.resources.session import require_unawaited, run
    from genesys_provider.targets.errors import SyncFailed, SyncRefused
    from genesys_provider.targets.gateway import DELETED

    target_id = olds["targetId"]
    if run.wanted_by(target_id) is not None:
        return
    if not run.goes(target_id):
        ownership = sync_properties.ownership_in(olds)
        _require_organization(manager, target_id, ownership)
        target = manager.get(target_id, shared=True)
        if target is not None and not goes_with_stack(target.owner, current().urn, ownership.owner):
            current().warn(
                f"the gateway was not told that target {target_id} is deleted: it is owned by {target.owner}"
            )
            return
        if target is not None:
            what = f"target {target.name!r} ({target_id})"
            # After a stack rename the mark is still the old URN.
            theirs, ours = urn_in(ownership.owner), urn_in(current().urn)
            urn = str(theirs.in_stack_of(ours)) if theirs and ours else ownership.owner
            require_unawaited(what, target_id, urn, [(target.kind, "name", target.name)])
    with _warning_unless(manager, required=required):
        try:
            _sent(manager, DELETED, olds)
        except SyncRefused as error:
            raise SyncRefused(error.message, hint=_REFUSED_HINT) from error
        except SyncFailed as error:
            if error.hint != SyncFailed.hint:
                raise
            raise SyncFailed(error.message, hint=_UNREACHED_HINT) from error


def _wait_until_shown(olds: Mapping[str, Any]) -> None:
    """Waits until it is known whether the program keeps the former target of a sync.

    An update may come before the check of that target, which may depend on operations in progress. So it waits
    while operations of this process follow each other. If no resource had the target, there is no wait.

    Raises:
        Cancelled: The run was cancelled.
    """
    from genesys_provider.client.errors import Cancelled
    from genesys_provider.resources.session import run

    target_id = olds["targetId"]
    if "targetOwner" not in olds:
        return
    current().show_status(f"waiting for the others: the program may keep target {target_id}")
    with run.waiting():
        while not run.knows(target_id) and not run.quiet:
            if current().cancelled.wait(_LOOK_SECONDS):
                raise Cancelled("cancelled before the gateway was told")


def _ownership(manager: TargetManager, target_id: str, recorded: Ownership | None = None) -> Ownership:
    """The target's owner: as this run has learned, else as the sync recorded, else only the organization."""
    from genesys_provider.common.run import Ownership
    from genesys_provider.resources.session import run

    known = run.ownership(target_id) or recorded or Ownership()
    if known != Ownership():
        return known
    return Ownership(organization_id=manager.organization().id, api_url=manager.settings.api_url)


def _require_organization(manager: TargetManager, target_id: str, recorded: Ownership) -> None:
    if recorded.organization_id or recorded.api_url:
        # The hint needs the target's URN.
        what = f"target {target_id}" + (f" ({recorded.owner})" if recorded.owner else "")
        manager.require_organization(what, recorded.organization_id, recorded.api_url)


def _sent(manager: TargetManager, event: SyncEvent, properties: Mapping[str, Any]) -> Delivery:
    return manager.sync(
        properties["webhookUrl"],
        properties["targetId"],
        event=event,
        signing_secret=properties.get("signingSecret"),
        timeout=current().timeout,
    )


@contextmanager
def _warning_unless(manager: TargetManager, *, required: bool) -> Iterator[None]:
    """If the gateway was not told, the operation fails if `required`; otherwise there is a warning."""
    from genesys_provider.resources.words import said
    from genesys_provider.targets.errors import SyncFailed

    try:
        yield
    except SyncFailed as error:
        if required:
            raise
        current().warn(said(error, manager.settings))
