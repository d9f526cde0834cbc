"""A reader's terminal, which runs the commands of a page in order and compares their output."""

from __future__ import annotations

import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.process import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

LIMIT = 120.0
"""In seconds. A command that takes longer is stuck."""
ANYTHING = "…"
"""In a page's output: within a line any text, and as a whole line any number of lines."""
ADDED = "add to "
PROGRESS = "@ "
"""The start of lines that Pulumi repeats while it waits, such as `@ updating....`; pages don't show them."""
_VARYING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|\b)", "TIME"),
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"\b\d+(\.\d+)?/(\d+) s\b", r"N/\2 s"),
    (r"\b\d+ (s|min) ago\b", "N s ago"),
    (r"\b\d+(\.\d+)? ?s\b", "N s"),
    (r"Emulated [0-9a-f]{8}", "Emulated"),
    (r"\d+\.\d+\.\d+", "VERSION"),
    (r"\b\d+(\.\d+)? of (\d+) requests", r"N of \2 requests"),
    (r"█+", "█"),
    (r"\s+", " "),
)


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    output: str
    """Standard output and error, with the ports and addresses of the page."""


def same(expected: str, actual: str) -> bool:
    """Whether this output is the one on the page, except for ids, times and durations."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == ANYTHING else _line(line) + r"\n"
        for line in expected.splitlines()
        if line.strip()
    )
    masked = "".join(
        f"{_masked(line.strip())}\n"
        for line in actual.splitlines()
        if line.strip() and not line.startswith(PROGRESS)
    )
    return re.fullmatch(pattern, masked) is not None


def _line(line: str) -> str:
    return r"[^\n]*".join(re.escape(_masked(part)) for part in line.strip().split(ANYTHING))


def _masked(line: str) -> str:
    for pattern, name in _VARYING:
        line = re.sub(pattern, name, line)
    return line


class Shell:
    """A bash that keeps variables and the current folder from one command to the next.

    Args:
        folder: The initial folder.
        env: Its whole environment.
        replaced: Texts of the page, and their replacements in this test, such as a free port.
        meanwhile: What happens while a background command that contains these words runs: one event after each of
            its first lines.
    """

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        replaced: Mapping[str, str],
        meanwhile: Mapping[str, list[Callable[[], None]]] | None = None,
    ) -> None:
        self.folder = folder
        self._env = dict(env)
        self._replaced = dict(replaced)
        self._meanwhile = dict(meanwhile or {})
        self._state = folder / ".shell-state"
        self._state.write_text(f"cd '{folder}'\n")
        self._background: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._background:
            each.send(signal.SIGTERM)
            each.wait()

    def in_the_test(self, text: str) -> str:
        """The page's text with its replacements."""
        for of_page, of_test in self._replaced.items():
            text = text.replace(of_page, of_test)
        return text

    def in_the_page(self, text: str) -> str:
        """The opposite of `in_the_test`."""
        for of_page, of_test in self._replaced.items():
            text = text.replace(of_test, of_page)
        return text

    @property
    def cwd(self) -> Path:
        """The current folder."""
        return type(self.folder)(self.in_the_test(self.run("pwd").output.strip()))

    def write(self, title: str, text: str) -> None:
        """Writes a block with the title `FILE` or `add to FILE`, like a reader does."""
        path = self.cwd / title.removeprefix(ADDED)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if title.startswith(ADDED) else "w") as file:
            file.write(("\n" if title.startswith(ADDED) else "") + self.in_the_test(text))

    def read(self, file: str) -> str:
        """The content of a file that a command has written."""
        return self.in_the_page((self.cwd / file).read_text())

    def run(self, command: str, typed: str = "") -> Done:
        """Runs a command to its end."""
        script = (
            f"source '{self._state}'\nset -a\n{self.in_the_test(command)}\ncode=$?\n"
            f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} >'{self._state}'\n"
            "exit $code\n"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            env=self._env,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Done(done.returncode, self.in_the_page(done.stdout))

    def start(self, command: str, lines: int) -> Done:
        """Starts a command in the background, and waits for its first lines."""
        script = f"source '{self._state}'\nexec {self.in_the_test(command)}\n"
        background = Running(["bash", "-c", script], env=self._env)
        self._background.append(background)
        events = [each for words, happens in self._meanwhile.items() if words in command for each in happens]
        printed = ""
        for happens in events:
            printed += background.line()
            happens()
        printed += "".join(background.line() for _ in range(lines - len(events)))
        return Done(0, self.in_the_page(printed))
