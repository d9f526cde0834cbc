"""What the declarations of all our resources have in common."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, TypeVar, cast

import pulumi
from pulumi.dynamic import Resource

from genesys_provider.common.paths import property_path
from genesys_provider.resources.arguments import TEXT, Arguments
from genesys_provider.resources.options import PropertyNames, with_the_states_names
from genesys_provider.resources.owned_reader import OwnedReader

Declared = TypeVar("Declared", bound=Resource)

_CREDENTIALS_IN_URL = re.compile(r"[^/?#]*//[^/?#]*@")


class DeclaredResource(Resource):
    """A dynamic resource whose subclasses keep its type, unless they give one of their own.

    Pulumi itself would make `class CompanyTarget(EventBridgeTarget)` a `dynamic:Resource`: another resource to the
    engine, which creates it and deletes the one that was there.
    """

    def __init_subclass__(cls, module: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        """Takes the type `pulumi-python:dynamic/{module}:{name}`, else the parent's."""
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
    """A resource of this class that exists, to read its outputs.

    Args:
        kind: The class.
        reader: What reads it.
        resource_name: The name in the stack.
        id_: Its id in Genesys Cloud.
        opts: The options, as the program gave them.
        names: Its properties.

    Raises:
        pulumi.RunError: An argument is of the wrong kind, or an option names what is no property.
    """
    arguments = Arguments(kind, resource_name, opts)
    arguments.text("id", id_, wanted=f"the {reader.of.kind}'s id: {TEXT}")
    arguments.check()
    options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id_))
    # Not by the constructor, which is for what is to be made, and a subclass's may take anything.
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
    """The URL, a secret where credentials stand in it: it will be refused, and the engine shows what is refused."""
    if isinstance(url, str) and _CREDENTIALS_IN_URL.match(url):
        return pulumi.Output.secret(url)
    return url


def deleted_before_replaced(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options of a resource that must be deleted before another takes its place, unless they say otherwise.

    A create before the delete would find the name taken, by the very one that the delete is about to take away.
    """
    ours = pulumi.ResourceOptions(delete_before_replace=True)
    return ours if opts is None else pulumi.ResourceOptions.merge(ours, opts)


def urn_of(type_token: str, resource_name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Input[str]:
    """The URN that a resource is about to get, as one of its own inputs.

    It depends on nothing: the URN of a component depends on all its children, which would be a circle.
    """
    parent = None if opts is None else opts.parent
    if parent is None or parent is pulumi.runtime.get_root_resource():
        # As `create_urn` makes it, of several outputs, of which each takes its time.
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{type_token}::{resource_name}"
    # Of a parent's URN Pulumi cuts off what follows the last `::`, but a name may hold one: this one has none.
    of_its_kind = parent.urn.apply(lambda urn: "::".join([*urn.split("::", 3)[:3], "_"]))
    urn = pulumi.create_urn(resource_name, type_token, of_its_kind)
    return pulumi.Output(set(), cast("Awaitable[str]", urn.future()), urn.is_known(), urn.is_secret())


def secret_paths(properties: Mapping[str, Any]) -> pulumi.Input[list[str]] | None:
    """Where a program gives a secret, as one of the inputs: the stock host tells no provider what is secret.

    What fails on its way to a value is for the value itself to say. None where all is plain: a check fills it in.
    """
    if not _holds_outputs(properties):
        return None
    # As it is now: the result may become one of them.
    given = dict(properties)

    async def found() -> list[str]:
        return [property_path(path) async for path in _secrets_in(given, ())]

    # No output, which takes longer: it depends on nothing, and is always known.
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
        # A list with one secret is a secret as a whole.
        for item in value:
            async for _ in _secrets_in(item, path):
                yield path
                return
