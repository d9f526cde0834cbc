"""Records all exchanges of an emulator, and checks them against the contract."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import yaml
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPENAPI_PATH = "/openapi.json"
DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "contract" / "openapi.yaml").read_text("utf-8"))


@dataclass
class Exchange:
    """A request and its response."""

    method: str
    path: str
    query: str
    request_headers: dict[str, str]
    request_body: bytearray
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Recorder:
    """ASGI middleware that records all exchanges except calls of the control plane."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/emulator/"):
            await self._app(scope, receive, send)
            return
        sent = bytearray()
        answered: list[Exchange] = []

        async def take() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def give(message: Message) -> None:
            # Before it is sent, since a test may look at the exchanges as soon as it has the response.
            if message["type"] == "http.response.start":
                request = (scope["method"], scope["path"], scope["query_string"].decode())
                exchange = Exchange(*request, _text(scope["headers"]), sent, message["status"])
                exchange.headers.update(_text(message["headers"]))
                self.exchanges.append(exchange)
                answered.append(exchange)
            answered[0].body.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, take, give)


def _text(headers: Any) -> dict[str, str]:
    return {name.decode().lower(): value.decode("latin-1") for name, value in headers}


def at(*path: str | int) -> tuple[tuple[str | int, ...], Any]:
    """The place and the value at a place of the document, after following references."""
    value: Any = DOCUMENT
    for step in path:
        value = value[step]
    if "$ref" in value:
        return at(*value["$ref"].removeprefix("#/").split("/"))
    return path, value


def validator(*path: str | int) -> Draft202012Validator:
    """A validator for the schema at this place of the document."""
    pointer = "/".join(str(each).replace("~", "~0").replace("/", "~1") for each in path)
    return Draft202012Validator(
        {**DOCUMENT, "$ref": f"#/{pointer}"},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def faults(value: Any, *path: str | int) -> list[str]:
    """The violations of the schema at this place of the document."""
    return [f"{error.json_path}: {error.message}" for error in validator(*path).iter_errors(value)]


def operation_of(exchange: Exchange) -> tuple[str, str] | None:
    """The path and method of the exchange in the document; None if it has no such call."""
    for template, item in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, exchange.path) and exchange.method.lower() in item:
            return template, exchange.method.lower()
    return None


def answer_faults(exchange: Exchange) -> list[str]:
    """How a response violates the document."""
    operation = operation_of(exchange)
    if operation is None:
        known = exchange.path == OPENAPI_PATH or exchange.status in {404, 405}
        return [] if known else ["the document has no such call"]
    place, responses = at("paths", *operation, "responses")
    if str(exchange.status) not in responses:
        return [f"the document has no response {exchange.status}"]
    place, response = at(*place, str(exchange.status))
    found = []
    for name in response["headers"]:
        _, header = at(*place, "headers", name)
        value: Any = exchange.headers.get(name.lower())
        if value is None:
            found += [f"{name} is missing"] if header.get("required") else []
        elif header["schema"].get("type") == "integer":
            found += [] if value.isdecimal() else [f"{name} is {value}"]
    if "content" not in response:
        return found + (["it has a body"] if exchange.body else [])
    if exchange.headers.get("content-type") != "application/json":
        return [*found, "it is not JSON"]
    body = json.loads(exchange.body)
    return found + faults(body, *place, "content", "application/json", "schema")


def request_faults(exchange: Exchange) -> list[str]:
    """How a request violates the document."""
    operation = operation_of(exchange)
    if operation is None:
        return ["the document has no such call"]
    call = DOCUMENT["paths"][operation[0]][operation[1]]
    kind = next(iter(call["security"][0]))
    scheme = {"client": "basic ", "token": "bearer "}[kind]
    found = [] if exchange.request_headers["authorization"].lower().startswith(scheme) else ["no login"]
    places = (("paths", *operation, "parameters", each) for each in range(len(call.get("parameters", ()))))
    found_there = (at(*place)[1] for place in places)
    parameters = {each["name"]: each["schema"] for each in found_there if each["in"] == "query"}
    for name, text in parse_qsl(exchange.query, keep_blank_values=True):
        if name not in parameters:
            found.append(f"the document has no parameter {name}")
        elif parameters[name]["type"] == "integer":
            found += [
                f"{name}: {e.message}" for e in Draft202012Validator(parameters[name]).iter_errors(int(text))
            ]
    if "requestBody" not in call:
        return found + (["it has a body"] if exchange.request_body else [])
    place, sent = at("paths", *operation, "requestBody")
    (media_type,) = sent["content"]
    if exchange.request_headers.get("content-type") != media_type:
        return [*found, f"it is not {media_type}"]
    text = exchange.request_body.decode()
    body = json.loads(text) if media_type == "application/json" else dict(parse_qsl(text))
    return found + faults(body, *place, "content", media_type, "schema")
