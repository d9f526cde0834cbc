"""Adds the entry for our host to Pulumi.yaml, without changing anything else in the file.

The parser tells where the parts of the document are; missing ones are inserted as text in the surrounding style. So
comments, quotes and layout are kept. The result is parsed again and compared, since YAML has more notations than we
know of.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any, cast

import yaml

PLUGIN = "pulumi-python"


class StanzaError(Exception):
    """The project file can't be read, or can't be changed safely; the message tells what to do."""


@dataclass(frozen=True)
class Provider:
    """An entry of `plugins.providers`; `line` counts from 1."""

    name: str
    path: str
    line: int


def providers_of(text: str) -> list[Provider]:
    """The entries of `plugins.providers`, in order.

    Raises:
        StanzaError: The text is not valid YAML, or these parts have an unexpected type.
    """
    node = _providers_node(_root(text))
    if node is None or _is_nothing(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise StanzaError(f"`plugins.providers` in line {_line(node)} is not a list. {_by_hand()}")
    found = []
    for each in node.value:
        if not isinstance(each, yaml.MappingNode):
            raise StanzaError(f"the entry of `plugins.providers` in line {_line(each)} has no `name`.")
        values = {key.value: value.value for key, value in each.value if isinstance(value, yaml.ScalarNode)}
        found.append(Provider(str(values.get("name", "")), str(values.get("path", "")), _line(each)))
    return found


def with_provider(text: str, path: str) -> str:
    """The text of a project file with an entry for our host at `path`; it must not have one yet.

    Raises:
        StanzaError: It can't be inserted safely; the message has the lines to insert by hand.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    root = _root(text)
    expected = copy.deepcopy(yaml.safe_load(text))
    plugins = expected.get("plugins") or {}
    if not isinstance(plugins, dict):
        raise StanzaError(f"`plugins` is not a mapping. {_by_hand(path)}")
    plugins["providers"] = [{"name": PLUGIN, "path": path}, *(plugins.get("providers") or [])]
    expected["plugins"] = plugins
    at, until, inserted = _insertion(root, text, path)
    new = text[:at] + inserted.replace("\n", newline) + text[until:]
    try:
        same = yaml.safe_load(new) == expected
    except yaml.YAMLError:
        same = False
    if not same:
        raise StanzaError(f"it is written in a way that can't be changed safely. {_by_hand(path)}")
    return new


def _insertion(root: yaml.MappingNode, text: str, path: str) -> tuple[int, int, str]:
    """The part of the text to replace, and its replacement, on the first level that is missing."""
    item = {"name": PLUGIN, "path": path}
    plugins, providers = _value(root, "plugins"), _providers_node(root)
    if plugins is None and not root.flow_style:
        end = root.end_mark.index
        gap = "" if text[:end].endswith("\n") else "\n"
        return end, end, f"{gap}plugins:\n{_lines(item, indent=2, key=True)}"
    if plugins is None:
        return _first_in(root, f'"plugins": {json.dumps({"providers": [item]})}')
    if _is_nothing(plugins):
        return _instead(text, root, "plugins", {"providers": [item]}, _lines(item, indent=2, key=True))
    # The caller has checked this.
    plugins = cast("yaml.MappingNode", plugins)
    if providers is None:
        return _first_in(plugins, f'"providers": {json.dumps([item])}', item)
    if _is_nothing(providers):
        indent = plugins.start_mark.column + 2
        return _instead(text, plugins, "providers", [item], _lines(item, indent=indent))
    return _first_in(cast("yaml.SequenceNode", providers), json.dumps(item), item)


def _lines(item: dict[str, str], *, indent: int, key: bool = False) -> str:
    """The entry in block style, below the key `providers` if that is missing too."""
    lines = [f"- name: {item['name']}", f"  path: {item['path']}"]
    if key:
        lines = ["providers:", *(f"  {line}" for line in lines)]
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _first_in(
    node: yaml.CollectionNode, flow: str, item: dict[str, str] | None = None
) -> tuple[int, int, str]:
    """Inserts before the collection's existing items: `flow` in flow style, the item's lines in block style."""
    at, column = node.start_mark.index, node.start_mark.column
    if item is None or node.flow_style:
        return at + 1, at + 1, f"{flow}, " if node.value else flow
    lines = _lines(item, indent=column, key=isinstance(node, yaml.MappingNode))
    return at, at, lines.lstrip(" ") + " " * column


def _instead(
    text: str, parent: yaml.MappingNode, key: str, value: object, lines: str
) -> tuple[int, int, str]:
    """Gives a key its first value: on the lines below it, or in place of `null` or `{}`."""
    named, node = next((name, node) for name, node in parent.value if name.value == key)
    start, end = node.start_mark.index, node.end_mark.index
    if start != end or parent.flow_style:
        return start, end, json.dumps(value) if start != end else f" {json.dumps(value)}"
    line_end = text.find("\n", named.end_mark.index)
    if line_end < 0:
        return len(text), len(text), f"\n{lines}"
    return line_end + 1, line_end + 1, lines


def _root(text: str) -> yaml.MappingNode:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StanzaError(f"it is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(node, yaml.MappingNode):
        raise StanzaError("it is not a project file: it has no `name` and no `runtime`.")
    return node


def _providers_node(root: yaml.MappingNode) -> yaml.Node | None:
    plugins = _value(root, "plugins")
    return _value(plugins, "providers") if isinstance(plugins, yaml.MappingNode) else None


def _value(mapping: yaml.Node, key: str) -> yaml.Node | None:
    found: list[Any] = [value for name, value in mapping.value if name.value == key]
    return found[0] if found else None


def _is_nothing(node: yaml.Node) -> bool:
    """Whether this is a missing value, `null`, or an empty collection."""
    return node.tag == "tag:yaml.org,2002:null" or (isinstance(node, yaml.CollectionNode) and not node.value)


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _by_hand(path: str | None = None) -> str:
    item = json.dumps([{"name": PLUGIN, "path": path or "…"}])
    return f'Nothing was changed. Make sure that `plugins` also says: "providers": {item}'
