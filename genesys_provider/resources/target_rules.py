"""The rules of a target's properties in Pulumi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import StrictBool

from genesys_provider.client.redaction import OWNER_HEADER, SECRET_FIELDS
from genesys_provider.common.faults import Fault
from genesys_provider.common.paths import property_path
from genesys_provider.resources import properties, rules
from genesys_provider.targets.models import TargetConfig


class TargetInputs(TargetConfig, rules.OwnedInputs):
    """All inputs of an `EventBridgeTarget`."""

    verification_timeout: rules.TimeLimit | None = None
    health_check: StrictBool = False


def faults(olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[Fault]:
    """Every fault of a target's inputs, each with its property path; unknown values are not faults.

    Args:
        olds: The inputs of the last run. A secret that they lack too, since an import can't read it from the API,
            is only required once something else changes.
        inputs: The result of `with_defaults`.
    """
    headers = inputs.get("headers")
    reserved = [
        Fault(property_path(("headers", name)), "is the provider's own: it says whose the target is")
        for name in (headers if isinstance(headers, Mapping) else ())
        if name.lower() == OWNER_HEADER.lower()
    ]
    excused = {f"authConfig.{name}" for name in SECRET_FIELDS if _imported_without(olds, inputs, name)}
    found = rules.faults(TargetInputs, properties.own(inputs))
    return reserved + [fault for fault in found if fault.path not in excused]


def _imported_without(olds: Mapping[str, Any], inputs: Mapping[str, Any], name: str) -> bool:
    """Whether the inputs lack a secret that the same authentication lacked before."""
    auth = inputs.get("authConfig")
    return (
        bool(olds)
        and olds.get("authType", "NONE") == inputs["authType"] != "NONE"
        and name not in (olds.get("authConfig") or {})
        and name not in (auth if isinstance(auth, Mapping) else {})
    )


def config_from(inputs: Mapping[str, Any]) -> TargetConfig:
    """The configuration in inputs, or in the outputs that result from them.

    Raises:
        Invalid: They break a rule, such as a secret that an import lacks, which the check tolerates.
    """
    return rules.config_from(TargetConfig, "target", inputs)
