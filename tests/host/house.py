"""Providers for the tests, controlled by the resource's inputs. Copied into the test's project."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from genesys_provider.host import DetailedDiffResult, InitFailed, OperationError, current

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    import pulumi
    from pulumi.dynamic import ConfigureRequest, DiffResult

    Properties = dict[str, Any]

SECRET = "1b47061264138c4ac30d75fd1eb44270"
SIGNATURE = "4dabf18193072939515e22adb298388d"


def record(what: str, **more: object) -> None:
    """Appends a line to the file that $HOUSE_LOG names."""
    operation = current()
    line = {
        "what": what,
        "at": time.time(),
        "pid": os.getpid(),
        "urn": operation.urn,
        "timeout": operation.timeout,
    }
    with Path(os.environ["HOUSE_LOG"]).open("a") as log:
        log.write(json.dumps({**line, **more}) + "\n")


def config_failures(config: Mapping[str, str]) -> list[CheckFailure]:
    """The check of a provider's config that the package `house` declares."""
    nowhere = config.get("house:region") == "nowhere"
    return [CheckFailure("house:region", "is no region")] if nowhere else []


def farewell() -> str:
    return "all things are made"


def broken_farewell() -> str:
    raise RuntimeError("no farewell")


class Things(ResourceProvider):
    """Waits `seconds`, ignores a cancel for `stubborn` ones, raises `error`, fails the verification with `init`.

    After a `last_thread` the process can start no other thread.
    """

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        record("configure", region=req.config.get("house:region"))

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        record("check")
        failures = [CheckFailure(path, reason) for path, reason in news.get("faults", {}).items()]
        return CheckResult(news, failures)

    def diff(self, _id: str, olds: Properties, news: Properties) -> DetailedDiffResult:
        record("diff")
        changes: dict[str, Literal["add", "delete", "update"]] = {}
        for key in news:
            if key.startswith("__") or olds.get(key) == news[key]:
                continue
            if isinstance(news[key], dict) and isinstance(olds.get(key), dict):
                for inner in {**olds[key], **news[key]}:
                    if olds[key].get(inner) != news[key].get(inner):
                        changes[f"{key}.{inner}"] = (
                            "add" if inner not in olds[key] else "update" if inner in news[key] else "delete"
                        )
            else:
                changes[key] = "update" if key in olds else "add"
        if olds.get("status") == "FAILED":
            changes["status"] = "update"
        replaces = [key for key in ("place",) if key in changes]
        return DetailedDiffResult(changes, replaces=replaces, stables=["derived"])

    def _outs(self, props: Properties, status: str) -> Properties:
        outs = {key: value for key, value in props.items() if key not in ("error", "hidden")}
        outs["status"] = status
        if "hidden" in props:
            outs["derived"] = {"token": {SIGNATURE: SECRET, "value": props["hidden"]}, "plain": 1}
        return outs

    def _work(self, what: str, id_: str, props: Properties) -> Properties:
        record(what + " starts")
        current().show_status("waiting for the verdict")
        if props.get("last_thread"):
            # No machine has memory for another thread with such a stack.
            threading.stack_size(1 << 46)
        if props.get("stubborn"):
            time.sleep(props["stubborn"])
        if current().cancelled.wait(props.get("seconds", 0)):
            raise InitFailed(id_, self._outs(props, "PENDING"), ["interrupted while waiting"])
        if props.get("error") == "clean":
            raise OperationError(f"{props['name']} can't be had: the endpoint answered 503")
        if props.get("error") == "raw":
            raise RuntimeError("boom")
        if props.get("warn"):
            current().warn("the endpoint is slow")
        if props.get("farewell"):
            current().at_end(broken_farewell if props["farewell"] == "broken" else farewell)
        if props.get("init"):
            raise InitFailed(
                id_, self._outs(props, "FAILED"), ["the endpoint answered 503", "look at its log"]
            )
        record(what + " ends")
        return self._outs(props, "VERIFIED")

    def create(self, props: Properties) -> CreateResult:
        id_ = f"id-{props['name']}"
        return CreateResult(id_, self._work("create", id_, props))

    def update(self, id_: str, _olds: Properties, news: Properties) -> UpdateResult:
        return UpdateResult(self._work("update", id_, news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        record("read", props=sorted(props))
        if os.environ.get("HOUSE_GONE"):
            return ReadResult(None, {})
        if os.environ.get("HOUSE_FAILED"):
            raise InitFailed(id_, self._outs(props, "FAILED"), ["it stopped answering"])
        if "name" not in props:  # an import
            inputs = {"name": id_.removeprefix("id-"), "size": 3}
            return ReadResult(id_, {**inputs, "status": "VERIFIED"}, inputs)
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Properties) -> None:
        record("delete")


class Captured(ResourceProvider):
    """A third-party provider: it has its own state, raises plain exceptions, and does not know our host."""

    def __init__(self, greeting: str) -> None:
        super().__init__()
        self.greeting = greeting

    def configure(self, req: ConfigureRequest) -> None:
        self.region: str | None = req.config.get("house:region")

    def diff(self, _id: str, olds: Properties, news: Properties) -> DiffResult:
        from pulumi.dynamic import DiffResult

        return DiffResult(
            changes=olds["name"] != news["name"] or olds["size"] != news["size"],
            replaces=["size"] if olds["size"] != news["size"] else [],
            delete_before_replace=True,
        )

    def create(self, props: Properties) -> CreateResult:
        if props["name"] == "bad":
            raise ValueError("no such name")
        return CreateResult("id-" + str(props["name"]), self._outs(props))

    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        return UpdateResult(self._outs(news))

    def _outs(self, props: Properties) -> Properties:
        return {**props, "greeting": f"{self.greeting} {props['name']} of {self.region}"}

    def delete(self, _id: str, _props: Properties) -> None:
        pass


class Thing(Resource, module="house", name="Thing"):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__(Things(), name, {"name": name, "status": None, **props}, opts)


class Other(Resource, module="house", name="Other"):
    def __init__(self, name: str, props: Properties, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(Captured("hello"), name, {"greeting": None, **props}, opts)
