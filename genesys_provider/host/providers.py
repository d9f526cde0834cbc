"""Which provider serves a resource: from the state, where Pulumi pickles it, or by the resource's type.

A dynamic provider has no plugin of its own. The program pickles it into each resource's properties, under
`__provider`, and the host unpickles it there. In an import there are no properties yet; and what an earlier
version has pickled may name a module that this version does not have. Then the package that defines the provider
says so, with an entry point of the group `pulumi.dynamic.providers` whose name is the resource's type token and
whose value is the provider's class. The class may have an attribute `imported_properties`: the inputs that Pulumi
writes into the code that it prints after an import, name by name, each in the terms of Pulumi's schemas.

A program may also declare the provider itself, with a config of its own:
`pulumi.ProviderResource("pulumi-python", …)`. A package that reads config checks it with an entry point of the
group `pulumi.dynamic.configs`: a function that takes the config and returns a `CheckFailure` for each fault.
"""

from __future__ import annotations

import base64
import os
import sys
import threading
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import dill
import pulumi.runtime
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import PROVIDER_KEY, serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime._serialization import _deserialize, _serialize

from genesys_provider.host.operation import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi.dynamic import CheckFailure, ResourceProvider

ENTRY_POINTS = "pulumi.dynamic.providers"
CONFIG_ENTRY_POINTS = "pulumi.dynamic.configs"


class Providers:
    """The providers of this process, each unpickled and configured once."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {}
        """The stack's configuration, in plain text: what `configure` of a provider gets."""
        self._loaded: dict[tuple[str, str], ResourceProvider] = {}
        """By type and pickle: what a pickle that can't be loaded stands for depends on the type."""
        self._serialized: dict[str, Any] = {}
        # One for all, as in the stock host: neither dill nor `serialize_provider` likes company.
        self._lock = threading.Lock()

    def of(self, type_token: str, *properties: Mapping[str, Any]) -> ResourceProvider:
        """The provider in the first of these properties that have a known one.

        Where it can't be unpickled, since its code has moved, it is the one that serves the type today.

        Raises:
            OperationError: None has, or it can't be unpickled, and no installed package serves the type.
        """
        found = [each.get(PROVIDER_KEY) for each in properties]
        serialized = next((each for each in found if isinstance(each, str) and each != rpc.UNKNOWN), None)
        if serialized is None:
            raise OperationError(
                f"the resource's properties have no '{PROVIDER_KEY}': is it a dynamic resource?"
            )
        _set_up_sdk()
        key = (type_token, serialized)
        provider = self._loaded.get(key)
        if provider is None:
            with self._lock:
                provider = self._loaded.get(key)
                if provider is None:
                    provider = _unpickle(serialized, type_token)
                    config = Config(raw_config=self.config, project_name=pulumi.get_project())
                    provider.configure(ConfigureRequest(config=config))
                    self._loaded[key] = provider
        return provider

    def of_type(self, type_token: str) -> Any:
        """What a program puts into `__provider` of a resource of this type, a secret where it is one there.

        Raises:
            OperationError: No installed package says which provider serves the type.
        """
        with self._lock:
            if type_token not in self._serialized:
                self._serialized[type_token] = _serialize_by_type(type_token)
            return self._serialized[type_token]


def schema() -> dict[str, Any]:
    """The types that installed packages say how to import, so that Pulumi can print code for them.

    That code takes a resource from the top of the package that has its provider. A schema has room for one package:
    where there are several, Pulumi prints the name of one that does not exist.
    """
    found = entry_points(group=ENTRY_POINTS)
    packages = {each.value.partition(":")[0].partition(".")[0] for each in found}
    modules = {each.name.split(":")[1]: "" for each in found}
    described: dict[str, Any] = {
        "resources": {each.name: {"inputProperties": _imported_properties(each)} for each in found}
    }
    if len(packages) == 1:
        described["language"] = {
            "python": {"packageName": packages.pop(), "moduleNameOverrides": modules},
        }
    return described


def config_failures(config: Mapping[str, Any]) -> list[CheckFailure]:
    """What installed packages find wrong with the config of a provider; values may be `Unknown`.

    Raises:
        OperationError: One of them can't be asked.
    """
    failures: list[CheckFailure] = []
    for each in entry_points(group=CONFIG_ENTRY_POINTS):
        try:
            check = each.load()
        except (ImportError, AttributeError) as error:
            raise OperationError(
                f"the check of the config by '{each.name}', {each.value}, can't be loaded: {error}"
            ) from error
        failures += check(config)
    return failures


def _imported_properties(entry_point: EntryPoint) -> dict[str, Any]:
    try:
        found: dict[str, Any] = getattr(entry_point.load(), "imported_properties", {})
    except (ImportError, AttributeError):
        # The resource is imported by now: whoever works with it hears of this.
        return {}
    return found


def _set_up_sdk() -> None:
    """Lets the provider ask the SDK for the project; the SDK keeps it for each context, so for each call."""
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=os.environ.get("PULUMI_PROJECT", "project"),
            # The engine tells neither of them to a plugin; the stock host says the same.
            stack="stack",
            organization="organization",
        )
    )


def _unpickle(serialized: str, type_token: str) -> ResourceProvider:
    try:
        provider: ResourceProvider = _deserialize(lambda: dill.loads(base64.b64decode(serialized)))  # noqa: S301
    except (ImportError, AttributeError) as error:
        if entry_points(group=ENTRY_POINTS, name=type_token):
            return _new(type_token)
        raise OperationError(
            f"the provider of this resource can't be loaded: {error}. The state refers to its code by name: "
            f"install the package that has it, in the version that the program uses, into the Python of the "
            f"project ({sys.executable}), or run Pulumi where the module is."
        ) from error
    return provider


def _new(type_token: str) -> ResourceProvider:
    """A provider as installed packages have it for this type."""
    found = list(entry_points(group=ENTRY_POINTS, name=type_token))
    if not found:
        raise OperationError(
            f"no installed package says which provider serves '{type_token}', so it can't be imported: the "
            f"provider's package needs an entry point of that name in the group '{ENTRY_POINTS}', and must "
            f"be installed into the Python of the project ({sys.executable})."
        )
    try:
        provider: ResourceProvider = found[0].load()()
    except (ImportError, AttributeError) as error:
        raise OperationError(
            f"the provider of '{type_token}', {found[0].value}, can't be loaded: {error}"
        ) from error
    return provider


def _serialize_by_type(type_token: str) -> Any:
    provider = _new(type_token)
    serialized, contains_secrets = _serialize(True, serialize_provider, provider)
    if getattr(provider, "serialize_as_secret_always", True) or contains_secrets:
        return rpc.wrap_rpc_secret(serialized)
    return serialized
