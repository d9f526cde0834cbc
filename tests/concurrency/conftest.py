"""A PostgreSQL server for these tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60


def _binaries() -> Path | None:
    """The folder of PostgreSQL's server programs: on `PATH`, or where Debian installs them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = [Path(found).parent for found in [shutil.which("initdb")] if found]
    return next((path for path in [*on_path, *reversed(debian)] if (path / "postgres").exists()), None)


def _server_user() -> dict[str, Any]:
    """The user that the server runs as, since PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL refuses root, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a Pulumi backend in a PostgreSQL server that only these tests use."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server here: install Debian's package postgresql")
    somebody = _server_user()
    # Not below pytest's folder, which only this user can read.
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if somebody:
            os.chown(directory, somebody["user"], somebody["group"])
        data = directory / "data"
        common: dict[str, Any] = {
            "cwd": directory,
            "env": {"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C"},
        }
        initdb: list[str | Path] = [
            binaries / "initdb",
            "--pgdata",
            data,
            "--username",
            "pulumi",
            "--auth",
            "trust",
            "--no-sync",
        ]
        made = subprocess.run(
            [*initdb, "--encoding", "UTF8"], capture_output=True, text=True, check=False, **common, **somebody
        )
        assert made.returncode == 0, made.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            # `-F`: these tests need no durability.
            [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", directory, "-F"],
            stderr=subprocess.PIPE,
            text=True,
            **common,
            **somebody,
        )
        try:
            said = _until_ready(server)
            assert server.poll() is None, said
            yield f"postgres://pulumi@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            server.send_signal(signal.SIGINT)  # A fast shutdown.
            server.wait(START_SECONDS)
    finally:
        shutil.rmtree(directory)


def _until_ready(server: subprocess.Popen[str]) -> str:
    """The server's output until it accepts connections or ends; later output is discarded."""
    said: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert server.stderr is not None
        with server.stderr:
            for line in server.stderr:
                said.append(line)
                if "ready to accept connections" in line:
                    ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(START_SECONDS), "".join(said)
    return "".join(said)
