"""What the engine asks of a `GatewaySync`."""

from __future__ import annotations

import uuid
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)

from genesys_provider.host.operation import DetailedDiffResult, current


class GatewaySyncProvider(ResourceProvider):
    """Sends the webhooks; there is nothing to read back."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config: of it the CA, the audit file and the retries."""
        from genesys_provider.resources.properties import config_of

        self._config = config_of(req)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """All faults at once, each on its property; what is not known yet is none."""
        from genesys_provider.resources import properties, sync_properties

        inputs = {"required": True, **properties.present(news)}
        found = properties.faults(sync_properties.SyncInputs, properties.own(inputs))
        return CheckResult(inputs, [CheckFailure(fault.path, fault.reason) for fault in found])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What changes; each change but that of `required` is a new webhook."""
        from genesys_provider.resources import sync_properties

        return DetailedDiffResult(sync_properties.changes(_olds, _news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Tells the gateway that the target's configuration is new."""
        outs = self._notify(props, deleted=False)
        return CreateResult(outs.get("deliveryId") or f"unsent_{uuid.uuid4().hex}", outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Tells the gateway again; where it is another target now, also that the former one is gone."""
        if _olds.get("targetId") != _news.get("targetId"):
            self._notify({**_news, "targetId": _olds["targetId"]}, deleted=True)
        return UpdateResult(self._notify(_news, deleted=False))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Tells the gateway that the target goes."""
        self._notify(_props, deleted=True)

    def _notify(self, props: dict[str, Any], *, deleted: bool) -> dict[str, Any]:
        from genesys_provider.resources import sync_properties
        from genesys_provider.resources.session import managed
        from genesys_provider.targets.errors import SyncFailed
        from genesys_provider.targets.gateway import DELETED, UPDATED

        delivery = None
        with managed(self._config, props) as manager:
            try:
                delivery = manager.sync(
                    props["webhookUrl"],
                    props["targetId"],
                    event=DELETED if deleted else UPDATED,
                    signing_secret=props.get("signingSecret"),
                )
            except SyncFailed as error:
                if props.get("required", True):
                    raise
                current().warn(str(error))
        return sync_properties.outputs(props, delivery)
