"""The pipelines of `docs/pipelines.md`: the files match the schemas, and the commands do what the page says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.docs.pages import blocks
from tests.docs.readers import environment, this_package
from tests.docs.shell import Shell
from tests.support.cloud import PASSWORD, USERNAME

if TYPE_CHECKING:
    from tests.support.cloud import Cloud

GITHUB = ".github/workflows/eventbridge.yml"
GITLAB = ".gitlab-ci.yml"
FILES = {block.title: block.text for block in blocks("docs/pipelines.md") if block.title}
NOT_HERE = {"curl -fsSL https://get.pulumi.com | sh", 'export PATH="$HOME/.pulumi/bin:$PATH"'}
"""The commands that download Pulumi."""
PROGRAM = """
import pulumi
from genesys_provider import BasicAuth, EventBridgeTarget

EventBridgeTarget(
    "orders",
    name=f"{pulumi.get_stack()}-orders",
    endpoint_url=%r,
    event_types=["CONVERSATION_STARTED"],
    auth=BasicAuth(%r, %r),
)
"""
PROJECT = """\
name: contact-centre
runtime: {name: python, options: {toolchain: pip, virtualenv: venv}}
plugins: {providers: [{name: pulumi-python, path: genesys-eventbridge-host}]}
"""


@pytest.mark.parametrize(
    ("file", "schema"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")]
)
def test_the_file_matches_the_schema(file: str, schema: str, tmp_path: Path) -> None:
    path = tmp_path / Path(file).name
    path.write_text(FILES[file])
    check: list[str | Path] = [
        Path(sys.executable).with_name("check-jsonschema"),
        "--builtin-schema",
        schema,
        path,
    ]
    done = subprocess.run(check, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def github(job: str) -> list[str]:
    """The commands of a job, in order."""
    steps: list[dict[str, Any]] = yaml.safe_load(FILES[GITHUB])["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step]


def gitlab(job: str) -> list[str]:
    pipeline = yaml.safe_load(FILES[GITLAB])
    commands = [*pipeline["default"]["before_script"], *pipeline[job]["script"]]
    assert set(commands) >= NOT_HERE
    return [command for command in commands if command not in NOT_HERE]


@pytest.mark.full_length
@pytest.mark.parametrize("commands_of", [github, gitlab])
@pytest.mark.timeout(300)
def test_what_the_jobs_do(commands_of: Any, cloud: Cloud, tmp_path: Path) -> None:
    def job(name: str, stack: str) -> int:
        shell.run(f"export STACK={stack}")
        code = 0
        for command in commands_of(name):
            # Each job has its own checkout; here they share one, so the installation is only needed once.
            if command == "pulumi install" and outputs:
                continue
            done = shell.run(command)
            code = code or done.code
            outputs.append(done.output)
        return code

    outputs: list[str] = []
    env = {**environment(tmp_path), **cloud.env, "PULUMI_CONFIG_PASSPHRASE": "x"}
    env["PULUMI_BACKEND_URL"] = f"{tmp_path.as_uri()}?metadata=skip"
    (tmp_path / "project").mkdir()
    with Shell(tmp_path, env, {}) as shell:
        shell.run("cd project && git init --quiet")
        shell.write("Pulumi.yaml", PROJECT)
        shell.write("requirements.txt", f"genesys-eventbridge @ {this_package(tmp_path).as_uri()}\n")
        shell.write("__main__.py", PROGRAM % (cloud.endpoint("orders"), USERNAME, PASSWORD))
        for command in ("genesys-eventbridge init", "pulumi stack init dev", "pulumi stack init prod"):
            done = shell.run(command)
            assert done.code == 0, done.output
        assert job("preview", "dev") == 0, outputs
        assert cloud.requests() == []
        assert job("dev", "") == 0, outputs
        assert list(cloud.living()) == ["dev-orders"]
        assert job("prod", "") == 0, outputs
        assert sorted(cloud.living()) == ["dev-orders", "prod-orders"]
        assert job("drift", "prod") == 0, outputs
        changed = cloud.living()["prod-orders"]
        cloud.change(changed, eventTypes=["CONVERSATION_ENDED"])
        assert job("drift", "prod") != 0, outputs
        assert "CONVERSATION_ENDED" in outputs[-1]
