"""What the engine asks of an `EventBridgeTarget`: what is not in `owned`, above all create and update."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi.dynamic import CreateResult, UpdateResult

from genesys_provider.host.operation import InitFailed, current
from genesys_provider.resources.owned import (
    OwnedProperties,
    OwnedProvider,
    delete_again,
    gone,
    same_organization,
)

if TYPE_CHECKING:
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target


class EventBridgeTargetProvider(OwnedProvider):
    """Drives targets through a `TargetManager`; never replaces one by itself."""

    kind = "target"
    lasting = (*OwnedProvider.lasting, "selfUri")
    imported_properties: ClassVar = {
        "name": {"type": "string"},
        "endpointUrl": {"type": "string"},
        "eventTypes": {"type": "array", "items": {"type": "string"}},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    """What `EventBridgeTarget` takes as an import reads it; `auth` and `retry_policy` are classes of ours."""

    def properties(self) -> OwnedProperties:
        """The module of its properties."""
        from genesys_provider.resources import target_properties

        return target_properties

    def managed(self, *states: Mapping[str, Any]) -> AbstractContextManager[TargetManager]:
        """The manager, for an operation on these states."""
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.manager import TargetManager

        return managed(TargetManager, self._config, *states)

    def complaint(self, manager: TargetManager, found: Target) -> str | None:
        """That its last verification came to nothing, and why."""
        return manager.why_not_verified(found)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Registers the target and waits for the verdict.

        Raises:
            InitFailed: The target exists but is not verified; under our host it is recorded.
            OperationError: Nothing was left behind.
        """
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.owned_properties import facts
        from genesys_provider.resources.session import run
        from genesys_provider.resources.words import said
        from genesys_provider.targets.errors import NotVerified

        with self.managed(props) as manager:
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
                    delete_again(manager, self.kind, error.target.id, error)
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
            run.learned(outcome.target.id, facts(outs))
            return CreateResult(outcome.target.id, outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Writes the configuration with one PUT, and waits if that started the verification again.

        Raises:
            InitFailed: The configuration is written, but the target is not verified.
            OperationError: The configuration is as it was.
        """
        from genesys_provider.client.errors import NotFound
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.owned_properties import facts
        from genesys_provider.resources.session import run
        from genesys_provider.resources.words import said
        from genesys_provider.targets.errors import NotVerified

        revision = int(_olds.get("revision", 0)) + 1
        health_check = bool(_news.get("healthCheck"))
        with self.managed(_olds, _news) as manager:
            organization_id = same_organization(manager, self.kind, _id, _olds)
            if not target_properties.configuration_changed(_olds, _news):
                outs = target_properties.outputs_kept(
                    _olds,
                    _news,
                    organization_id=organization_id,
                    revision=revision,
                    health_status=manager.health(_id) if health_check else None,
                )
                run.learned(_id, facts(outs))
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
                raise gone(self.kind, _id, _news) from None
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
            run.learned(_id, facts(outs))
            return UpdateResult(outs)


def _timeout(props: Mapping[str, Any]) -> float | None:
    """Seconds to wait for a verdict: `customTimeouts`, else the resource's; None is the config's."""
    return current().timeout or props.get("verificationTimeout")
