"""What the declarations of all our resources share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, TypeVar, cast

import pulumi
from pulumi.dynamic import Resource

from genesys_provider.common.paths import property_path
from genesys_provider.common.urns import Urn
from genesys_provider.resources.arguments import TEXT, Arguments
from genesys_provider.resources.options import PropertyNames, with_the_states_names
from genesys_provider.resources.owned_reader import OwnedReader

Declared = TypeVar("Declared", bound=Resource)

_CREDENTIALS_IN_URL = re.compile(r"[^/?#]*//[^/?#]*@")


class DeclaredResource(Resource):
    """A dynamic resource whose subclasses keep its type, unless they set their own.

    Pulumi would give `class CompanyTarget(EventBridgeTarget)` the type `dynamic:Resource`. To the engine that is a
    different resource: it would create that one and delete the existing one.
    """

    def __init_subclass__(cls, module: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        """Sets the type `pulumi-python:dynamic/{module}:{name}`; by default the parent's."""
        inherited = cls._resource_type_name
        super().__init_subclass__(module=module or "", name=name or "Resource", **kwargs)
        if module is None and name is None:
            cls._resource_type_name = inherited


def existing(
    kind: type[Declared],
    reader: OwnedReader,
    resource_name: str,
    id_: pulumi.Input[str],
    opts: pulumi.ResourceOptions | None,
    names: PropertyNames,
) -> Declared:
    """An existing resource of this class, to read its outputs.

    Args:
        kind: The class.
        reader: The provider that reads it.
        resource_name: The name in the stack.
        id_: Its id in Genesys Cloud.
        opts: The options as the program gave them.
        names: Its properties.

    Raises:
        pulumi.RunError: An argument has the wrong type, or an option names an unknown property.
    """
    arguments = Arguments(kind, resource_name, opts)
    arguments.text("id", id_, wanted=f"the {reader.of.kind}'s id: {TEXT}")
    arguments.check()
    options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id_))
    # Not by the constructor, which declares a new resource, and may have other parameters in a subclass.
    resource = kind.__new__(kind)
    Resource.__init__(
        resource,
        reader,
        resource_name,
        dict.fromkeys((*names.inputs, *names.outputs)),
        with_the_states_names(options, arguments.resource, names),
    )
    return resource


def hidden_if_it_holds_credentials(url: pulumi.Input[str]) -> pulumi.Input[str]:
    """The URL, as a secret if it contains credentials: it will be refused, and the engine shows refused values."""
    if isinstance(url, str) and _CREDENTIALS_IN_URL.match(url):
        return pulumi.Output.secret(url)
    return url


def declared_options(
    opts: pulumi.ResourceOptions | None, resource: str, names: PropertyNames
) -> pulumi.ResourceOptions:
    """The options of a new resource, with each property named as in the state.

    Unless they say otherwise, it is deleted before it is replaced: a create before the delete would find the name
    taken by the very object that is about to be deleted.

    Args:
        opts: The options as the program gave them.
        resource: The resource, for errors: `EventBridgeTarget 'orders'`.
        names: Its properties.

    Raises:
        pulumi.RunError: An option names an unknown property, or would leave the object behind.
    """
    if opts is not None and opts.deleted_with is not None:
        raise pulumi.RunError(
            f"{resource}: remove the option deleted_with. With it, Pulumi forgets the resource together with "
            "another one, without deleting it: a target or source lives on, and a gateway is told nothing"
        )
    ours = pulumi.ResourceOptions(delete_before_replace=True)
    return with_the_states_names(pulumi.ResourceOptions.merge(ours, opts), resource, names)


def urn_of(type_token: str, resource_name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Input[str]:
    """The URN that a resource will get, for use as one of its own inputs.

    It depends on nothing: a component's URN depends on all its children, which would be circular.
    """
    parent = None if opts is None else opts.parent
    if parent is None or parent is pulumi.runtime.get_root_resource():
        # Like `create_urn`, but without its outputs, each of which takes time.
        return str(Urn(pulumi.get_stack(), pulumi.get_project(), type_token, resource_name))
    # Pulumi cuts a parent's URN at the last `::`, but a name may contain that; this name does not.
    of_its_kind = parent.urn.apply(lambda urn: "::".join([*urn.split("::", 3)[:3], "_"]))
    urn = pulumi.create_urn(resource_name, type_token, of_its_kind)
    return pulumi.Output(set(), cast("Awaitable[str]", urn.future()), urn.is_known(), urn.is_secret())


def secret_paths(properties: Mapping[str, Any]) -> pulumi.Input[list[str]] | None:
    """The paths of secrets, as one of the inputs: the stock host does not tell providers what is secret.

    If evaluating an output fails, the output itself reports it. None if there are no outputs: a check fills it in.
    """
    if not _holds_outputs(properties):
        return None
    # A copy, since the result may become one of the properties.
    given = dict(properties)

    async def found() -> list[str]:
        return [property_path(path) async for path in _secrets_in(given, ())]

    # A plain value, since an output takes longer; it depends on nothing, and is always known.
    return asyncio.ensure_future(found())


def _holds_outputs(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_outputs, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(_holds_outputs, value))
    return isinstance(value, pulumi.Output)


async def _secrets_in(value: Any, path: tuple[str, ...]) -> AsyncIterator[tuple[str, ...]]:
    if isinstance(value, pulumi.Output):
        try:
            secret, value = await value.is_secret(), await value.future()
        except Exception:  # noqa: BLE001  (whatever the program raises)
            return
        if secret:
            yield path
            return
    if isinstance(value, Mapping):
        for name, item in value.items():
            async for each in _secrets_in(item, (*path, name)):
                yield each
    elif isinstance(value, Sequence) and not isinstance(value, str):
        # A list with one secret is secret as a whole.
        for item in value:
            async for _ in _secrets_in(item, path):
                yield path
                return
