"""The common part of the rules of all resources: the models, and the values of Pulumi that they must accept.

The rules are pydantic models. Loading them takes longer than checking a hundred resources, so nothing else loads
them: inputs that have `passed` before need no rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Protocol, TypeVar

from pulumi.output import Unknown
from pydantic import BaseModel, Field, StrictBool, ValidationError

from genesys_provider.client.settings import LONGEST_SECONDS
from genesys_provider.common.errors import Invalid
from genesys_provider.common.faults import Fault, faults_of
from genesys_provider.common.fields import ApiModel, Number
from genesys_provider.common.paths import property_path
from genesys_provider.resources.properties import Path, related

Config = TypeVar("Config", bound=ApiModel)
Model = TypeVar("Model", bound=BaseModel)

TimeLimit = Annotated[Number, Field(gt=0, le=LONGEST_SECONDS)]
"""Seconds."""

_validating = ThreadPoolExecutor(1, "validating")
"""Validates for all operations. It takes a deeper stack than anything else in them, and the thread of an operation
would keep that memory, 11 kB, while it waits for its verdict."""


class Rules(Protocol):
    """The module of a kind's rules."""

    def faults(self, olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[Fault]:
        """Every fault of the inputs."""


class OwnedInputs(ApiModel):
    """The inputs that are not part of the configuration, for every kind of resource."""

    create_before_delete: StrictBool = False
    """Whether the program has `delete_before_replace=False`, which the engine does not tell a provider."""
    api_url: str | None = None
    """The address of the organization. It is an input so that a preview shows its change."""
    secrets: list[str] | None = None
    """The paths of the properties that the program gives as secrets."""


def faults(model: type[BaseModel], properties: Mapping[str, Any]) -> list[Fault]:
    """Every rule of the model that the properties break; unknown values of a preview break none."""
    unknown: list[Path] = []
    try:
        known = _known(properties, (), unknown)
        _validated(model, known)
    except ValidationError as error:
        paths = [property_path(path) for path in unknown]
        return [fault for fault in faults_of(error) if not any(related(fault.path, path) for path in paths)]
    return []


def _known(value: Any, path: Path, unknown: list[Path]) -> Any:
    """The value without unknown values, whose paths are collected.

    In a list they stay in place, so that the following items keep their indices; their faults are left out later.
    """
    if isinstance(value, Unknown):
        unknown.append(path)
        return value
    if isinstance(value, Mapping):
        items = [(name, _known(item, (*path, name), unknown)) for name, item in value.items()]
        return {name: item for name, item in items if not isinstance(item, Unknown)}
    if isinstance(value, (list, tuple)):
        return [_known(item, (*path, index), unknown) for index, item in enumerate(value)]
    return value


def _validated(model: type[Model], given: Mapping[str, Any]) -> Model:
    # Only by the API's names: Python's names would pass, but be missing in the request.
    return _validating.submit(model.model_validate, given, by_alias=True, by_name=False).result()


def config_from(model: type[Config], kind: str, inputs: Mapping[str, Any]) -> Config:
    """The configuration in inputs, or in the outputs that result from them.

    Raises:
        Invalid: They break a rule, such as a secret that an import lacks, which the check tolerates.
    """
    names = [field.alias or name for name, field in model.model_fields.items()]
    given = {name: inputs[name] for name in names if inputs.get(name) is not None}
    try:
        return _validated(model, given)
    except ValidationError as error:
        raise Invalid(f"{kind} {inputs.get('name')!r}", faults_of(error)) from None
