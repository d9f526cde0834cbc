"""The Pulumi CLI: reads a stack's config and the states."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import click

from genesys_provider.client.redaction import hide, shortened
from genesys_provider.client.settings import NAMESPACE

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


class PulumiError(click.ClickException):
    """The Pulumi CLI is unavailable or reported an error; the message tells which."""


def pulumi(*arguments: str, cwd: Path) -> str:
    """The output of a command of the Pulumi CLI.

    Raises:
        PulumiError: There is no Pulumi CLI, or the command failed.
    """
    command = ["pulumi", "--non-interactive", "--color", "never", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (the arguments are ours, except for the stack's name)
            command,
            cwd=cwd,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    except FileNotFoundError as error:
        raise PulumiError(
            "The Pulumi CLI is not on PATH. Install it (https://www.pulumi.com/docs/iac/download-install/), or set "
            "the GENESYSCLOUD_… variables and omit --stack."
        ) from error
    except OSError as error:
        raise PulumiError(f"The Pulumi CLI can't be started in {cwd}: {error.strerror or error}.") from error
    if done.returncode:
        said = shortened((done.stderr or done.stdout).removeprefix("error: ")).rstrip(".")
        raise PulumiError(f"`pulumi {' '.join(arguments)}` failed in {cwd.absolute()}: {said}.")
    return done.stdout


def project_file_in(folder: Path) -> Path | None:
    """The Pulumi.yaml in this directory; None if there is none."""
    return next((folder / name for name in _PROJECT_FILES if (folder / name).is_file()), None)


def nearest_project_file(cwd: Path) -> Path | None:
    """The Pulumi.yaml that Pulumi finds from here, searching upwards; None if there is none."""
    here = cwd.absolute()
    return next(filter(None, map(project_file_in, (here, *here.parents))), None)


def stack_config(stack: str, cwd: Path) -> dict[str, object]:
    """A stack's config in the namespace `genesys`, by key; also registers its secrets.

    File names are relative to the directory of the program, as they are for the program itself.

    Raises:
        PulumiError: There is no project or no such stack, or its secrets can't be decrypted.
    """
    if nearest_project_file(cwd) is None:
        raise PulumiError(
            f"There is no Pulumi project in {cwd.absolute()} or above it, so no stack {stack}. Run this in the "
            "project's directory, or name that with --cwd DIR."
        )
    answer = json.loads(pulumi("config", "--stack", stack, "--show-secrets", "--json", cwd=cwd))
    config: dict[str, object] = {}
    prefix = f"{NAMESPACE}:"
    for key, entry in answer.items():
        value = entry.get("value", "")
        if entry.get("secret"):
            hide(str(value))
        if key.startswith(prefix):
            config[key.removeprefix(prefix)] = value
    for key in ("caFile", "auditLog"):
        if config.get(key):
            config[key] = str(program_folder(cwd) / Path(str(config[key])).expanduser())
    return config


def program_folder(cwd: Path) -> Path:
    """The directory in which the program runs: `main` of Pulumi.yaml, else its directory."""
    file = nearest_project_file(cwd)
    if file is None:
        return cwd.absolute()
    folder = file.parent
    main = _project_in(file).get("main")
    path = folder / main if isinstance(main, str) else folder
    return path if path.is_dir() else path.parent


def project_name(cwd: Path) -> str | None:
    """The name of the project that Pulumi finds from here; None if there is none."""
    file = nearest_project_file(cwd)
    name = _project_in(file).get("name") if file else None
    return name if isinstance(name, str) else None


def _project_in(file: Path) -> dict[str, object]:
    import yaml

    try:
        project = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return project if isinstance(project, dict) else {}


def stacks(cwd: Path) -> list[str]:
    """The full names of all stacks in the backend, of any project.

    Raises:
        PulumiError: They can't be listed.
    """
    answer = json.loads(pulumi("stack", "ls", "--all", "--json", "--fully-qualify-stack-names", cwd=cwd))
    return sorted(each["name"] for each in answer)


def backend(cwd: Path) -> str:
    """The location of the states, as Pulumi names it.

    Raises:
        PulumiError: Nobody is logged in.
    """
    return str(json.loads(pulumi("whoami", "--json", cwd=cwd)).get("url") or "the backend of this login")


def state_of(stack: str, cwd: Path) -> dict[str, Any]:
    """The `deployment` of a stack's state, with its secrets encrypted.

    Raises:
        PulumiError: It can't be read.
    """
    exported = json.loads(pulumi("stack", "export", "--stack", stack, cwd=cwd))
    deployment: dict[str, Any] = exported.get("deployment") or {}
    return deployment
