"""`python -m bench`: measures all rows except the large fleet, or the rows that `--row` names."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

import click

from bench import pages
from bench.measuring import measure
from bench.results import FILE, load
from bench.rows import BY_ITSELF, ROWS
from bench.setting import QUICK, Setting, Sizes
from bench.table import table


@click.command()
@click.option("--row", "names", multiple=True, type=click.Choice(list(ROWS)), help="Measure only this row.")
@click.option(
    "--quick",
    is_flag=True,
    help="Use small sizes, which show that the benchmark works, not how fast anything is.",
)
@click.option(
    "--results",
    "path",
    type=click.Path(path_type=Path),
    help="The file for the results, instead of bench/results.json and the docs (none for --quick).",
)
def main(names: tuple[str, ...], quick: bool, path: Path | None) -> None:
    """Measure what targets cost on the real engine, compared with trivial resources.

    New measurements replace earlier ones of the same rows.
    """
    # Exit normally on SIGTERM, so that the services end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    rows = {name: ROWS[name] for name in names or ROWS if names or name != BY_ITSELF}
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        path = path or (Path(directory) / "quick.json" if quick else FILE)
        results = load(path)
        setting = Setting(Path(directory), QUICK if quick else Sizes())
        try:
            failed = measure(rows, setting, results, path)
        finally:
            setting.close()
            if path == FILE:
                pages.write(results)
    click.echo(table(results.lines(rows)))
    if failed:
        raise click.ClickException(f"Not measured: {', '.join(failed)}. Repeat each with --row.")


if __name__ == "__main__":
    main()
