"""The engine's operations on an `EventBridgeTarget`, beyond those in `owned`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from genesys_provider.resources.owned import OwnedProvider, seconds

if TYPE_CHECKING:
    from genesys_provider.resources.owned_properties import OwnedProperties
    from genesys_provider.resources.rules import Rules
    from genesys_provider.targets.manager import Outcome, TargetManager
    from genesys_provider.targets.models import Target


class EventBridgeTargetProvider(OwnedProvider):
    """Manages targets with a `TargetManager`; never replaces one by itself."""

    kind = "target"
    lasting = (*OwnedProvider.lasting, "selfUri")
    status = "status"
    retrial = "will verify again"
    imported_properties: ClassVar = {
        "name": {"type": "string"},
        "endpointUrl": {"type": "string"},
        "eventTypes": {"type": "array", "items": {"type": "string"}},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    """The inputs of `EventBridgeTarget` as an import reads them; `auth` and `retry_policy` are classes of ours."""

    def properties(self) -> OwnedProperties:
        """The module with its properties."""
        from genesys_provider.resources import target_properties

        return target_properties

    def rules(self) -> Rules:
        """The module with its rules."""
        from genesys_provider.resources import target_rules

        return target_rules

    def managed(self, *states: Mapping[str, Any]) -> AbstractContextManager[TargetManager]:
        """The manager, for an operation on these states."""
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.manager import TargetManager

        return managed(TargetManager, self._config, *states)

    def complaint(self, manager: TargetManager, found: Target) -> str | None:
        """Reports that its last verification failed, and why."""
        return manager.why_not_verified(found)

    def registered(self, manager: TargetManager, props: Mapping[str, Any]) -> Outcome:
        """Registers the target and waits for the verdict."""
        from genesys_provider.resources import target_rules

        return manager.register(
            target_rules.config_from(props),
            timeout=seconds(props, "verificationTimeout"),
            health_check=bool(props.get("healthCheck")),
            creates_first=bool(props.get("createBeforeDelete")),
        )

    def updated(
        self, manager: TargetManager, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]
    ) -> Outcome:
        """Writes the configuration with one PUT, and waits if that restarts the verification."""
        from genesys_provider.resources import target_properties, target_rules

        return manager.update(
            id_,
            target_rules.config_from(news),
            recorded_owner=olds.get("owner"),
            last_write=target_properties.last_write(olds),
            unchanged=target_properties.verdict_is_missing(olds, news),
            timeout=seconds(news, "verificationTimeout"),
            health_check=bool(news.get("healthCheck")),
        )

    def outputs_kept(
        self,
        manager: TargetManager,
        id_: str,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        organization_id: str | None,
    ) -> dict[str, Any]:
        """The state of a target that was not written, with a health check if requested."""
        outs = super().outputs_kept(manager, id_, olds, news, organization_id)
        return {**outs, "healthStatus": manager.health(id_)} if news.get("healthCheck") else outs
