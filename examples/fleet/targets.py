"""Reads the fleet from its file, with a row for each target, and divides it into stacks by region and unit.

The columns are the fields of `Target`. A stack is named `<region>.<unit>`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError


class InvalidFleet(Exception):
    """The file can't be used; the message has a line for each fault, with the line in the file."""


class Target(BaseModel):
    """A row of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Unique in its region, since a region is one organization."""
    region: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)+-\d$")]
    """The name that Genesys Cloud uses, such as `eu-central-1`."""
    unit: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """The unit that the target belongs to; it should have 100 to 200 targets in each region."""
    endpoint_url: Annotated[str, Field(pattern=r"^https://.")]
    event_types: Annotated[tuple[str, ...], BeforeValidator(str.split), Field(min_length=1)]
    """Separated by spaces."""
    auth: Annotated[str, Field(pattern=r"^(env:\w+|config:[\w-]+)?$")]
    """Where to find `user:password`: `env:NAME` is an environment variable, `config:KEY` is in the stack's config,
    and empty means none. The secret itself is never in the file."""

    @property
    def stack(self) -> str:
        """The stack of the target."""
        return f"{self.region}.{self.unit}"


def read_targets(path: Path) -> dict[str, list[Target]]:
    """The targets of each stack.

    Raises:
        InvalidFleet: The file is of another kind, a row is invalid, or two rows of a region have the same name.
    """
    stacks: dict[str, list[Target]] = {}
    faults: list[str] = []
    first_lines: dict[tuple[str, str], int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restkey="too many columns", strict=True)
            if sorted(rows.fieldnames or ()) != sorted(Target.model_fields):
                columns = ", ".join(Target.model_fields)
                raise InvalidFleet(
                    f"{path}:1: this line must have the names of the columns, separated by commas: {columns}"
                )
            for row in rows:
                line = rows.line_num
                try:
                    target = Target.model_validate(
                        {key: text for key, text in row.items() if text is not None}
                    )
                except ValidationError as error:
                    # Without the values, since somebody may have put a secret there.
                    faults += [f"{path}:{line}: {each['loc'][0]}: {each['msg']}" for each in error.errors()]
                    continue
                first = first_lines.setdefault((target.region, target.name), line)
                if first != line:
                    faults.append(
                        f"{path}:{line}: name: {target.name} is already in {target.region}, in line {first}"
                    )
                stacks.setdefault(target.stack, []).append(target)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidFleet(f"{path}: {error}") from error
    if faults:
        raise InvalidFleet("\n".join(faults))
    return stacks
