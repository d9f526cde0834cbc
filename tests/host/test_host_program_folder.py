"""The folder of the program, in which the host starts, may have modules that are called like those of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.host.direct import DirectHost

if TYPE_CHECKING:
    from pathlib import Path


def test_modules_that_are_called_like_those_of_python(tmp_path: Path, installed: dict[str, str]) -> None:
    for name in ("contextvars", "email", "grpc", "logging", "queue", "selectors", "threading", "token"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is the program\\'s')\n")
    with DirectHost(tmp_path, {**installed, "HOUSE_LOG": str(tmp_path / "log")}) as host:
        assert host.create("a").result(timeout=60).id
