"""A sync's properties: checked, compared, written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr, StrictBool, field_validator

from genesys_provider.host.operation import ChangeKind
from genesys_provider.resources import properties
from genesys_provider.targets.models import ApiModel, HttpsUrl, NonEmpty, WholeNumber
from genesys_provider.targets.signature import signing_key

_WATCHED = ("targetId", "revision", "webhookUrl", "signingSecret")
"""A change of one of these is sent to the gateway."""

if TYPE_CHECKING:
    from genesys_provider.targets.gateway import Delivery


class SyncInputs(ApiModel):
    """All inputs of a `GatewaySync`."""

    target_id: NonEmpty
    revision: Annotated[WholeNumber, Field(ge=0)]
    webhook_url: HttpsUrl
    signing_secret: SecretStr | None = None
    required: StrictBool = True

    @field_validator("signing_secret")
    @classmethod
    def _usable(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            signing_key(secret.get_secret_value())
        return secret


def changes(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, ChangeKind]:
    """What an update sends to the gateway, by property path: a delivery that is still due is a change too."""
    found = properties.changed((name, olds.get(name), news.get(name)) for name in _WATCHED)
    if "deliveryId" not in olds:
        found["deliveryId"] = "add"
    return found


def outputs(inputs: Mapping[str, Any], delivery: Delivery | None) -> dict[str, Any]:
    """The state of a sync; without a delivery, the gateway was not told."""
    outs = properties.own(inputs)
    if "signingSecret" in outs:
        outs["signingSecret"] = properties.secret(outs["signingSecret"])
    if delivery is not None:
        outs |= {"deliveryId": delivery.delivery_id, "syncedAt": delivery.synced_at}
    return outs
