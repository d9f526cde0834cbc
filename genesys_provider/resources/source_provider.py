"""The engine's operations on an `EventBridgeSource`, beyond those in `owned`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from genesys_provider.resources.owned import OwnedProvider, seconds

if TYPE_CHECKING:
    from genesys_provider.resources.owned_properties import OwnedProperties
    from genesys_provider.resources.rules import Rules
    from genesys_provider.sources.manager import SourceManager, SourceOutcome
    from genesys_provider.sources.models import Source


class EventBridgeSourceProvider(OwnedProvider):
    """Manages sources with a `SourceManager`. A new account, region or suffix means a new source."""

    kind = "source"
    unique = ("name", "eventSourceSuffix")
    replacing = ("awsAccountId", "awsRegion", "eventSourceSuffix")
    lasting = (*OwnedProvider.lasting, "eventSourceName")
    status = "state"
    retrial = "will continue"
    imported_properties: ClassVar = {
        "name": {"type": "string"},
        "awsAccountId": {"type": "string"},
        "awsRegion": {"type": "string"},
        "eventSourceSuffix": {"type": "string"},
        "notes": {"type": "string"},
        "topics": {"type": "array", "items": {"type": "string"}},
        "enabled": {"type": "boolean"},
    }
    """The inputs of `EventBridgeSource` as an import reads them."""

    def properties(self) -> OwnedProperties:
        """The module with its properties."""
        from genesys_provider.resources import source_properties

        return source_properties

    def rules(self) -> Rules:
        """The module with its rules."""
        from genesys_provider.resources import source_rules

        return source_rules

    def managed(self, *states: Mapping[str, Any]) -> AbstractContextManager[SourceManager]:
        """The manager, for an operation on these states."""
        from genesys_provider.resources.session import managed
        from genesys_provider.sources.manager import SourceManager

        return managed(SourceManager, self._config, *states)

    def complaint(self, _manager: SourceManager, found: Source) -> str | None:
        """Reports that the service could not make or keep it active, and why."""
        from genesys_provider.client.redaction import shortened
        from genesys_provider.sources.vocabulary import ERROR

        if found.status != ERROR:
            return None
        what = f"source {found.name!r} ({found.id}) is in {ERROR}"
        return f"{what}: {shortened(found.reason)}" if found.reason else what

    def registered(self, manager: SourceManager, props: Mapping[str, Any]) -> SourceOutcome:
        """Registers the source and waits until it is active."""
        from genesys_provider.resources import source_rules

        return _warned(
            manager.register(
                source_rules.config_from(props),
                timeout=seconds(props, "activationTimeout"),
                creates_first=bool(props.get("createBeforeDelete")),
            )
        )

    def updated(
        self, manager: SourceManager, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]
    ) -> SourceOutcome:
        """Writes what has changed, and waits for the desired state."""
        from genesys_provider.resources import source_properties, source_rules

        return _warned(
            manager.update(
                id_,
                source_rules.config_from(news),
                recorded_owner=olds.get("owner"),
                last_write=source_properties.last_write(olds),
                expected=source_properties.expected(olds),
                timeout=seconds(news, "activationTimeout"),
            )
        )


def _warned(outcome: SourceOutcome) -> SourceOutcome:
    """Returns the outcome, after showing its warnings."""
    from genesys_provider.resources.session import warn

    for warning in outcome.warnings:
        warn(warning)
    return outcome
