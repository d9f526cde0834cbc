"""Selects the provider of a resource: the pickled one in its state, or the one for its type.

A dynamic provider has no plugin of its own. The program pickles it into each resource's properties, under
`__provider`, and the host unpickles it from there. An import has no properties yet, and the pickle of an earlier
version may name a module that no longer exists. Then the package that defines the provider decides, by an entry
point in the group `pulumi.dynamic.providers`: its name is the resource's type token, its value the provider's
class. The class may have an attribute `imported_properties`: the inputs that Pulumi writes into the code that it
prints after an import, by name, each as a Pulumi schema.

A program may also declare the provider itself, with its own config: `pulumi.ProviderResource("pulumi-python", …)`.
A package validates such a config with an entry point in the group `pulumi.dynamic.configs`: a function that takes
the config and returns a `CheckFailure` for each fault.
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
        """The stack's configuration, in plain text, for `configure` of the providers."""
        self._loaded: dict[tuple[str, str], ResourceProvider] = {}
        """By type and pickle, since the type decides what replaces a pickle that can't be loaded."""
        self._serialized: dict[str, Any] = {}
        # A single lock, as in the stock host: neither dill nor `serialize_provider` is thread-safe.
        self._lock = threading.Lock()

    def of(self, type_token: str, *properties: Mapping[str, Any]) -> ResourceProvider:
        """The provider in the first of these properties that have a known one.

        If it can't be unpickled because its code has moved, the current provider for the type is used.

        Raises:
            OperationError: There is none, or it can't be unpickled and no installed package serves the type.
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
        """The value of `__provider` that a program would give to a resource of this type, secret if it is so there.

        Raises:
            OperationError: No installed package serves the type.
        """
        with self._lock:
            if type_token not in self._serialized:
                self._serialized[type_token] = _serialize_by_type(type_token)
            return self._serialized[type_token]


def schema() -> dict[str, Any]:
    """The types that installed packages can import, so that Pulumi can print code for them.

    That code imports a resource from the top-level package of its provider. A schema can only name one package: if
    there are several, Pulumi prints the name of a package that does not exist.
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
    """The faults that installed packages find in a provider's config; values may be `Unknown`.

    Raises:
        OperationError: One of the checks can't be loaded.
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
        # The resource is already imported; working with it will report the problem.
        return {}
    return found


def _set_up_sdk() -> None:
    """Lets the provider ask the SDK for the project, which the SDK stores per context, and so per call."""
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=os.environ.get("PULUMI_PROJECT", "project"),
            # The engine tells plugins neither; the stock host has the same value.
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
    """A provider for this type from the installed packages."""
    found = list(entry_points(group=ENTRY_POINTS, name=type_token))
    if not found:
        known = sorted(entry_points(group=ENTRY_POINTS).names)
        raise OperationError(
            f"no installed package says which provider serves '{type_token}', so it can't be imported. "
            f"These types can be: {', '.join(known) or 'none'}. For any other, the provider's package needs an "
            f"entry point of that name in the group '{ENTRY_POINTS}', and must be installed into the Python of "
            f"the project ({sys.executable})."
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
