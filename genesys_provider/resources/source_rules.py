"""The rules of a source's properties in Pulumi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genesys_provider.common.faults import Fault
from genesys_provider.resources import properties, rules
from genesys_provider.sources.models import SourceConfig


class SourceInputs(SourceConfig, rules.OwnedInputs):
    """All inputs of an `EventBridgeSource`."""

    activation_timeout: rules.TimeLimit | None = None


def faults(_olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[Fault]:
    """Every fault of a source's inputs, each with its property path; unknown values are not faults."""
    return rules.faults(SourceInputs, properties.own(inputs))


def config_from(inputs: Mapping[str, Any]) -> SourceConfig:
    """The configuration in inputs, or in the outputs that result from them.

    Raises:
        Invalid: They break a rule.
    """
    return rules.config_from(SourceConfig, "source", inputs)
