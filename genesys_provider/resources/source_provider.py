"""What the engine asks of an `EventBridgeSource`: what is not in `owned`, above all create and update."""

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
    from genesys_provider.sources.manager import SourceManager
    from genesys_provider.sources.models import Source


class EventBridgeSourceProvider(OwnedProvider):
    """Drives sources through a `SourceManager`. Another account, region or suffix is another source."""

    kind = "source"
    replacing = ("awsAccountId", "awsRegion", "eventSourceSuffix")
    lasting = (*OwnedProvider.lasting, "eventSourceName")
    imported_properties: ClassVar = {
        "name": {"type": "string"},
        "awsAccountId": {"type": "string"},
        "awsRegion": {"type": "string"},
        "eventSourceSuffix": {"type": "string"},
        "notes": {"type": "string"},
        "topics": {"type": "array", "items": {"type": "string"}},
        "enabled": {"type": "boolean"},
    }
    """What `EventBridgeSource` takes as an import reads it."""

    def properties(self) -> OwnedProperties:
        """The module of its properties."""
        from genesys_provider.resources import source_properties

        return source_properties

    def managed(self, *states: Mapping[str, Any]) -> AbstractContextManager[SourceManager]:
        """The manager, for an operation on these states."""
        from genesys_provider.resources.session import managed
        from genesys_provider.sources.manager import SourceManager

        return managed(SourceManager, self._config, *states)

    def complaint(self, _manager: SourceManager, found: Source) -> str | None:
        """That the service could not make it active, or can't keep it so, and why."""
        from genesys_provider.client.errors import shortened
        from genesys_provider.sources.models import ERROR

        if found.status != ERROR:
            return None
        what = f"source {found.name!r} ({found.id}) is in {ERROR}"
        return f"{what}: {shortened(found.reason)}" if found.reason else what

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Registers the source and waits until it is active.

        Raises:
            InitFailed: The source exists but is not as it is to be; under our host it is recorded.
            OperationError: Nothing was left behind.
        """
        from genesys_provider.resources import source_properties
        from genesys_provider.resources.owned_properties import facts
        from genesys_provider.resources.session import run, warn
        from genesys_provider.resources.words import said
        from genesys_provider.sources.errors import NotActive

        with self.managed(props) as manager:
            organization_id = manager.organization().id
            try:
                outcome = manager.register(
                    source_properties.config_from(props),
                    timeout=_timeout(props),
                    creates_first=bool(props.get("createBeforeDelete")),
                )
            except NotActive as error:
                if not current().records_init_failures:
                    delete_again(manager, self.kind, error.source.id, error)
                run.created(error.source.id, props["owner"])
                outs = source_properties.outputs(props, error.source, organization_id=organization_id)
                raise InitFailed(error.source.id, outs, [said(error)]) from None
            run.created(outcome.source.id, props["owner"])
            for warning in outcome.warnings:
                warn(warning)
            outs = source_properties.outputs(
                props,
                outcome.source,
                organization_id=organization_id,
                activated_at=outcome.activated_at,
                activation_seconds=outcome.activation_seconds,
            )
            run.learned(outcome.source.id, facts(outs))
            return CreateResult(outcome.source.id, outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Writes what has changed, and waits until the source is as it is to be.

        Raises:
            InitFailed: The configuration is written, but the source is not as it is to be.
            OperationError: The configuration is as it was.
        """
        from genesys_provider.client.errors import NotFound
        from genesys_provider.resources import source_properties
        from genesys_provider.resources.owned_properties import facts
        from genesys_provider.resources.session import run, warn
        from genesys_provider.resources.words import said
        from genesys_provider.sources.errors import NotActive

        with self.managed(_olds, _news) as manager:
            organization_id = same_organization(manager, self.kind, _id, _olds)
            if not source_properties.configuration_changed(_olds, _news):
                outs = source_properties.outputs_kept(_olds, _news, organization_id=organization_id)
                run.learned(_id, facts(outs))
                return UpdateResult(outs)
            try:
                outcome = manager.update(
                    _id,
                    source_properties.config_from(_news),
                    recorded_owner=_olds.get("owner"),
                    last_write=source_properties.last_write(_olds),
                    expected=source_properties.expected(_olds),
                    timeout=_timeout(_news),
                )
            except NotActive as error:
                if not current().records_init_failures:
                    raise
                outs = source_properties.outputs(
                    _news,
                    error.source,
                    organization_id=organization_id,
                    written_at=_olds.get("writtenAt"),
                )
                raise InitFailed(_id, outs, [said(error)]) from None
            except NotFound:
                raise gone(self.kind, _id, _news) from None
            for warning in outcome.warnings:
                warn(warning)
            outs = source_properties.outputs(
                _news,
                outcome.source,
                organization_id=organization_id,
                written_at=_olds.get("writtenAt"),
                activated_at=outcome.activated_at or _olds.get("activatedAt"),
                activation_seconds=outcome.activation_seconds or _olds.get("activationSeconds"),
            )
            run.learned(_id, facts(outs))
            return UpdateResult(outs)


def _timeout(props: Mapping[str, Any]) -> float | None:
    """Seconds to wait: `customTimeouts`, else the resource's; None is the default."""
    return current().timeout or props.get("activationTimeout")
