"""The environment in which a page's commands are run: what its reader has before the first command."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import sysconfig
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.shell import Shell
from tests.support.cloud import OWNER_HEADER, PASSWORD, SIGNING_SECRET, USERNAME, Cloud
from tests.support.engine import ROOT, pulumi_path, urn
from tests.support.keys import key_service
from tests.support.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


RETRIES = {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2}
UNAVAILABLE = "endpoint answered 503 Service Unavailable"
SHOP = """
from genesys_provider import BasicAuth, EventBridgeSource, EventBridgeTarget

events, auth = "https://localhost:%s/v1/genesys/events", BasicAuth(%r, %r)
for name, event_types, headers in (
    ("orders", ["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"], {"X-Team": "orders"}),
    ("presence", ["USER_PRESENCE_CHANGED"], {}),
    ("surveys", ["SURVEY_COMPLETED"], {}),
):
    EventBridgeTarget(name, endpoint_url=f"{events}/{name}", event_types=event_types, auth=auth, headers=headers)
EventBridgeSource(
    "shop-events",
    aws_account_id="012345678901",
    aws_region="eu-central-1",
    event_source_suffix="shop",
    topics=["v2.users.{id}.presence"],
)
"""
"""The program of the project `shop`."""


def this_package(folder: Path) -> Path:
    """A wheel of this package, whose code and dependencies are those of this test's environment."""
    ours = importlib.metadata.distribution("genesys-eventbridge")
    path = folder / f"genesys_eventbridge-{ours.version}-py3-none-any.whl"
    about = f"genesys_eventbridge-{ours.version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("borrowed.pth", f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
        archive.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: genesys-eventbridge\nVersion: {ours.version}\n"
            "Provides-Extra: emulator\nProvides-Extra: monitor\n",
        )
        archive.writestr(f"{about}/entry_points.txt", ours.read_text("entry_points.txt") or "")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def environment(home: Path) -> dict[str, str]:
    """The environment of somebody who has Python, git and Pulumi, and no settings."""
    path = pulumi_path()
    assert path is not None, "no Pulumi here: run tools/setup"
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "PIP_NO_INDEX": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


@contextmanager
def empty_home(tmp_path: Path) -> Iterator[Shell]:
    """An empty home. Free ports replace those of the page."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = Reader\nemail = reader@example.com\n")
    replaced = {
        "file:///path/to/genesys-eventbridge": this_package(tmp_path).as_uri(),
        **{port: str(free_port()) for port in ("18443", "18790", "18791")},
    }
    with Shell(home, environment(home), replaced) as shell:
        yield shell


@contextmanager
def pulumi_project(tmp_path: Path) -> Iterator[Shell]:
    """A Pulumi project in Python without a program."""
    with empty_home(tmp_path) as shell:
        options = "{toolchain: pip, virtualenv: venv}"
        shell.write("Pulumi.yaml", f"name: contact-centre\nruntime: {{name: python, options: {options}}}\n")
        shell.run(f"export PULUMI_BACKEND_URL='{tmp_path.as_uri()}?metadata=skip' PULUMI_CONFIG_PASSPHRASE=x")
        yield shell


@contextmanager
def running_services(tmp_path: Path) -> Iterator[Shell]:
    """A running gateway and emulator, and the environment for them."""
    with Cloud(tmp_path) as cloud:
        replaced = {
            "18443": port_of(cloud.gateway.url),
            "18790": port_of(cloud.emulator.url),
            "8090": str(free_port()),
        }
        with Shell(tmp_path, {**environment(tmp_path), **cloud.env}, replaced) as shell:
            shell.run(f"export PASSWORD={PASSWORD} SIGNING_SECRET={SIGNING_SECRET}")
            yield shell


@contextmanager
def deployed_shop(tmp_path: Path) -> Iterator[Shell]:
    """The stack `dev` of a project `shop`, a leftover of the deleted stack `test`, and a target created by hand."""
    project = tmp_path / "shop"
    project.mkdir()
    with (
        key_service() as keys,
        Cloud(tmp_path, verification_seconds=1, activation_seconds=1, rate_limit=300) as cloud,
    ):

        def fail_presence() -> None:
            presence = cloud.living()["presence"]
            cloud.control(f"targets/{presence}/status", status="FAILED", message=UNAVAILABLE)
            cloud.behave("/v1/genesys/events/presence", status=503)

        def delete_surveys() -> None:
            surveys = cloud.living()["surveys"]
            cloud.api("DELETE", f"/{surveys}").raise_for_status()

        env = {
            **environment(tmp_path),
            **keys.env,
            **cloud.env,
            "GENESYSCLOUD_AUDIT_LOG": "audit.jsonl",
            "PULUMI_BACKEND_URL": f"{tmp_path.as_uri()}/states?metadata=skip",
        }
        replaced = {
            "28443": port_of(cloud.gateway.url),
            "28790": port_of(cloud.emulator.url),
            "/home/ops/gateway": f"{tmp_path}/certificates",
            "/home/ops": str(tmp_path),
        }
        with Shell(
            project, env, replaced, meanwhile={"targets watch": [fail_presence, delete_surveys]}
        ) as shell:
            shell.write("Pulumi.yaml", "name: shop\nruntime: python\n")
            shell.write("__main__.py", SHOP % (port_of(cloud.gateway.url), USERNAME, PASSWORD))
            for command in (
                "mkdir ../states",
                "genesys-eventbridge init",
                "pulumi stack init dev",
                "pulumi up --yes",
            ):
                done = shell.run(command)
                assert done.code == 0, done.output
            made = {"authType": "BASIC", "authConfig": {"username": USERNAME, "password": PASSWORD}}
            made |= {"eventTypes": ["RECORDING_CREATED"], "retryPolicy": RETRIES, "headers": {}}
            owner = {OWNER_HEADER: urn("recordings", stack="test", project="shop")}
            for name, status, message, differs in (
                ("recordings", "VERIFIED", "", {"headers": owner}),
                ("transcripts", "FAILED", "endpoint answered 401 Unauthorized", {}),
            ):
                cloud.requests()
                body = {
                    **made,
                    "name": name,
                    "endpointUrl": cloud.endpoint(name).replace("127.0.0.1", "localhost"),
                    **differs,
                }
                target_id = cloud.api("POST", json=body).json()["id"]
                cloud.control(f"targets/{target_id}/status", status=status, message=message)
            cloud.behave("/v1/genesys/events/transcripts", status=401)
            yield shell


READERS: dict[str, Callable[[Path], AbstractContextManager[Shell]]] = {
    "README.md": pulumi_project,
    "docs/cli.md": deployed_shop,
    "docs/emulator.md": empty_home,
    "docs/getting-started.md": empty_home,
    "docs/monitor.md": running_services,
    "docs/without-pulumi.md": running_services,
}
