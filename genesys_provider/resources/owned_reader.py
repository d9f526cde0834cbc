"""What the engine asks of a `get`, whatever kind it reads: to read one, and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

from pulumi.dynamic import ConfigureRequest, ReadResult, ResourceProvider

from genesys_provider.host.operation import OperationError
from genesys_provider.resources.owned import OwnedProvider


class OwnedReader(ResourceProvider):
    """Reads what is not this stack's, for a `get`. There is no way to write or delete one through it."""

    serialize_as_secret_always = False
    of: ClassVar[type[OwnedProvider]]
    """The kind that it reads."""

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config; what is wrong with it shows when it is needed."""
        self._kind = self.of()
        self._kind.configure(req)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it is, in whatever state: to judge that is its own stack's business.

        Raises:
            OperationError: There is none. To a refresh it is just gone.
        """
        kind, properties = self._kind.kind, self._kind.properties()
        with self._kind.managed(props) as manager:
            organization = manager.require_organization(
                f"{kind} {id_}", props.get("organizationId"), props.get("apiUrl")
            )
            found = manager.get(id_, shared=True)
            api_url = manager.settings.api_url
        if found is None:
            if "name" in props:
                return ReadResult(None, {})
            raise OperationError(
                f"there is no {kind} with the id {id_!r} in this organization: it was deleted, or belongs to "
                f"another one. Correct the id, or take this EventBridge{kind.capitalize()}.get out of the program"
            )
        inputs = properties.inputs_read({}, found, owner=found.owner, api_url=api_url)
        return ReadResult(id_, properties.outputs_read({}, inputs, found, organization_id=organization.id))
