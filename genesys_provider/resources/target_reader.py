"""What the engine asks of an `EventBridgeTarget.get`: to read a target, and nothing else."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import ConfigureRequest, ReadResult, ResourceProvider

from genesys_provider.host.operation import OperationError


class TargetReader(ResourceProvider):
    """Reads targets that are not this stack's. There is no way to write or delete one through it."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Takes the stack's config; what is wrong with it shows when it is needed."""
        from genesys_provider.resources.properties import config_of

        self._config = config_of(req)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The target as it is, whatever its status: to judge that is its own stack's business.

        Raises:
            OperationError: There is no such target. To a refresh it is just gone.
        """
        from genesys_provider.resources import target_properties
        from genesys_provider.resources.session import managed

        with managed(self._config, props) as manager:
            organization = manager.require_organization(
                f"target {id_}", props.get("organizationId"), props.get("apiUrl")
            )
            target = manager.get(id_, shared=True)
            api_url = manager.settings.api_url
        if target is None:
            if "status" in props:
                return ReadResult(None, {})
            raise OperationError(
                f"there is no target with the id {id_!r} in this organization: it was deleted, or belongs to "
                "another one. Correct the id, or take this EventBridgeTarget.get out of the program"
            )
        inputs = target_properties.inputs_read({}, target, owner=target.owner, api_url=api_url)
        outs = target_properties.outputs(inputs, target, organization_id=organization.id, revision=1)
        return ReadResult(id_, outs)
