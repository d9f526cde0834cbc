"""Reads the API contract, `contract/openapi.yaml`, serves it as `GET /openapi.json`, and provides its schemas."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

OPENAPI_PATH = "/openapi.json"

_INSTALLED = Path(__file__).with_name("openapi.yaml")
_IN_THE_REPOSITORY = Path(__file__).parents[2] / "contract" / "openapi.yaml"

DOCUMENT: dict[str, Any] = yaml.load(
    (_INSTALLED if _INSTALLED.exists() else _IN_THE_REPOSITORY).read_text("utf-8"),
    # libyaml, where PyYAML was built with it, reads the document in a sixth of the time.
    getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506 - both are safe
)


@cache
def validator(schema: str) -> Draft202012Validator:
    """A validator for one of the document's schemas; those of OpenAPI 3.1 are JSON Schema 2020-12."""
    # The schema contains the whole document, so that references resolve; JSON Schema ignores the rest.
    return Draft202012Validator({**DOCUMENT, "$ref": f"#/components/schemas/{schema}"})


def fields(schema: str) -> list[str]:
    """The properties of one of the document's schemas that a request may contain."""
    properties = DOCUMENT["components"]["schemas"][schema]["properties"]
    return [name for name, rules in properties.items() if not rules.get("readOnly")]


def route() -> Route:
    """The route that serves the document, without login."""

    async def serve(_: Request) -> Response:
        return JSONResponse(DOCUMENT)

    return Route(OPENAPI_PATH, serve, methods=["GET"])
