"""Reads sources: the list with its configurations, a single one, its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import Forbidden, InvalidRequest, NotFound, UnexpectedAnswer
from genesys_provider.client.limits import Priority
from genesys_provider.common.faults import faults_of
from genesys_provider.common.paging import Page, pages
from genesys_provider.common.reader import Look
from genesys_provider.sources.errors import OtherType
from genesys_provider.sources.models import INTEGRATION_TYPE, Source

_STATE = ("type", "intended", "status", "reason", "last_updated", "written_at")
"""The fields that are not part of a configuration."""


def parsed(answer: Any, what: str = "the list of sources", configuration: Any = None) -> Source:
    """Parses a source from a response.

    Raises:
        UnexpectedAnswer: It is not a source. The message names the fields, not their values.
    """
    try:
        return Source.read(answer, configuration)
    except ValidationError as error:
        listed = "; ".join(map(str, faults_of(error)))
        raise UnexpectedAnswer(f"{what}: the answer is not an integration: {listed}") from error


class SourceReading:
    """How the directory reads sources.

    A service may ignore the type filter, and may still list what was deleted [C]; both are left out here.
    """

    finds_by_name = False
    look_pause = 1.0

    def __init__(self, client: GenesysClient) -> None:
        self._client = client
        self.allowance = client.allowance

    def pages(
        self,
        *,
        name: str | None = None,  # noqa: ARG002 (the service can't filter by it)
        priority: Priority = Priority.BULK,
        first: int = 1,
    ) -> Iterator[Page[Source]]:
        """The list of sources from this page on.

        Polls only need their state, so missing configurations are not requested.
        """

        def parse(entity: Any) -> Source | None:
            source = parsed(entity)
            if source.is_of_another_type or source.deleted:
                return None
            if source.config_version is not None or priority is not Priority.BULK:
                return source
            try:
                return self._completed(entity, source.id)
            except NotFound:
                return None
            except (Forbidden, InvalidRequest):
                # It can't be read, so somebody else owns it; but its name is known.
                return source

        return pages(
            "source",
            lambda number: self._client.list_integrations(
                number, integration_type=INTEGRATION_TYPE, priority=priority
            ),
            parse,
            first,
        )

    def get(self, source_id: str) -> Source | None:
        """The source with this id, or None if it is not found: two requests.

        Raises:
            OtherType: It is an integration of another type.
        """
        try:
            return self._completed(self._client.get_integration(source_id), source_id)
        except NotFound:
            return None

    def look(self, source_id: str) -> Look[Source]:
        """The current state of the source: one request.

        Raises:
            NotFound: The source does not exist, or is not visible yet.
        """
        answer = self._client.get_integration(source_id, Priority.INTERACTIVE)
        source = parsed({**answer, "id": source_id}, f"source {source_id}")
        if source.deleted:
            raise NotFound(f"source {source_id} is deleted", status=404)
        return Look(source.status, source.reason, source)

    def configuration(self, source: Source) -> Source | None:
        """The source with its current configuration, or None if it is not found: one request.

        Only this call is documented to return all of it [G].
        """
        try:
            answer = self._client.get_configuration(source.id)
        except NotFound:
            return None
        now = parsed({"id": source.id}, f"source {source.id}", answer)
        state = {name: getattr(source, name) for name in _STATE}
        return now.model_copy(update={**state, "name": now.name or source.name})

    def _completed(self, integration: Mapping[str, Any], source_id: str) -> Source | None:
        """The integration with its configuration, from a separate request."""
        answer, what = {**integration, "id": source_id}, f"source {source_id}"
        source = parsed(answer, what)
        if source.deleted:
            return None
        if source.is_of_another_type:
            raise OtherType(source_id, source.type)
        return parsed(answer, what, self._client.get_configuration(source_id))
