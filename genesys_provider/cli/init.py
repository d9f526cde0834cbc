"""`init`: put the host into a user's repository, so that a fresh clone works.

Pulumi looks for the directories in `plugins.providers` before it creates the virtual environment, so a host that is
installed there is missing from every fresh clone. So its script, which only finds the program's Python, is kept in
the repository.
"""

from __future__ import annotations

import os
import subprocess
from importlib.resources import files
from pathlib import Path

import click

from genesys_provider.cli.pulumi import project_file_in
from genesys_provider.cli.stanza import PLUGIN, StanzaError, providers_of, with_provider

FOLDER = "genesys-eventbridge-host"
"""Next to Pulumi.yaml. It is neither hidden nor named like build output, so that no usual .gitignore matches it."""
SCRIPT = f"pulumi-resource-{PLUGIN}"
SCRIPTS = (SCRIPT, f"{SCRIPT}.cmd")
"""For POSIX systems, and for Windows, where Pulumi looks for this suffix: a repository may be cloned on either."""
MODE = 0o755
_OURS = b"-m genesys_provider.host"


@click.command()
@click.argument(
    "directory",
    metavar="[DIR]",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def init(directory: Path) -> None:
    """Put the host for dynamic resources into a Pulumi project.

    The project is in DIR, or in the current directory. Adds the folder genesys-eventbridge-host and names it in
    Pulumi.yaml. Run it again after an upgrade of genesys-eventbridge: it updates the folder, and changes nothing if
    there is nothing to do.
    """
    project, folder, done = put_host(directory)
    for line in done:
        click.echo(line)
    if done:
        click.echo(
            f"Commit {project.name} and {folder.name}: then a fresh clone needs `pulumi install` only."
        )
        click.echo(
            "Set PULUMI_PARALLEL=256 where you and your pipeline run Pulumi: by default it verifies "
            "only 4 targets per core at a time."
        )
    else:
        click.echo(f"{project} names {folder}, which is up to date: nothing to do.")
    if _ignored_by_git(folder / SCRIPT):
        click.echo(
            f"Warning: .gitignore keeps {folder / SCRIPT} out of the repository: `git add --force` it, "
            "or a fresh clone will not have it.",
            err=True,
        )


def put_host(directory: Path) -> tuple[Path, Path, list[str]]:
    """Puts the host into the project in this directory.

    Returns:
        The project file, the host's folder, and what was done, one line each.

    Raises:
        click.ClickException: It failed; nothing was changed.
    """
    project = _project_file(directory)
    try:
        text = project.read_bytes().decode()
        named = [each for each in providers_of(text) if each.name == PLUGIN]
        if named:
            folder = _folder_named(directory, named[0].path, named[0].line)
            new_text = text
        else:
            folder = directory / FOLDER
            new_text = with_provider(text, FOLDER)
        done = [line for name in SCRIPTS for line in _put_script(folder / name)]
        if new_text != text:
            project.write_bytes(new_text.encode())
            done.append(f"{project}: plugins.providers names {FOLDER}")
    except StanzaError as error:
        raise click.ClickException(f"{project}: {error}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{project}: it is not UTF-8 text. Nothing was changed.") from error
    except OSError as error:
        raise click.ClickException(
            f"{error.filename}: {error.strerror}. Fix that, and run this again."
        ) from error
    return project, folder, done


def _project_file(directory: Path) -> Path:
    found = project_file_in(directory)
    if found is None:
        raise click.ClickException(
            f"There is no Pulumi.yaml in {directory.absolute()}. Run this in the folder of your project, or name "
            "it: genesys-eventbridge init DIR. `pulumi new python` creates a project."
        )
    return found


def _folder_named(directory: Path, path: str, line: int) -> Path:
    """The folder that the project file already names, if it is ours and part of every clone.

    Raises:
        StanzaError: It is not.
    """
    folder = directory / path
    remedy = f"Nothing was changed. To have our host here, set that path to {FOLDER}, and run this again."
    here, there = directory.absolute(), folder.absolute()
    above = {there, *there.parents} - {here, *here.parents}
    if any((each / "pyvenv.cfg").is_file() for each in above):
        raise StanzaError(
            f"line {line} names {path!r} for {PLUGIN}, in a virtual environment. `pulumi install` fails where "
            f"that does not exist yet, as on every fresh clone. {remedy}"
        )
    script = folder / SCRIPT
    if folder.absolute() == (directory / FOLDER).absolute() and not script.exists():
        return folder
    if not script.is_file() or _OURS not in script.read_bytes():
        raise StanzaError(f"line {line} names {path!r} for {PLUGIN}, and our host is not there. {remedy}")
    return folder


def _put_script(script: Path) -> list[str]:
    """Writes this version's script; tells what was done."""
    wanted = (files("genesys_provider") / "host" / "bin" / script.name).read_bytes()
    done = []
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_bytes(wanted)
        done.append(f"{script}: created")
    else:
        had = script.read_bytes()
        if _OURS not in had:
            raise click.ClickException(f"{script} is not ours. Move it away, and run this again.")
        # On Windows git may change the line endings, which only the script for Windows tolerates.
        if (had.replace(b"\r\n", b"\n") if script.suffix == ".cmd" else had) != wanted:
            script.write_bytes(wanted)
            done.append(f"{script}: updated")
    if os.name == "posix" and script.stat().st_mode & 0o777 != MODE:
        script.chmod(MODE)
        done = done or [f"{script}: made executable"]
    return done


def _ignored_by_git(path: Path) -> bool:
    """Whether git ignores the file; False without git or a repository, or if the file is already tracked."""
    try:
        asked = subprocess.run(  # noqa: S603 (no foreign input)
            ["git", "check-ignore", "--quiet", path.name],  # noqa: S607 (whichever git the user has)
            cwd=path.parent,
            check=False,
            capture_output=True,
        )
    except OSError:
        return False
    return asked.returncode == 0
