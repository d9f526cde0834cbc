"""The contents of the states that the Pulumi CLI can read, including pending operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from genesys_provider.cli.pulumi import PulumiError, backend, stacks, state_of
from genesys_provider.cli.threads import side_by_side


@dataclass
class States:
    """The states that were read, and what was found in them."""

    where: str = ""
    """The backend."""
    read: list[str] = field(default_factory=list)
    """The full names of the stacks."""
    unread: list[str] = field(default_factory=list)
    """Why each of the others was not read."""
    ids: set[str] = field(default_factory=set)
    """The ids of all resources."""
    under_way: set[str] = field(default_factory=set)
    """The URNs of resources that are being created, or were when a run died."""

    def has_project(self, project: str) -> bool:
        """Whether a stack of this project was read."""
        return any(each.split("/")[-2:-1] == [project] for each in self.read)


def look(cwd: Path) -> States:
    """Reads every state of the backend, since a target may have been moved to any project."""
    found = States()
    try:
        found.where = backend(cwd)
        names = stacks(cwd)
    except PulumiError as error:
        found.unread.append(error.message)
        return found

    def read(name: str) -> PulumiError | None:
        try:
            deployment = state_of(name, cwd)
        except PulumiError as error:
            return error
        found.ids.update(each["id"] for each in deployment.get("resources") or () if each.get("id"))
        found.under_way.update(
            each["resource"]["urn"]
            for each in deployment.get("pending_operations") or ()
            if each.get("type") in ("creating", "importing")
        )
        return None

    for name, failure in zip(names, side_by_side("reading states", names, read), strict=True):
        if failure is None:
            found.read.append(name)
        else:
            found.unread.append(failure.message)
    return found
