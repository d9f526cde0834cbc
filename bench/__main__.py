"""`python -m bench`: every row of the table; `--row NAME` one; `--growth` how the costs grow with the fleet."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

import click

from bench.growth import grow
from bench.rows import ROWS
from bench.setting import QUICK, Setting, Sizes
from bench.table import Row, machine, rendered


@click.command()
@click.option("--row", "names", multiple=True, type=click.Choice(list(ROWS)), help="Only this row.")
@click.option("--quick", is_flag=True, help="Small sizes: shows that it works, not how fast it is.")
@click.option("--growth", is_flag=True, help="Fleets of 50 to 800 instead: writes docs/scaling.svg.")
def main(names: tuple[str, ...], quick: bool, growth: bool) -> None:
    """Measures what targets cost on the real engine, against trivial resources on the same one."""
    # Ended from outside, it still ends the services that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    click.echo(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        setting = Setting(Path(directory), QUICK if quick else Sizes())
        try:
            if growth:
                click.echo(grow(setting, quick=quick))
                return
            rows: list[Row] = []
            for name in names or ROWS:
                for row in ROWS[name](setting):
                    rows.append(row)
                    setting.say(f"    {row.name}: {row.measured}, {row.verdict}")
        finally:
            setting.close()
    click.echo(rendered(rows))


if __name__ == "__main__":
    main()
