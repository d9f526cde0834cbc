"""The Automation API with an inline program: our host is used if `work_dir` has the files of `init`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import PASSWORD, USERNAME

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

SCRIPT = """\
import sys

import pulumi
from pulumi import automation

from genesys_provider import BasicAuth, EventBridgeTarget


def program() -> None:
    target = EventBridgeTarget(
        "orders",
        endpoint_url=sys.argv[2],
        event_types=["CONVERSATION_STARTED"],
        auth=BasicAuth(sys.argv[3], pulumi.Output.secret(sys.argv[4])),
    )
    pulumi.export("status", target.status)


stack = automation.create_or_select_stack(
    "auto",
    project_name="house",
    program=program,
    opts=automation.LocalWorkspaceOptions(
        work_dir=sys.argv[1],
        env_vars={"PULUMI_PYTHON_CMD": sys.executable},
    ),
)
print(stack.up(on_output=print).outputs["status"].value)
"""


@pytest.mark.full_length
@pytest.mark.parametrize("virtualenv", [sys.prefix, None])
def test_an_inline_program(declared: Declared, cloud: Cloud, tmp_path: Path, virtualenv: str | None) -> None:
    stack = declared.stack("")
    options = f"\n  options:\n    virtualenv: {virtualenv}" if virtualenv else ""
    stack.write("Pulumi.yaml", f"name: house\nruntime:\n  name: python{options}\n")
    script = tmp_path / "deploy.py"
    script.write_text(SCRIPT)
    command = Path(sys.executable).with_name("genesys-eventbridge")
    subprocess.run([command, "init", stack.directory], check=True, capture_output=True)
    # From another folder, like a service does it.
    arguments: list[str | Path] = [sys.executable, script, stack.directory, cloud.endpoint("orders")]
    arguments += [USERNAME, PASSWORD]

    # The stock host would delete an unverified target, but ours keeps it in the state.
    cloud.behave("/v1/genesys/events/orders", status=503)
    failed = subprocess.run(
        arguments, cwd=tmp_path, env=stack.env, check=False, capture_output=True, text=True
    )
    assert failed.returncode != 0
    kept = stack.must("stack", "export", "--stack", "auto").output
    assert '"status": "FAILED"' in kept, failed.stdout + failed.stderr
    assert "endpoint answered 503" in kept

    cloud.behave_as_usual()
    done = subprocess.run(arguments, cwd=tmp_path, env=stack.env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("VERIFIED\n")
    assert " verifying 0/" in done.stdout
    assert list(cloud.targets()) == ["orders"]
