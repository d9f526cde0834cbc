"""Writes `docs/resources.md` from the docstrings of the resources, so that the page can't drift from the code.

`make docs` runs it. With `--check` it writes nothing, and exits with 1 if the page is not up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import griffe

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "resources.md"
RESOURCES = (
    "resources.target.EventBridgeTarget",
    "resources.source.EventBridgeSource",
    "resources.sync.GatewaySync",
    "resources.explicit_provider.GenesysProvider",
)
VALUES = tuple(f"targets.inputs.{name}" for name in ("BasicAuth", "OAuth2Auth", "JwtAuth", "RetryPolicy"))
HEAD = """\
<!-- tools/resources_page.py writes this page from the docstrings: change those, then run `make docs`. -->

# Resources

What a program can declare, with the arguments and outputs of each resource. Everything but the resource's name is
given by keyword, and may be an output of another resource. The state and `pulumi preview` have the same names in
camel case: `endpoint_url` is `endpointUrl` there.
"""
_SOURCE_MARK = re.compile(r" ?\[[SGC]\]")
"""The source of a fact; `contract/openapi.yaml` explains the letters."""
_EVENTUAL = re.compile(r"\b(?:pulumi\.Input|pulumi\.Output|Value)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]")
_EXAMPLE = re.compile(r"(?m)^    .*\n?")


def page() -> str:
    """The page, generated from the docstrings."""
    package = griffe.load("genesys_provider", search_paths=[str(ROOT)], docstring_parser="google")
    resources = [_resource(package[name]) for name in RESOURCES]
    values = [_value(package[name]) for name in VALUES]
    return "\n".join([HEAD, *resources, "## Values\n", *values]).rstrip() + "\n"


def _resource(declared: griffe.Class) -> str:
    arguments = {each.name: each for each in declared.parameters if each.name != "self"}
    sections = declared.docstring.parsed if declared.docstring else []
    described = {
        each.name: _text(each.description)
        for section in sections
        if section.kind is griffe.DocstringSectionKind.parameters
        for each in section.value
    }
    outputs = [
        [f"`{each.name}`", _type(each.annotation), _prose(each) or "The argument of this name."]
        for each in declared.attributes.values()
        if not each.name.startswith("_")
    ]
    parts = [
        f"## {declared.name}\n",
        _prose(declared) + "\n",
        _table(
            ["argument", "type", "default", "what it is"],
            [
                [f"`{name}`", _type(each.annotation), _default(each.default), described[name]]
                for name, each in arguments.items()
            ],
        ),
    ]
    if outputs:
        parts.append(_table(["output", "type", "what it is"], outputs))
    if "get" in declared.functions:
        parts += [f"### {declared.name}.get\n", _prose(declared["get"]) + "\n"]
    return "\n".join(parts)


def _value(declared: griffe.Class) -> str:
    rows = [
        [f"`{each.name}`", _type(each.annotation), _default(each.value), _prose(each)]
        for each in declared.attributes.values()
        if each.name != "auth_type"
    ]
    columns = 4 if any(row[-1] for row in rows) else 3
    table = _table(["field", "type", "default", "what it is"][:columns], [row[:columns] for row in rows])
    return "\n".join([f"### {declared.name}\n", _prose(declared) + "\n", table])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _prose(described: griffe.Object) -> str:
    """The docstring without its sections and examples."""
    if described.docstring is None:
        return ""
    first = described.docstring.parsed[0]
    return _text(_EXAMPLE.sub("", first.value)) if first.kind is griffe.DocstringSectionKind.text else ""


def _text(text: str) -> str:
    paragraphs = _SOURCE_MARK.sub("", text).strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _type(annotation: object) -> str:
    """The type for readers: without `Output` and `Input`, which the head of the page explains."""
    text = str(annotation)
    while (shorter := _EVENTUAL.sub(r"\1", text)) != text:
        text = shorter
    for long, short in (("Sequence[", "list["), ("Mapping[", "dict["), ("pulumi.", ""), (" | None", "")):
        text = text.replace(long, short)
    return f"`{' | '.join(dict.fromkeys(text.split(' | ')))}`"


def _default(value: object) -> str:
    if value is None:
        return "required"
    text = str(value)
    if text.startswith("field("):
        text = "None" if "default=None" in text else "required"
    return {"None": "optional", "required": "required"}.get(text, f"`{text}`")


def main() -> None:
    """Writes the page, or checks it."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text() != wanted:
            sys.exit(f"{PAGE.relative_to(ROOT)} does not match the docstrings: run `make docs`")
    else:
        PAGE.write_text(wanted)


if __name__ == "__main__":
    main()
