"""What the engine asks of a `GatewaySync`, and what the gateway is told then.

| operation | what is said |
|---|---|
| create | `UPDATED` of the target, if it is there |
| update | `UPDATED` of the target, if it is there |
| update to another target | first `DELETED` of the former one, as below; then `UPDATED` |
| update of `required` alone | nothing |
| delete | `DELETED` of the target, unless the program of this run keeps it, or it is not this stack's |

`DELETED` goes to the gateway that was told of the target, with the secret that it knew: those of the state.
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
    from genesys_provider.common.run import Facts
    from genesys_provider.targets.gateway import Delivery, SyncEvent
    from genesys_provider.targets.manager import TargetManager

_LOOK_SECONDS = 0.2
"""How often whoever waits for another target looks."""

_GONE_HINT = (
    "Run `pulumi up --refresh`, which finds out what is there; if target_id is written out, correct it"
)

_NOT_HERE_HINT = (
    "If the target has a GenesysProvider, give the sync the same one: opts=pulumi.ResourceOptions(provider=…). "
    f"Otherwise: {_GONE_HINT[0].lower()}{_GONE_HINT[1:]}"
)
"""For a sync that has told of no target yet: it may look in another organization."""

_DEAD_GATEWAY_HINT = (
    "Check that the gateway is up, that genesys:caFile trusts its certificate, and that it still has the signing "
    "secret of the last `pulumi up`. If it is gone for good: set required=False on the sync (put it back into "
    "the program if it was removed), run `pulumi up`, then do this again"
)


class GatewaySyncProvider(ResourceProvider):
    """Sends the webhooks; there is nothing to read back."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config: of it the CA, the audit file and the retries."""
        from genesys_provider.resources.properties import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """All faults at once, each on its property; what is not known yet is none."""
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.passed import checked

        def faults() -> list[Fault]:
            from genesys_provider.resources import sync_rules

            return sync_rules.faults(inputs)

        inputs = sync_properties.with_defaults(news)
        return checked(_olds, inputs, faults)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What changes: each change is a new webhook, but for that of `required`."""
        from genesys_provider.resources import sync_properties

        return DetailedDiffResult(sync_properties.changes(_olds, _news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Tells the gateway that the target's configuration is new."""
        from genesys_provider.common.run import Facts
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.manager import TargetManager

        with managed(TargetManager, self._config, props) as manager:
            facts = _facts(manager, props["targetId"])
            delivery = _say_updated(manager, props, Facts())
        outs = sync_properties.outputs(props, delivery, facts)
        return CreateResult(outs.get("deliveryId") or f"unsent_{uuid.uuid4().hex}", outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Tells the gateway again; where it is another target now, first that the former one is gone.

        Raises:
            InitFailed: That was said, but not the new target's `UPDATED`: the next `up` says that alone.
            OperationError: The gateway was not told.
        """
        from genesys_provider.client.errors import GenesysError
        from genesys_provider.common.run import Facts
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.resources.words import said
        from genesys_provider.targets.manager import TargetManager

        if not sync_properties.due(_olds, _news):
            return UpdateResult(sync_properties.undelivered(_olds, _news))
        moved = _olds["targetId"] != _news["targetId"]
        recorded = Facts() if moved else sync_properties.facts_in(_olds)
        with managed(TargetManager, self._config, _olds, _news) as manager:
            facts = _facts(manager, _news["targetId"], recorded)
            if moved:
                _wait_until_shown(_olds)
                _say_deleted(manager, _olds, required=_news["required"])
            try:
                delivery = _say_updated(manager, _news, recorded)
            except GenesysError as error:
                if not moved or not current().records_init_failures:
                    raise
                raise InitFailed(_id, sync_properties.outputs(_news, None, facts), [said(error)]) from None
        return UpdateResult(sync_properties.outputs(_news, delivery, facts))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What the state has: no service knows of a sync.

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
        """Tells the gateway that the target goes, if it does."""
        from genesys_provider.resources.session import managed, run
        from genesys_provider.targets.manager import TargetManager

        # Before a manager is made: nothing is asked where nothing is to be said.
        if run.wanted_by(_props["targetId"]) is None:
            with managed(TargetManager, self._config, _props) as manager:
                _say_deleted(manager, _props, required=_props.get("required", True))


def _say_updated(manager: TargetManager, news: Mapping[str, Any], recorded: Facts) -> Delivery | None:
    """Says that the target's configuration is new.

    Whether it is there is looked up only where the engine has not shown it in this run: for an id that is written
    out, or in an update of the sync alone (`--target`).

    Raises:
        OtherOrganization: The target is in another organization than the one that is configured.
    """
    from genesys_provider.common.run import Facts
    from genesys_provider.resources.session import run
    from genesys_provider.targets.errors import SyncFailed
    from genesys_provider.targets.gateway import UPDATED

    target_id = news["targetId"]
    there = not run.goes(target_id)
    if there and not run.knows(target_id):
        _require_organization(manager, target_id, recorded)
        there = manager.get(target_id, shared=True) is not None
    with _warning_unless(news["required"]):
        if not there:
            organization = manager.organization()
            where = f" from organization {organization.id}" if organization.id else ""
            raise SyncFailed(
                f"the gateway was not told of target {target_id}, which is gone{where}",
                hint=_NOT_HERE_HINT if recorded == Facts() else _GONE_HINT,
            )
        return _sent(manager, UPDATED, news)
    return None


def _say_deleted(manager: TargetManager, olds: Mapping[str, Any], *, required: bool) -> None:
    """Says that the target of a sync's state goes, unless it stays, or is not this stack's any more.

    Raises:
        OtherOrganization: The target is in another organization than the one that is configured.
    """
    from genesys_provider.common.ownership import goes_with_stack
    from genesys_provider.resources import sync_properties
    from genesys_provider.resources.session import run
    from genesys_provider.targets.errors import SyncFailed
    from genesys_provider.targets.gateway import DELETED

    target_id = olds["targetId"]
    if run.wanted_by(target_id) is not None:
        return
    if not run.goes(target_id):
        facts = sync_properties.facts_in(olds)
        _require_organization(manager, target_id, facts)
        target = manager.get(target_id, shared=True)
        if target is not None and not goes_with_stack(target.owner, current().urn, facts.owner):
            current().warn(
                f"the gateway was not told that target {target_id} goes: it is owned by {target.owner}"
            )
            return
    with _warning_unless(required):
        try:
            _sent(manager, DELETED, olds)
        except SyncFailed as error:
            if error.hint != SyncFailed.hint:
                raise
            raise SyncFailed(error.message, hint=_DEAD_GATEWAY_HINT) from error


def _wait_until_shown(olds: Mapping[str, Any]) -> None:
    """Waits until it is known whether the program keeps the target that a sync had.

    An update may come before the check of that target, which may depend on what is still under way. So it waits as
    long as operations of this process follow each other. A target that no resource had is not waited for.

    Raises:
        Cancelled: The run was cancelled.
    """
    from genesys_provider.client.errors import Cancelled
    from genesys_provider.resources.session import run

    target_id = olds["targetId"]
    if "targetOwner" not in olds:
        return
    current().show_status(f"waiting to see whether the program keeps target {target_id}")
    with run.waiting():
        while not run.knows(target_id) and not run.quiet:
            if current().cancelled.wait(_LOOK_SECONDS):
                raise Cancelled("cancelled before the gateway was told")


def _facts(manager: TargetManager, target_id: str, recorded: Facts | None = None) -> Facts:
    """Whose a target is: as this run has learned, else as the sync recorded, else the organization alone."""
    from genesys_provider.common.run import Facts
    from genesys_provider.resources.session import run

    known = run.facts(target_id) or recorded or Facts()
    if known != Facts():
        return known
    return Facts(organization_id=manager.organization().id, api_url=manager.settings.api_url)


def _require_organization(manager: TargetManager, target_id: str, recorded: Facts) -> None:
    if recorded.organization_id or recorded.api_url:
        # The target's URN is what the way out asks for.
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
def _warning_unless(required: bool) -> Iterator[None]:
    """A gateway that was not told fails the operation, or is no more than a warning."""
    from genesys_provider.resources.words import said
    from genesys_provider.targets.errors import SyncFailed

    try:
        yield
    except SyncFailed as error:
        if required:
            raise
        current().warn(said(error))
