"""What the engine asks of an `EventBridgeTarget`: check, diff, create, read, update, delete.

The class pickles by reference, so nothing of it lands in a state; the modules that it works with are loaded
where it works, in the provider host, and not in the program that declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from pulumi.dynamic import (
    CheckFailure,
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
    from genesys_provider.common.ownership import Owner
    from genesys_provider.targets.errors import NotVerified
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target


class EventBridgeTargetProvider(ResourceProvider):
    """Drives targets through a `TargetManager`; works under our host and under the stock one."""

    serialize_as_secret_always = False
    _config: Mapping[str, object] = {}
    imported_properties: ClassVar = {
        "name": {"type": "string"},
        "endpointUrl": {"type": "string"},
        "eventTypes": {"type": "array", "items": {"type": "string"}},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    """What `EventBridgeTarget` takes as an import reads it; `auth` and `retry_policy` are classes of ours."""

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config; what is wrong with it shows when it is needed."""
        from genesys_provider.resources.properties import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """All faults at once, each on its property; no network."""
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import configured_api_url, run, speaking_of

        with speaking_of(_olds):
            inputs = target_properties.with_defaults(news, configured_api_url(self._config))
            if isinstance(inputs.get("owner"), str):
                # Where a transform ignores all changes, the engine has put the old mark here.
                inputs["owner"] = current().urn or inputs["owner"]
                run.checked(inputs["owner"])
            found = target_properties.faults(_olds, inputs)
            return CheckResult(inputs, [CheckFailure(fault.path, fault.reason) for fault in found])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What changes, property by property; never a replacement; no network.

        Raises:
            OperationError: Another resource of the program has the same target.
        """
        from genesys_provider.resources import properties, target_properties
        from genesys_provider.resources.session import run, speaking_of

        with speaking_of(_olds):
            other = run.shown(_id, _news["owner"]) if isinstance(_news.get("owner"), str) else None
            if other is not None:
                raise OperationError(_shared(_id, _olds, _news["owner"], other))
            run.learned(_id, target_properties.facts(_olds))
            found = target_properties.changes(_olds, _news)
            return DetailedDiffResult(properties.with_new_secrets(found, _olds, _news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Registers the target and waits for the verdict.

        Raises:
            InitFailed: The target exists but is not verified; under our host it is recorded.
            OperationError: Nothing was left behind.
        """
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed, run
        from genesys_provider.resources.words import said
        from genesys_provider.targets.errors import NotVerified

        with managed(self._config, props) as manager:
            organization_id = manager.organization().id
            try:
                outcome = manager.register(
                    target_properties.config_from(props),
                    timeout=_timeout(props),
                    health_check=bool(props.get("healthCheck")),
                    creates_first=bool(props.get("createBeforeDelete")),
                )
            except NotVerified as error:
                if not current().records_init_failures:
                    _delete_again(manager, error)
                run.created(error.target.id, props["owner"])
                outs = target_properties.outputs(
                    props, error.target, organization_id=organization_id, revision=1
                )
                raise InitFailed(error.target.id, outs, [said(error)]) from None
            run.created(outcome.target.id, props["owner"])
            outs = target_properties.outputs(
                props,
                outcome.target,
                organization_id=organization_id,
                revision=1,
                verified_at=outcome.verified_at,
                verification_seconds=outcome.verification_seconds,
                health_status=outcome.health_status,
            )
            run.learned(outcome.target.id, target_properties.facts(outs))
            return CreateResult(outcome.target.id, outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Writes the configuration with one PUT, and waits if that started the verification again.

        Raises:
            InitFailed: The configuration is written, but the target is not verified.
            OperationError: The configuration is as it was.
        """
        from genesys_provider.client.errors import NotFound
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed, run
        from genesys_provider.resources.words import said
        from genesys_provider.targets.errors import NotVerified

        revision = int(_olds.get("revision", 0)) + 1
        health_check = bool(_news.get("healthCheck"))
        with managed(self._config, _olds, _news) as manager:
            organization_id = _same_organization(manager, _id, _olds)
            if not target_properties.configuration_changed(_olds, _news):
                outs = target_properties.outputs_kept(
                    _olds,
                    _news,
                    organization_id=organization_id,
                    revision=revision,
                    health_status=manager.health(_id) if health_check else None,
                )
                run.learned(_id, target_properties.facts(outs))
                return UpdateResult(outs)
            try:
                outcome = manager.update(
                    _id,
                    target_properties.config_from(_news),
                    recorded_owner=_olds.get("owner"),
                    last_write=target_properties.last_write(_olds),
                    unchanged=target_properties.verdict_is_missing(_olds, _news),
                    timeout=_timeout(_news),
                    health_check=health_check,
                )
            except NotVerified as error:
                if not current().records_init_failures:
                    raise
                outs = target_properties.outputs(
                    _news,
                    error.target,
                    organization_id=organization_id,
                    revision=revision,
                    written_at=_olds.get("writtenAt"),
                )
                raise InitFailed(_id, outs, [said(error)]) from None
            except NotFound:
                raise OperationError(
                    f"target {_news.get('name')!r} ({_id}) is gone: it was deleted outside of Pulumi. "
                    "Run `pulumi up --refresh` to create it again"
                ) from None
            outs = target_properties.outputs(
                _news,
                outcome.target,
                organization_id=organization_id,
                revision=revision,
                written_at=_olds.get("writtenAt"),
                verified_at=outcome.verified_at or _olds.get("verifiedAt"),
                verification_seconds=outcome.verification_seconds or _olds.get("verificationSeconds"),
                health_status=outcome.health_status,
            )
            run.learned(_id, target_properties.facts(outs))
            return UpdateResult(outs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The target as it is, for a refresh or, without properties, an import; gone where there is none.

        A configuration that is not the state's any more was updated, by a run that died or by hand: that is a
        revision too, so that whatever hangs on it, a sync above all, is brought up to date.
        """
        from genesys_provider.client.redaction import shown
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed

        with managed(self._config, props) as manager:
            organization_id = _same_organization(manager, id_, props)
            written_at = props.get("writtenAt")
            target = manager.get(
                id_,
                shared=True,
                last_write=target_properties.last_write(props),
                expected=target_properties.expected(props),
            )
            if target is None:
                return ReadResult(None, {})
            unhealthy = manager.why_not_verified(target)
            if unhealthy is not None:
                unhealthy = shown(unhealthy)
            owner, claimed_by = _owner_read(target, props)
            inputs = target_properties.inputs_read(
                props, target, owner=owner, api_url=manager.settings.api_url
            )
        unchanged = all(name in props and props[name] == value for name, value in inputs.items())
        revision = int(props.get("revision", 0))
        if revision == 0 or (not unchanged and target_properties.rewritten(props, inputs)):
            revision += 1
        outs = target_properties.outputs(
            inputs,
            target,
            organization_id=organization_id,
            revision=revision,
            written_at=written_at,
            claimed_by=claimed_by,
            imported_from=owner if _only_imported(props, owner) else None,
            verified_at=props.get("verifiedAt"),
            verification_seconds=props.get("verificationSeconds"),
            health_status=props.get("healthStatus"),
        )
        if unhealthy is not None and current().records_init_failures:
            raise InitFailed(id_, outs, [unhealthy], target_properties.marked(inputs))
        # Without inputs the engine keeps those it has.
        return ReadResult(id_, outs, None if unchanged else target_properties.marked(inputs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Deletes the target; one that is gone already is a success, and so is one that is another's by now."""
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed, run, warn

        with managed(self._config, _props) as manager:
            _same_organization(manager, _id, _props)
            left = manager.delete(
                _id, owner=_deleting(_props), last_write=target_properties.last_write(_props)
            )
        if left is None:
            run.deleted(_id)
        else:
            warn(f"target {left.name!r} ({_id}) is owned by {left.owner} by now, and was left as it is")


def _same_organization(manager: TargetManager, id_: str, state: Mapping[str, Any]) -> str | None:
    """The id of the organization, if it is the one that the state recorded."""
    what = f"target {state['name']!r} ({id_})" if "name" in state else f"target {id_}"
    return manager.require_organization(what, state.get("organizationId"), state.get("apiUrl")).id


def _owner(state: Mapping[str, Any]) -> Owner:
    """The resource whose operation this is: by its URN, or where the host does not tell it, by its last mark."""
    from genesys_provider.common.ownership import Owner

    recorded = state.get("owner")
    return Owner(current().urn or recorded or "", recorded)


def _deleting(state: Mapping[str, Any]) -> Owner:
    """The same for a delete: what this resource has imported and never written is still the other's."""
    owner = _owner(state)
    return replace(owner, recorded=None) if "importedFrom" in state else owner


def _owner_read(target: Target, state: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The owner mark that a reading records, and the foreign one that it only shows; either is told."""
    from genesys_provider.common.ownership import quoted
    from genesys_provider.resources.session import warn

    urn = current().urn
    if "owner" not in state and "revision" not in state:
        # An import records whatever mark there is, and so the first update takes the target over.
        if target.owner not in (None, urn):
            warn(
                f"target {target.name!r} ({target.id}) is owned by {target.owner}: the next `pulumi up` takes it "
                "over from there, and with `import_=` in the program the same one does. If that resource is still "
                "in use, don't: take this one out of the program, and where it is in the state already, out of it "
                f"with `pulumi state delete {quoted(urn or '')}`"
            )
        return target.owner, None
    owner, claimed_by = _owner(state).recorded_after_reading(target.owner)
    if claimed_by is not None:
        warn(
            f"target {target.name!r} ({target.id}) is owned by {claimed_by} by now: this resource leaves it alone"
        )
    return owner, claimed_by


def _only_imported(state: Mapping[str, Any], owner: str | None) -> bool:
    """Whether a reading finds the mark of another resource that an import records, or has recorded."""
    if "revision" in state:
        return owner is not None and state.get("importedFrom") == owner
    return owner not in (None, current().urn)


def _shared(id_: str, state: Mapping[str, Any], urn: str, other: str) -> str:
    return (
        f"target {state.get('name')!r} ({id_}) is in the state twice: as {other} and as {urn}. Both would write "
        "it, and removing one of them would delete it for both. Decide which of them keeps it, remove the other "
        "from the program, and take it out of the state with `pulumi state delete '<URN>'`"
    )


def _delete_again(manager: TargetManager, error: NotVerified) -> NoReturn:
    """Under a host that can't record the target: left there, it would be an orphan that receives events."""
    from genesys_provider.client.errors import GenesysError
    from genesys_provider.resources.words import said

    try:
        manager.delete(error.target.id)
    except GenesysError as failure:
        raise OperationError(
            f"{said(error)}. Target {error.target.id} could not be deleted again ({failure.message}): the next "
            "`pulumi up` adopts it"
        ) from None
    raise OperationError(f"{said(error)}. The target was deleted again") from None


def _timeout(props: Mapping[str, Any]) -> float | None:
    """Seconds to wait for a verdict: `customTimeouts`, else the resource's; None is the config's."""
    return current().timeout or props.get("verificationTimeout")
