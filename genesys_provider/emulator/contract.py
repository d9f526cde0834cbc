"""The API contract, `contract/openapi.yaml`: read, served as `GET /openapi.json`, and asked for its schemas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

OPENAPI_PATH = "/openapi.json"

_INSTALLED = Path(__file__).with_name("openapi.yaml")
_IN_THE_REPOSITORY = Path(__file__).parents[2] / "contract" / "openapi.yaml"

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (_INSTALLED if _INSTALLED.exists() else _IN_THE_REPOSITORY).read_text("utf-8")
)

_DOCUMENT_URI = "urn:openapi"
_REGISTRY: Registry[Any] = Registry().with_resource(
    _DOCUMENT_URI, Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
)


def validator(schema: str) -> Draft202012Validator:
    """What checks values against one of the document's schemas; those of OpenAPI 3.1 are JSON Schema 2020-12."""
    return Draft202012Validator({"$ref": f"{_DOCUMENT_URI}#/components/schemas/{schema}"}, registry=_REGISTRY)


def fields(schema: str) -> list[str]:
    """The properties that a request may carry of one of the document's schemas."""
    properties = DOCUMENT["components"]["schemas"][schema]["properties"]
    return [name for name, rules in properties.items() if not rules.get("readOnly")]


def route() -> Route:
    """Where the document is, without login."""

    async def serve(_: Request) -> Response:
        return JSONResponse(DOCUMENT)

    return Route(OPENAPI_PATH, serve, methods=["GET"])
