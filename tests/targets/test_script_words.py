"""In a script without Pulumi no error advises to run Pulumi, or to set a key of a stack's config."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import Settings, TargetConfig, TargetManager
from genesys_provider.client.errors import GenesysError
from genesys_provider.targets.gateway import UPDATED
from tests.support.cloud import TARGETS
from tests.support.shared_cloud import body

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.cloud import Cloud

LOGIN = {"method": "POST", "path": "/oauth/token"}


class Script:
    """A script that reads its settings from the environment."""

    def __init__(self, cloud: Cloud, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cloud = cloud
        self.monkeypatch = monkeypatch
        self.env = {
            **cloud.env,
            "GENESYSCLOUD_AUDIT_LOG": str(directory / "audit.jsonl"),
            "GENESYSCLOUD_MAX_RETRIES": "0",
        }
        self.cancelled = threading.Event()

    def manager(self, **env: str) -> TargetManager:
        return TargetManager(Settings.resolve({}, {**self.env, **env}), cancelled=self.cancelled)

    def register(self, env: dict[str, str] | None = None, *, timeout: float = 10, **fields: Any) -> None:
        config = TargetConfig.model_validate(body(self.cloud, **fields), by_alias=True, by_name=False)
        with self.manager(**(env or {})) as manager:
            manager.register(config, timeout=timeout)

    def with_fault(self, **fault: Any) -> None:
        """A create whose request has this fault."""
        self.cloud.control("faults", **{"match": {"path": f"{TARGETS}*"}, **fault})
        self.register()

    def sync(self, url: str, env: dict[str, str] | None = None) -> None:
        with self.manager(**(env or {})) as manager:
            manager.sync(url, "id-1", event=UPDATED)


def refused_by_the_endpoint(script: Script) -> None:
    script.cloud.behave("/v1/genesys/events/orders", status=503)
    script.register()


def no_verdict_in_time(script: Script) -> None:
    script.cloud.behave("/v1/genesys/events/orders", seconds=1)
    script.register(timeout=0.1)


def cancelled_during_the_wait(script: Script) -> None:
    script.cloud.behave("/v1/genesys/events/orders", seconds=1)
    threading.Timer(0.3, script.cancelled.set).start()
    script.register()


def cancelled_before(script: Script) -> None:
    script.cancelled.set()
    script.register()


def a_name_of(owner: str | None) -> Callable[[Script], None]:
    def taken(script: Script) -> None:
        headers = {"X-Pulumi-Resource": owner} if owner else {}
        theirs = body(script.cloud, headers=headers, eventTypes=["CONVERSATION_ENDED"])
        script.cloud.api("POST", json=theirs).raise_for_status()
        script.register()

    return taken


def a_target_that_is_gone(script: Script) -> None:
    config = TargetConfig.model_validate(body(script.cloud), by_alias=True, by_name=False)
    with script.manager() as manager:
        manager.update("00000000-0000-4000-8000-000000000000", config)


def another_organization(script: Script) -> None:
    with script.manager() as manager:
        manager.require_organization("target 'orders'", "another", "https://api.elsewhere.example")


def a_wrong(variable: str, value: str) -> Callable[[Script], None]:
    def wrong(script: Script) -> None:
        script.monkeypatch.setenv(variable, value)
        TargetManager.from_environment()

    return wrong


def an_invalid_target(script: Script) -> None:
    script.register(authConfig={})


def an_answer_with(status: int) -> Callable[[Script], None]:
    return lambda script: script.with_fault(action="status", status=status)


MEETS: dict[str, Callable[[Script], None]] = {
    "refused by the endpoint": refused_by_the_endpoint,
    "no verdict in time": no_verdict_in_time,
    "cancelled during the wait": cancelled_during_the_wait,
    "cancelled before": cancelled_before,
    "the name of nobody": a_name_of(None),
    "the name of a stack": a_name_of("shop/prod/orders"),
    "a target that is gone": a_target_that_is_gone,
    "another organization": another_organization,
    **{
        f"a wrong {variable}": a_wrong(variable, value)
        for variable, value in (
            ("GENESYSCLOUD_REGION", "nowhere"),
            ("GENESYSCLOUD_API_URL", "ftp://127.0.0.1"),
            ("GENESYSCLOUD_LOGIN_URL", "https://login.example/oauth/token"),
            ("GENESYSCLOUD_MAX_RETRIES", "many"),
            ("GENESYSCLOUD_VERIFICATION_TIMEOUT", "-1"),
            ("GENESYSCLOUD_CA_FILE", "/nowhere/ca.pem"),
            ("GENESYSCLOUD_AUDIT_LOG", "/dev/null/audit.jsonl"),
        )
    },
    "no client": lambda script: script.register({"GENESYSCLOUD_OAUTHCLIENT_ID": ""}),
    "no secret": lambda script: script.register({"GENESYSCLOUD_OAUTHCLIENT_SECRET": ""}),
    "a wrong secret": lambda script: script.register({"GENESYSCLOUD_OAUTHCLIENT_SECRET": "wrong"}),
    "a throttled login": lambda script: script.with_fault(match=LOGIN, action="status", status=400),
    "a login elsewhere": lambda script: script.with_fault(match=LOGIN, action="status", status=404),
    "no API": lambda script: script.register({"GENESYSCLOUD_API_URL": "http://127.0.0.1:1"}),
    "no login": lambda script: script.register({"GENESYSCLOUD_LOGIN_URL": "http://127.0.0.1:1"}),
    "an unknown CA": lambda script: script.sync(script.cloud.webhook, {"GENESYSCLOUD_CA_FILE": ""}),
    "a gateway that is gone": lambda script: script.sync("https://127.0.0.1:1/webhooks"),
    "a gateway that refuses": lambda script: script.sync(script.cloud.endpoint("orders")),
    "a webhook's URL that is none": lambda script: script.sync("ftp://127.0.0.1"),
    **{
        f"HTTP {status}": an_answer_with(status)
        for status in (301, 400, 401, 403, 404, 409, 413, 429, 500, 503)
    },
    "a page": lambda script: script.with_fault(action="status", status=403, body="<html>blocked"),
    "a torn answer": lambda script: script.with_fault(action="truncate"),
    "an answer of something else": lambda script: script.with_fault(action="malformed"),
    "no answer": lambda script: script.with_fault(action="drop_before"),
}


@pytest.mark.parametrize("what", MEETS)
def test_no_error_mentions_pulumi(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with pytest.raises(GenesysError) as met:
        MEETS[what](Script(cloud, tmp_path, monkeypatch))
    said = str(met.value)
    assert "pulumi" not in said.lower(), said
    assert "genesys:" not in said, said
