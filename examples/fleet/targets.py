"""The fleet as the file of targets has it: a row for each target, cut into stacks by region and unit.

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
    """One row."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Unique in its region, which is one organization."""
    region: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)+-\d$")]
    """As Genesys Cloud names it: `eu-central-1`."""
    unit: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """Who the target belongs to. Best are 100 to 200 targets in each unit of a region."""
    endpoint_url: Annotated[str, Field(pattern=r"^https://.")]
    event_types: Annotated[tuple[str, ...], BeforeValidator(str.split), Field(min_length=1)]
    """With spaces between them."""
    auth: Annotated[str, Field(pattern=r"^(env:\w+|config:[\w-]+)?$")]
    """Where `user:password` is: `env:NAME` in an environment variable, `config:KEY` in the stack's config; empty
    for none. The secret itself is never in the file."""

    @property
    def stack(self) -> str:
        """The stack that it is in."""
        return f"{self.region}.{self.unit}"


def read_targets(path: Path) -> dict[str, list[Target]]:
    """The targets of each stack.

    Raises:
        InvalidFleet: A row is not right, or two rows of one region have the same name, or it is no such file.
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
                    f"{path}:1: this line must be the names of the columns, with commas: {columns}"
                )
            for row in rows:
                line = rows.line_num
                try:
                    target = Target.model_validate(
                        {key: text for key, text in row.items() if text is not None}
                    )
                except ValidationError as error:
                    # Without the values: somebody may have put a secret there.
                    faults += [f"{path}:{line}: {each['loc'][0]}: {each['msg']}" for each in error.errors()]
                    continue
                first = first_lines.setdefault((target.region, target.name), line)
                if first != line:
                    faults.append(
                        f"{path}:{line}: name: {target.name} is in {target.region} already, in line {first}"
                    )
                stacks.setdefault(target.stack, []).append(target)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidFleet(f"{path}: {error}") from error
    if faults:
        raise InvalidFleet("\n".join(faults))
    return stacks
