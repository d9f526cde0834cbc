"""What the engine asks of an `EventBridgeTarget`: check, diff, create, read, update, delete.

The class pickles by reference, so nothing of it lands in a state; the modules that it works with are loaded
where it works, in the provider host, and not in the program that declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

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
    from genesys_provider.targets.errors import NotVerified
    from genesys_provider.targets.manager import TargetManager


class EventBridgeTargetProvider(ResourceProvider):
    """Drives targets through a `TargetManager`; works under our host and under the stock one."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config; what is wrong with it shows when it is needed."""
        from genesys_provider.resources.properties import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """All faults at once, each on its property; no network."""
        from genesys_provider.resources import target_properties

        inputs = target_properties.with_defaults(news)
        found = target_properties.faults(_olds, inputs)
        return CheckResult(inputs, [CheckFailure(fault.path, fault.reason) for fault in found])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What changes, property by property; never a replacement; no network."""
        from genesys_provider.resources import target_properties

        return DetailedDiffResult(target_properties.changes(_olds, _news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Registers the target and waits for the verdict.

        Raises:
            InitFailed: The target exists but is not verified; under our host it is recorded.
            OperationError: Nothing was left behind.
        """
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.errors import NotVerified

        with managed(self._config, props) as manager:
            try:
                outcome = manager.register(
                    target_properties.config_from(props),
                    timeout=_timeout(props),
                    health_check=bool(props.get("healthCheck")),
                )
            except NotVerified as error:
                if not current().records_init_failures:
                    _delete_again(manager, error)
                _init_failed(error, props, revision=1)
            outs = target_properties.outputs(
                props,
                outcome.target,
                revision=1,
                verified_at=outcome.verified_at,
                verification_seconds=outcome.verification_seconds,
                health_status=outcome.health_status,
            )
            return CreateResult(outcome.target.id, outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Writes the configuration with one PUT, and waits if that started the verification again.

        Raises:
            InitFailed: The configuration is written, but the target is not verified.
            OperationError: The configuration is as it was.
        """
        from genesys_provider.client.errors import NotFound
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.errors import NotVerified

        revision = int(_olds.get("revision", 0)) + 1
        health_check = bool(_news.get("healthCheck"))
        with managed(self._config, _news) as manager:
            if not target_properties.configuration_changed(_olds, _news):
                health = manager.check_health(_id) if health_check else None
                outs = {**_olds, **_news, "revision": revision, "healthStatus": health}
                return UpdateResult(target_properties.marked(outs))
            try:
                outcome = manager.update(
                    _id,
                    target_properties.config_from(_news),
                    timeout=_timeout(_news),
                    health_check=health_check,
                )
            except NotVerified as error:
                if not current().records_init_failures:
                    raise
                _init_failed(error, _news, revision=revision)
            except NotFound:
                raise OperationError(
                    f"target {_news.get('name')!r} ({_id}) is gone: it was deleted outside of Pulumi. "
                    "Run `pulumi up --refresh` to create it again"
                ) from None
            outs = target_properties.outputs(
                _news,
                outcome.target,
                revision=revision,
                verified_at=outcome.verified_at or _olds.get("verifiedAt"),
                verification_seconds=outcome.verification_seconds or _olds.get("verificationSeconds"),
                health_status=outcome.health_status,
            )
            return UpdateResult(outs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The target as it is, for a refresh or, without properties, an import; gone where there is none.

        A configuration that is not the state's any more was updated, by a run that died or by hand: that is a
        revision too, so that whatever hangs on it, a sync above all, is brought up to date.
        """
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed

        with managed(self._config, props) as manager:
            target = manager.get(id_, shared=True)
            if target is None:
                return ReadResult(None, {})
            unhealthy = manager.why_not_verified(target)
        inputs = target_properties.inputs_read(props, target)
        unchanged = all(name in props and props[name] == value for name, value in inputs.items())
        revision = int(props.get("revision", 0))
        if revision == 0 or (not unchanged and target_properties.rewritten(props, inputs)):
            revision += 1
        outs = target_properties.outputs(
            inputs,
            target,
            revision=revision,
            verified_at=props.get("verifiedAt"),
            verification_seconds=props.get("verificationSeconds"),
            health_status=props.get("healthStatus"),
        )
        if unhealthy is not None and current().records_init_failures:
            raise InitFailed(id_, outs, [unhealthy], target_properties.marked(inputs))
        # Without inputs the engine keeps those it has.
        return ReadResult(id_, outs, None if unchanged else target_properties.marked(inputs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Deletes the target; one that is gone already is a success."""
        from genesys_provider.resources.session import managed

        with managed(self._config, _props) as manager:
            manager.delete(_id)


def _delete_again(manager: TargetManager, error: NotVerified) -> NoReturn:
    """Under a host that can't record the target: left there, it would be an orphan that receives events."""
    from genesys_provider.client.errors import GenesysError

    try:
        manager.delete(error.target.id)
    except GenesysError as failure:
        raise OperationError(
            f"{error}. Target {error.target.id} could not be deleted again ({failure.message}): the next "
            "`pulumi up` adopts it"
        ) from None
    raise OperationError(f"{error}. The target was deleted again") from None


def _timeout(props: Mapping[str, Any]) -> float | None:
    """Seconds to wait for a verdict: `customTimeouts`, else the resource's; None is the config's."""
    return current().timeout or props.get("verificationTimeout")


def _init_failed(error: NotVerified, props: Mapping[str, Any], *, revision: int) -> NoReturn:
    from genesys_provider.resources import target_properties

    outs = target_properties.outputs(props, error.target, revision=revision)
    raise InitFailed(error.target.id, outs, [str(error)]) from None
