"""The emulator's OpenAPI document, `GET /openapi.json`: the API contract in a form that tools read.

The configuration of a target is derived from the models, so that its rules stand in one place; the rest is
written out here. A rule that JSON Schema has no word for stands in a description.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from genesys_provider.emulator.bodies import MAX_BODY_BYTES
from genesys_provider.emulator.errors import CODES
from genesys_provider.emulator.login import ALL_SCOPES, INTEGRATION_WRITE, READ, TOKEN_PATH, WRITE
from genesys_provider.emulator.organization import ORGANIZATION_PATH
from genesys_provider.emulator.targets import (
    DEFAULT_PAGE_SIZE,
    HEALTHY,
    MAX_PAGE_SIZE,
    TARGETS_PATH,
    UNHEALTHY,
)
from genesys_provider.targets.headers import HEADER_NAME
from genesys_provider.targets.models import (
    FINAL_STATUSES,
    NEEDED_AUTH_FIELDS,
    PENDING_VERIFICATION,
    TargetConfig,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

OPENAPI_PATH = "/openapi.json"

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_HTTPS = {"type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]://"}
_READ_ONLY_FIELDS = ("id", "status", "selfUri")


def openapi() -> Schema:
    """The document: OpenAPI 3.1, whose schemas are JSON Schema 2020-12."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Genesys Cloud EventBridge targets, emulated",
            "version": "2",
            "description": "The API contract that the provider is written for. Its `eventbridge/targets` "
            "endpoints are in no public Genesys SDK.",
        },
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "headers": _headers(),
            "securitySchemes": {
                "client": {"type": "http", "scheme": "basic", "description": "client_id:client_secret"},
                "token": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": TOKEN_PATH,
                            "scopes": dict.fromkeys(sorted(ALL_SCOPES), ""),
                        }
                    },
                },
            },
        },
    }


def route() -> Route:
    """Where the document is, without login."""
    document = openapi()

    async def serve(_: Request) -> Response:
        return JSONResponse(document)

    return Route(OPENAPI_PATH, serve, methods=["GET"])


# Paths


def _paths() -> Schema:
    read, write = (READ,), (INTEGRATION_WRITE, WRITE)
    one = TARGETS_PATH + "/{id}"
    target, taken = _answer("The target.", "Target"), _failure(409)
    known = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}
    return {
        TOKEN_PATH: {"post": _login()},
        ORGANIZATION_PATH: {
            "get": _call(
                "The client's organization.", (), {"200": _answer("The organization.", "Organization")}
            )
        },
        TARGETS_PATH: {
            "post": _call(
                "Registers a target; its verification begins.",
                write,
                {"201": target, "409": taken},
                body=True,
            ),
            "get": _call(
                "One page of targets, oldest first.",
                read,
                {"200": _answer("The page.", "TargetPage"), "400": _failure(400)},
                parameters=[
                    _query(
                        "pageSize", {"minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE}
                    ),
                    _query("pageNumber", {"minimum": 1, "default": 1}),
                    {
                        "name": "name",
                        "in": "query",
                        "description": "Only the target of exactly this name.",
                        "schema": {"type": "string"},
                    },
                ],
            ),
        },
        one: known
        | {
            "get": _call("The target.", read, {"200": target, "404": _failure(404)}),
            "put": _call(
                "Replaces the whole configuration; verification begins again where `endpointUrl`, `authType`, "
                "`authConfig` or `headers` change, or the target is not verified.",
                write,
                {"200": target, "404": _failure(404), "409": taken},
                body=True,
            ),
            "delete": _call(
                "Deletes the target.", write, {"204": _empty("It is gone."), "404": _failure(404)}
            ),
        },
        one + "/verify": known
        | {
            "get": _call(
                "Where the verification stands.",
                read,
                {"200": _answer("The status.", "Verification"), "404": _failure(404)},
            )
        },
        one + "/health": known
        | {
            "post": _call(
                "A POST to the endpoint now, which changes no status.",
                read,
                {"200": _answer("How the endpoint took it.", "Health"), "404": _failure(404)},
            )
        },
    }


def _call(
    summary: str,
    scopes: tuple[str, ...],
    responses: Schema,
    *,
    parameters: list[Schema] | None = None,
    body: bool = False,
) -> Schema:
    call: Schema = {"summary": summary, "security": [{"token": list(scopes)}]}
    if parameters:
        call["parameters"] = parameters
    if body:
        call["requestBody"] = {
            "required": True,
            "description": f"At most {MAX_BODY_BYTES} bytes.",
            "content": {"application/json": {"schema": _ref("TargetBody")}},
        }
        responses = {**responses, "400": _failure(400), "413": _failure(413)}
    always = {"401": _failure(401), "403": _failure(403), "429": _throttled(), "default": _failure(500)}
    call["responses"] = dict(sorted({**responses, **always}.items()))
    return call


def _login() -> Schema:
    form = {
        "type": "object",
        "properties": {"grant_type": {"const": "client_credentials"}},
        "required": ["grant_type"],
    }
    return {
        "summary": "A token for the OAuth client, by client credentials.",
        "security": [{"client": []}],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": form}},
        },
        "responses": {
            "200": _answer("The token.", "Token"),
            "400": _answer("Another grant; or, as Genesys Cloud does here, throttled.", "LoginError"),
            "401": _answer("The client's id or secret is wrong.", "LoginError"),
            "413": _failure(413),
        },
    }


def _query(name: str, rules: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": {"type": "integer", **rules}}


def _empty(description: str) -> Schema:
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _headers()},
    }


def _answer(description: str, schema: str) -> Schema:
    return {**_empty(description), "content": {"application/json": {"schema": _ref(schema)}}}


def _failure(status: int) -> Schema:
    return _answer(CODES[status].replace(".", " ").capitalize() + ".", "Error")


def _throttled() -> Schema:
    answer = _failure(429)
    answer["headers"] |= {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds, or a date."}}
    return answer


def _headers() -> Schema:
    number = {"type": "integer", "minimum": 0}
    return {
        "inin-ratelimit-count": {"required": True, "schema": number},
        "inin-ratelimit-allowed": {"required": True, "schema": number},
        "inin-ratelimit-reset": {"required": True, "schema": number, "description": "Seconds."},
        "ININ-Correlation-Id": {"required": True, "schema": {"type": "string", "format": "uuid"}},
    }


# Schemas


def _schemas() -> Schema:
    schemas = _configuration()
    body = schemas.pop("TargetConfig")
    schemas["TargetBody"] = {
        **body,
        "description": "What a target is to be. A null is an absent value.",
        "properties": {
            **{name: _nullable(name, rules, body["required"]) for name, rules in body["properties"].items()},
            # What an answer holds besides: ignored, so that it can be changed and sent back.
            **{name: {"readOnly": True} for name in _READ_ONLY_FIELDS},
        },
        "additionalProperties": {"type": "null"},
        "allOf": [
            {
                "if": {"properties": {"authType": {"const": kind}}, "required": ["authType"]},
                "then": {
                    "properties": {
                        "authConfig": {
                            "type": "object",
                            "required": list(fields),
                            "properties": {name: {"type": "string"} for name in fields},
                        }
                    },
                    "required": ["authConfig"],
                },
            }
            for kind, fields in NEEDED_AUTH_FIELDS.items()
        ],
    }
    shown = copy.deepcopy(schemas["AuthConfig"])
    shown["description"] = "The authentication, without its secrets."
    for name in [name for name, rules in shown["properties"].items() if _is_secret(rules)]:
        del shown["properties"][name]
    everything = _object(
        {
            "id": {"type": "string", "format": "uuid"},
            **body["properties"],
            "authConfig": _ref("ShownAuthConfig"),
            "status": _ref("Status"),
            "selfUri": {"type": "string", "pattern": f"^{TARGETS_PATH}/"},
        }
    )
    status = {"anyOf": [{"enum": sorted({PENDING_VERIFICATION, *FINAL_STATUSES})}, {"type": "string"}]}
    whole = {"type": "integer", "minimum": 0}
    text = {"type": "string"}
    return schemas | {
        "ShownAuthConfig": shown,
        "Target": everything,
        "TargetPage": _object(
            {
                "entities": {"type": "array", "items": _ref("Target"), "maxItems": MAX_PAGE_SIZE},
                "pageSize": {**whole, "minimum": 1, "maximum": MAX_PAGE_SIZE},
                "pageNumber": {**whole, "minimum": 1},
                "total": whole,
                "pageCount": whole,
                "selfUri": text,
                "nextUri": text,
            },
            optional=("nextUri",),
        ),
        "Status": {**status, "description": "Any but the first three is pending too."},
        "Verification": _object({"status": _ref("Status"), "message": text}, optional=("message",)),
        "Health": _object({"status": {"enum": [HEALTHY, UNHEALTHY]}, "message": text}),
        "Organization": {
            "type": "object",
            "required": ["id", "name", "version", "state"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "name": text},
        },
        "Token": _object(
            {
                "access_token": {"type": "string", "minLength": 1},
                "token_type": {"const": "bearer"},
                "expires_in": {"type": "integer", "minimum": 1, "description": "Seconds."},
            }
        ),
        "LoginError": _object({"error": text, "description": text, "error_description": text}),
        "Error": _object(
            {
                "message": text,
                "code": text,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "contextId": {"type": "string", "format": "uuid"},
                "entityId": {"type": ["string", "null"]},
                "entityName": {"type": ["string", "null"]},
                "messageWithParams": text,
                "messageParams": {"type": "object"},
                "details": {
                    "type": "array",
                    "items": _object({"errorCode": text, "fieldName": text}),
                },
                "errors": {"type": "array", "items": _ref("Error")},
            }
        ),
    }


def _configuration() -> Schema:
    """`TargetConfig` and what it is made of, as the models have them."""
    model = _in_json_schema(TargetConfig.model_json_schema(ref_template=_REF + "{model}"))
    schemas: Schema = {**model.pop("$defs"), "TargetConfig": model}
    # The owner mark is a header on the wire.
    del model["properties"]["owner"]
    model["properties"]["headers"] |= {
        "propertyNames": {"pattern": f"^{HEADER_NAME.pattern}$"},
        "description": "Names once in any case; values are printable Latin-1 in one line.",
    }
    model["properties"]["endpointUrl"] |= _HTTPS
    for name, rules in schemas["AuthConfig"]["properties"].items():
        value = next(each for each in rules["anyOf"] if each != {"type": "null"})
        if name == "tokenUrl":
            value |= {"format": "uri", "description": "HTTPS; plain HTTP to a loopback address only."}
        rules.pop("default", None)
    return schemas


def _nullable(name: str, rules: Schema, required: list[str]) -> Schema:
    return rules if name in required else {"anyOf": [rules, {"type": "null"}]}


def _is_secret(rules: Schema) -> bool:
    return any(each.get("writeOnly") for each in rules.get("anyOf", [rules]))


_IN_JSON_SCHEMA = {"ge": "minimum", "le": "maximum"}
"""Bounds that pydantic leaves in its own words where a validator of ours comes first."""


def _in_json_schema(schema: Any) -> Any:
    """Less pydantic's titles, which repeat the names, and its docstrings, which are about Python."""
    if isinstance(schema, list):
        return [_in_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "object":
        schema = {name: each for name, each in schema.items() if name != "description"}
    return {
        _IN_JSON_SCHEMA.get(name, name): _in_json_schema(each)
        for name, each in schema.items()
        if name != "title"
    }


def _object(properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": _REF + name}
