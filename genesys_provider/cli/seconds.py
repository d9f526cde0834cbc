"""The type of options that take seconds."""

from __future__ import annotations

import math
from typing import Any

import click

ONE_DAY = 86_400


class Seconds(click.FloatRange):
    """Seconds up to a day. `click.FloatRange` lets nan pass, with which nothing would ever wait."""

    def __init__(self, least: float) -> None:
        super().__init__(least, ONE_DAY)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, if it is in the range."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return number
