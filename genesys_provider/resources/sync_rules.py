"""The rules of a sync's properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, StrictBool

from genesys_provider.common.faults import Fault
from genesys_provider.common.fields import ApiModel, NonEmpty, WholeNumber
from genesys_provider.resources import properties, rules
from genesys_provider.targets.models import HttpsUrl
from genesys_provider.targets.signature import signing_key


def _usable(secret: SecretStr) -> SecretStr:
    signing_key(secret.get_secret_value())
    return secret


SigningSecret = Annotated[SecretStr, AfterValidator(_usable)]


class _CommonInputs(ApiModel):
    target_id: NonEmpty
    revision: Annotated[WholeNumber, Field(ge=0)]
    webhook_url: HttpsUrl
    required: StrictBool = True
    secrets: list[str] | None = None
    """The paths of the properties that the program gives as secrets."""


class SyncInputs(_CommonInputs):
    """All inputs of a `GatewaySync`."""

    signing_secret: SigningSecret | None = None


class RotatingSyncInputs(_CommonInputs):
    """The same with several secrets. A class of its own, since a union would name its branches in the paths."""

    signing_secret: Annotated[list[SigningSecret], Field(min_length=1)]


def faults(inputs: Mapping[str, Any]) -> list[Fault]:
    """Every fault of a sync's inputs; unknown values are not faults."""
    several = isinstance(inputs.get("signingSecret"), list)
    return rules.faults(RotatingSyncInputs if several else SyncInputs, properties.own(inputs))
