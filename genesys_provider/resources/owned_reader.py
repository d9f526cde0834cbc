"""The engine's operations for a `get` of any kind: only to read."""

from __future__ import annotations

from typing import Any, ClassVar

from pulumi.dynamic import ConfigureRequest, ReadResult, ResourceProvider

from genesys_provider.host.operation import OperationError
from genesys_provider.resources.owned import OwnedProvider


class OwnedReader(ResourceProvider):
    """Reads objects of others, for a `get`. It can neither write nor delete them."""

    serialize_as_secret_always = False
    of: ClassVar[type[OwnedProvider]]
    """The kind that it reads."""

    def configure(self, req: ConfigureRequest) -> None:
        """Stores the stack's config; errors in it are reported on use."""
        self._kind = self.of()
        self._kind.configure(req)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Reads the object in any status, since judging that is up to its own stack.

        Raises:
            OperationError: It does not exist. In a refresh it is simply gone.
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
                f"another one. Correct the id, or remove this EventBridge{kind.capitalize()}.get from the program"
            )
        inputs = properties.inputs_read({}, found, owner=found.owner, api_url=api_url)
        return ReadResult(id_, properties.outputs_read({}, inputs, found, organization_id=organization.id))
