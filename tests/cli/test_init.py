"""`genesys-eventbridge init` adds the host to a project, and changes nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from genesys_provider.cli import main
from tests.support.engine import OWN_HOST

FOLDER = "genesys-eventbridge-host"
SCRIPT = "pulumi-resource-pulumi-python"
OURS = {"name": "pulumi-python", "path": FOLDER}
OTHER = {"name": "random", "path": "./random"}
HEAD = "name: mine # the project\n\nruntime:   python\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    (path / "Pulumi.yaml").write_text(HEAD)
    return path


def init(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["init", str(folder)])
    return result.exit_code, result.output


def providers(project: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = yaml.safe_load((project / "Pulumi.yaml").read_text())["plugins"][
        "providers"
    ]
    return found


def check_host(project: Path, folder: str = FOLDER) -> None:
    script = project / folder / SCRIPT
    assert script.read_bytes() == (OWN_HOST / SCRIPT).read_bytes()
    assert script.stat().st_mode & 0o777 == 0o755
    # For a clone on Windows.
    assert script.with_suffix(".cmd").read_bytes() == (OWN_HOST / SCRIPT).with_suffix(".cmd").read_bytes()


def test_a_new_project(project: Path) -> None:
    code, output = init(project)
    assert code == 0, output
    assert f"{project / FOLDER / SCRIPT}: created" in output
    assert f"plugins.providers names {FOLDER}" in output
    assert f"Commit Pulumi.yaml and {FOLDER}" in output
    check_host(project)
    assert (project / "Pulumi.yaml").read_text() == (
        f"{HEAD}plugins:\n  providers:\n    - name: pulumi-python\n      path: {FOLDER}\n"
    )


def test_the_current_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    result = CliRunner().invoke(main, ["init"])
    assert result.exit_code == 0, result.output
    check_host(project)


def test_a_second_run_changes_nothing(project: Path) -> None:
    init(project)
    before = {
        each: (each.read_bytes(), each.stat().st_mtime_ns) for each in project.rglob("*") if each.is_file()
    }
    code, output = init(project)
    assert code == 0, output
    assert "nothing to do" in output
    assert before == {
        each: (each.read_bytes(), each.stat().st_mtime_ns) for each in project.rglob("*") if each.is_file()
    }


LAYOUTS = {
    "no line end": ("name: mine\nruntime: python", []),
    "commented out": (
        f"{HEAD}# plugins:\n#   providers:\n#     - name: pulumi-python\n#       path: old\n",
        [],
    ),
    "all of it commented out": (
        f"{HEAD}plugins:\n#  providers:\n#    - name: pulumi-python\nconfig: {{}}\n",
        [],
    ),
    "comment behind the key": (f"{HEAD}plugins: # ours\n  # providers: none\nconfig: {{}}\n", []),
    "key at the end": (f"{HEAD}plugins:", []),
    "null": (f"{HEAD}plugins: null # yet\n", []),
    "empty": (f"{HEAD}plugins: {{}}\n", []),
    "languages": (f"{HEAD}plugins:\n    # mine\n    languages:\n        - name: x\n          path: y\n", []),
    "languages in flow style": (f"{HEAD}plugins: {{ languages: [{{name: x, path: y}}] }} # x\n", []),
    "no providers yet": (f"{HEAD}plugins:\n  providers: # none\n  languages: []\n", []),
    "empty providers": (f"{HEAD}plugins:\n  providers: []\nconfig: {{}}\n", []),
    "other providers": (
        f"{HEAD}plugins:\n  providers:\n    # first\n    - name: random # r\n      path: ./random\nconfig: {{}}\n",
        [OTHER],
    ),
    "other providers, not indented": (
        f"{HEAD}plugins:\n  providers:\n  - name: random\n    path: ./random\n",
        [OTHER],
    ),
    "other providers in flow style": (
        f"{HEAD}plugins:\n  providers: [ {{name: random, path: ./random}} ]\n",
        [OTHER],
    ),
    "in between": (f"plugins:\n  providers:\n    - {{name: random, path: ./random}}\n{HEAD}", [OTHER]),
    "JSON": ('{\n  "name": "mine",\n  "runtime": "python"\n}\n', []),
    "document marks": (f"---\n{HEAD}...\n", []),
    "quoted": (
        f'{HEAD}"plugins":\n  "providers":\n    - "name": "random"\n      "path": "./random"\n',
        [OTHER],
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_file_keeps_its_layout(project: Path, name: str, newline: str) -> None:
    text, others = LAYOUTS[name]
    text = text.replace("\n", newline)
    (project / "Pulumi.yaml").write_bytes(text.encode())
    code, output = init(project)
    assert code == 0, output
    check_host(project)
    assert providers(project) == [OURS, *others]
    new = (project / "Pulumi.yaml").read_bytes().decode()
    # All characters are kept in order: comments, quotes, white space. Only an empty value is replaced.
    left = iter(new)
    kept = (
        text.replace("null", "").replace("plugins: {}", "plugins: ").replace("providers: []", "providers: ")
    )
    assert all(character in left for character in kept)
    before, after = yaml.safe_load(text), yaml.safe_load(new)
    assert {**after, "plugins": None} == {**before, "plugins": None}
    assert after["plugins"].get("languages") == (before.get("plugins") or {}).get("languages")
    assert "\n" not in new.replace(newline, "")
    assert "nothing to do" in init(project)[1]


def test_an_older_host_is_updated(project: Path) -> None:
    init(project)
    script = project / FOLDER / SCRIPT
    script.write_text("#!/bin/sh\nexec python3 -u -m genesys_provider.host $@\n")
    script.chmod(0o644)
    code, output = init(project)
    assert code == 0, output
    assert f"{script}: updated" in output
    check_host(project)


@pytest.mark.parametrize(("suffix", "said"), [(".cmd", "nothing to do"), ("", f"{SCRIPT}: updated")])
def test_line_endings_of_a_clone_on_windows(project: Path, suffix: str, said: str) -> None:
    init(project)
    script = (project / FOLDER / SCRIPT).with_suffix(suffix)
    script.write_bytes(script.read_bytes().replace(b"\n", b"\r\n"))
    assert said in init(project)[1]


def test_a_host_without_the_script_for_windows(project: Path) -> None:
    init(project)
    script = (project / FOLDER / SCRIPT).with_suffix(".cmd")
    script.unlink()
    assert f"{script}: created" in init(project)[1]
    check_host(project)


def test_a_host_script_that_is_not_executable(project: Path) -> None:
    init(project)
    (project / FOLDER / SCRIPT).chmod(0o644)
    assert "made executable" in init(project)[1]
    check_host(project)


def test_a_stanza_whose_folder_is_missing(project: Path) -> None:
    init(project)
    shutil.rmtree(project / FOLDER)
    assert ": created" in init(project)[1]
    check_host(project)


@pytest.mark.parametrize("folder", ["tools/host", "../shared/host"])
def test_a_host_of_ours_in_another_folder(project: Path, folder: str) -> None:
    text = f"{HEAD}plugins:\n  providers:\n    - path: {folder}\n      name: pulumi-python\n"
    (project / "Pulumi.yaml").write_text(text)
    script = project / folder / SCRIPT
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\nexec python3 -u -m genesys_provider.host $@\n")
    assert "updated" in init(project)[1]
    check_host(project, folder)
    assert (project / "Pulumi.yaml").read_text() == text
    assert not (project / FOLDER).exists()


@pytest.mark.parametrize("path", [".venv/share/genesys-eventbridge/host", "other", "missing"])
def test_a_stanza_that_points_elsewhere_is_reported(project: Path, path: str) -> None:
    (project / ".venv/share/genesys-eventbridge/host").mkdir(parents=True)
    (project / ".venv/share/genesys-eventbridge/host" / SCRIPT).write_bytes((OWN_HOST / SCRIPT).read_bytes())
    (project / ".venv/pyvenv.cfg").touch()
    (project / "other").mkdir()
    (project / "other" / SCRIPT).write_text("#!/bin/sh\nexec python3 -m theirs\n")
    text = f"{HEAD}plugins:\n  providers:\n    - name: pulumi-python\n      path: {path}\n"
    (project / "Pulumi.yaml").write_text(text)
    code, output = init(project)
    assert code == 1
    assert f"line 6 names '{path}' for pulumi-python" in output
    assert f"set that path to {FOLDER}" in output
    assert (path.startswith(".venv")) == ("pulumi install` fails" in output)
    assert (project / "Pulumi.yaml").read_text() == text
    assert not (project / FOLDER).exists()
    # The printed advice works.
    (project / "Pulumi.yaml").write_text(text.replace(path, FOLDER))
    assert init(project)[0] == 0
    check_host(project)


def test_no_project(tmp_path: Path) -> None:
    code, output = init(tmp_path)
    assert code == 1
    assert f"There is no Pulumi.yaml in {tmp_path}" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "name: [mine\n",
        "- name: mine\n",
        f"{HEAD}plugins: [x]\n",
        f"{HEAD}plugins:\n  providers: none\n",
        f"{HEAD}plugins:\n  providers: [x]\n",
        f"{HEAD}plugins: &all\n  languages: []\nconfig: *all\n",
        "",
    ],
)
def test_a_project_file_that_can_not_be_edited(project: Path, text: str) -> None:
    (project / "Pulumi.yaml").write_text(text)
    code, output = init(project)
    assert code == 1
    assert output.startswith(f"Error: {project / 'Pulumi.yaml'}: ")
    assert (project / "Pulumi.yaml").read_text() == text
    assert not (project / FOLDER).exists()


def test_a_project_file_that_is_not_text(project: Path) -> None:
    (project / "Pulumi.yaml").write_bytes(b"name: m\xfcller\n")
    code, output = init(project)
    assert code == 1
    assert output.startswith(f"Error: {project / 'Pulumi.yaml'}: it is not UTF-8")
    assert not (project / FOLDER).exists()


def test_a_folder_that_can_not_be_created(project: Path) -> None:
    (project / FOLDER).write_text("a file")
    code, output = init(project)
    assert code == 1
    assert output.startswith(f"Error: {project / FOLDER}")
    assert (project / "Pulumi.yaml").read_text() == HEAD


@pytest.mark.parametrize(
    ("ignored", "told"), [("*host*\n", True), (".venv/\nbin/\nbuild/\nlib/\n.*\nenv/\n", False)]
)
def test_a_host_that_git_ignores(project: Path, ignored: str, told: bool) -> None:
    subprocess.run(["git", "init", "--quiet", project], check=True)
    (project / ".gitignore").write_text(ignored)
    code, output = init(project)
    assert code == 0
    assert ("git add --force" in output) == told
