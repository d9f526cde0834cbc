"""What declarations cost a program, with Pulumi's mocks instead of an engine.

`python -m bench.declaring FILE` runs the program in FILE.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent / "programs"


def seconds(program: str, count: int) -> float:
    """The wall time in seconds of a new Python process that declares `count` resources."""
    env = {
        **os.environ,
        "BENCH_COUNT": str(count),
        "BENCH_CHANGED": "0",
        "BENCH_GATEWAY": "https://localhost:1",
    }
    started = time.monotonic()
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "bench.declaring", str(PROGRAMS / f"{program}.py")],
        env=env,
        capture_output=True,
        check=True,
    )
    return time.monotonic() - started


def _declare(program: str) -> None:
    import runpy

    import pulumi
    from pulumi.runtime import mocks

    class Echo(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, object]]:
            return f"{args.name}-id", dict(args.inputs)

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
            return dict(args.args), None

    pulumi.runtime.set_mocks(Echo(), project="house", stack="dev")
    pulumi.runtime.test(lambda: runpy.run_path(program) and None)()


if __name__ == "__main__":
    _declare(sys.argv[1])
