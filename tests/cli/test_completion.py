"""`completion`, in a real shell; and the help texts of all commands."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli.cli_commands import run
from tests.support.process import COMMAND

COMMANDS = [
    ["targets"],
    ["targets", "list"],
    ["targets", "show"],
    ["targets", "health"],
    ["targets", "watch"],
    ["sources", "watch"],
    ["sources"],
    ["sources", "list"],
    ["sources", "show"],
    ["audit", "show"],
    ["audit", "latency"],
    ["audit", "verify"],
    ["probe"],
    ["doctor"],
    ["export"],
    ["leftovers"],
    ["completion"],
]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("genesys-eventbridge tar", ["targets"]),
        ("genesys-eventbridge targets ", ["health", "list", "show", "watch"]),
        ("genesys-eventbridge targets list --st", ["--stack", "--status"]),
    ],
)
def test_bash_completes(typed: str, expected: list[str]) -> None:
    words = typed.split(" ")
    script = (
        'eval "$(genesys-eventbridge completion bash)"\n'
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
        '_genesys_eventbridge_completion genesys-eventbridge\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.split()) == expected


def test_other_shells() -> None:
    for shell in ("zsh", "fish"):
        assert "_GENESYS_EVENTBRIDGE_COMPLETE" in run("completion", shell, env={}).out
    assert run("completion", "tcsh", env={}).code == 2


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_a_help_text(command: list[str]) -> None:
    done = run(*command, "--help", env={})
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2].strip()


@pytest.mark.parametrize("group", [[], ["targets"], ["sources"], ["audit"]], ids=str)
def test_the_list_of_commands_cuts_no_description(group: list[str]) -> None:
    commands = run(*group, "--help", env={}).out.partition("Commands:\n")[2]
    assert commands
    assert "..." not in commands
