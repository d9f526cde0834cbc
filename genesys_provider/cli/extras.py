"""Commands that need more packages than the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def needing(extra: str, *packages: str) -> Iterator[None]:
    """Within the block, a missing package of an extra is reported in one sentence."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in packages:
            raise
        raise click.ClickException(
            f"{error.name} is not installed. This needs the extra `{extra}`: write `genesys-eventbridge[{extra}]` "
            "for `genesys-eventbridge` in requirements.txt, and install again"
        ) from error
