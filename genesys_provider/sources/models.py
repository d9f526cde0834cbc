"""The integration `amazon-eventbridge-source`: its configuration, the API's objects, and the rules of the fields.

`SourceConfig` is what a user writes and a PUT sends; `Source` is what the API returns in an integration and its
configuration. Python names are snake_case, Pulumi's camelCase; both are accepted. Two properties have different
names in the API: `awsAccountRegion` and `eventFilter`.

The source of each rule: [G] is public, [C] is our completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from genesys_provider.common.faults import line_error, too_large
from genesys_provider.common.fields import MAX_NAME_CHARACTERS, ApiModel, NonEmpty, Printable, matching
from genesys_provider.sources.notes import has_mark, notes_and_mark, with_mark
from genesys_provider.sources.places import AwsAccountId, AwsRegion, EventSourceSuffix, Place
from genesys_provider.sources.topics import topic_fault
from genesys_provider.sources.vocabulary import (
    ACTIVATING,
    ACTIVE,
    DELETED,
    ENABLED,
    ERROR,
    as_compared,
    wanted_status,
)

if TYPE_CHECKING:
    from typing_extensions import Self

INTEGRATION_TYPE = "amazon-eventbridge-source"
"""[G]"""
FIRST_VERSION = 1
"""The version of a configuration that nobody has written yet [G]."""


class SourceConfig(ApiModel):
    """The whole configuration of a source, validated against every rule of the contract.

    Raises:
        pydantic.ValidationError: Holds all faults; `faults_of` turns them into property paths and reasons.
    """

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), Printable]
    aws_account_id: AwsAccountId
    aws_region: AwsRegion
    event_source_suffix: EventSourceSuffix
    topics: Annotated[list[str], Field(min_length=1)]
    notes: str | None = None
    enabled: StrictBool = True
    owner: Annotated[str, matching(r"urn:pulumi:[\s\S]+", "must be the URN of a resource")] | None = None
    """The owner mark: a line of the notes in the API, but never part of `notes`."""

    @field_validator("topics", mode="before")
    @classmethod
    def _templates_once_each(cls, topics: Any) -> Any:
        if not isinstance(topics, list | tuple):
            return topics
        first: dict[str, int] = {}
        errors = []
        for index, topic in enumerate(topics):
            if not isinstance(topic, str):
                errors.append(line_error("must be text", index))
            elif fault := topic_fault(topic):
                errors.append(line_error(fault, index))
            elif first.setdefault(topic, index) != index:
                errors.append(line_error(f"must not be there twice: it is topics[{first[topic]}] too", index))
        if errors:
            raise ValidationError.from_exception_data("topics", errors, hide_input=True)
        return topics

    @field_validator("notes")
    @classmethod
    def _without_a_mark(cls, notes: str | None) -> str | None:
        if has_mark(notes or ""):
            raise PydanticCustomError(
                "mark",
                "must not contain a line that begins with `Pulumi: urn:`, which names the source's owner",
            )
        return notes

    @model_validator(mode="after")
    def _small_enough(self) -> Self:
        parts = {"name": self.name, "topics": self.topics, "notes": self.notes, "owner": self.owner}
        if fault := too_large("source", self.payload(), parts):
            raise ValidationError.from_exception_data("SourceConfig", [fault], hide_input=True)
        return self

    @property
    def visible(self) -> VisibleSource:
        """The part of a PUT that the API returns."""
        return VisibleSource.of(self)

    @property
    def place(self) -> Place:
        """The identity of the event source, which no two sources may share."""
        return Place(self.aws_account_id, self.aws_region, self.event_source_suffix)

    @property
    def wanted_status(self) -> str:
        """The status that the source should reach."""
        return wanted_status(enabled=self.enabled)

    def payload(self, version: int = FIRST_VERSION) -> dict[str, Any]:
        """The complete body of the PUT of a configuration: all six fields [G].

        Args:
            version: The version of the configuration that is replaced.
        """
        return {
            "name": self.name,
            "version": version,
            "properties": {
                "awsAccountId": self.aws_account_id,
                "awsAccountRegion": self.aws_region,
                "eventSourceSuffix": self.event_source_suffix,
                "eventFilter": list(self.topics),
            },
            "advanced": {},
            "notes": with_mark(self.notes, self.owner),
            "credentials": {},
        }


class Source(BaseModel):
    """A source as the API returns it, parsed leniently.

    If Genesys Cloud relaxes a rule one day, existing sources must stay readable.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kind: ClassVar[str] = "source"
    """What messages call it."""

    id: NonEmpty
    type: str = ""
    """The id of its integration type; empty if the response does not have it."""
    name: str = ""
    notes: str | None = None
    """The user's notes, without the owner mark; None if there are none."""
    owner: str | None = None
    aws_account_id: str = ""
    aws_region: str = ""
    event_source_suffix: str = ""
    topics: list[str] = []
    intended: str = ""
    """`intendedState` in capital letters."""
    status: str = ""
    """The code of `reportedState` in capital letters; empty if the response has none."""
    reason: str | None = None
    """The reason for this state, as the service gives it."""
    last_updated: str | None = None
    """When `status` last changed: the service's time, ISO 8601."""
    config_version: int | None = None
    """None if the response has no configuration."""
    written_at: str | None = None
    """When this process last wrote it: UTC, ISO 8601."""
    unknown: dict[str, Any] = Field(default={}, repr=False)
    """`properties` that the contract does not know. They are never shown, and updates preserve them."""
    advanced: dict[str, Any] = Field(default={}, repr=False)
    credentials: dict[str, Any] = Field(default={}, repr=False)

    @classmethod
    def read(cls, integration: Any, configuration: Any = None) -> Source:
        """Parses a source from an integration and its configuration.

        A value of another type than the contract's counts as absent.

        Args:
            integration: A response with an integration.
            configuration: A response with its configuration; by default the one inside the integration.

        Raises:
            pydantic.ValidationError: It is not an integration, since it has no id.
        """
        if not isinstance(integration, Mapping):
            return cls.model_validate(integration)
        if configuration is None:
            configuration = _mapping(_mapping(integration.get("config")).get("current"))
        configuration = _mapping(configuration)
        state = _mapping(integration.get("reportedState"))
        properties = {
            name: value
            for name, value in _mapping(configuration.get("properties")).items()
            if name not in _PROPERTIES or value is not None
        }
        topics = properties.get("eventFilter")
        notes, owner = notes_and_mark(configuration.get("notes", integration.get("notes")))
        return cls(
            id=_text(integration.get("id")),
            type=_text(_mapping(integration.get("integrationType")).get("id")),
            name=_text(integration.get("name")) or _text(configuration.get("name")),
            notes=notes,
            owner=owner,
            aws_account_id=_text(properties.get("awsAccountId")),
            aws_region=_text(properties.get("awsAccountRegion")),
            event_source_suffix=_text(properties.get("eventSourceSuffix")),
            topics=[each for each in topics if isinstance(each, str)] if isinstance(topics, list) else [],
            intended=_text(integration.get("intendedState")).strip().upper(),
            status=_text(state.get("code")).strip().upper(),
            reason=_text(_mapping(state.get("detail")).get("message")) or None,
            last_updated=_text(state.get("lastUpdated")) or None,
            config_version=_whole(configuration.get("version")),
            unknown={name: value for name, value in properties.items() if name not in _PROPERTIES},
            advanced=_mapping(configuration.get("advanced")),
            credentials=_mapping(configuration.get("credentials")),
        )

    @property
    def enabled(self) -> bool:
        """Whether it is meant to be active; if the response does not say so, its state decides."""
        return self.intended == ENABLED if self.intended else self.status in (ACTIVE, ACTIVATING, ERROR)

    @property
    def is_of_another_type(self) -> bool:
        """Whether it is an integration of another type; if the response has no type, it may be a source."""
        return self.type not in ("", INTEGRATION_TYPE)

    @property
    def deleted(self) -> bool:
        """Whether it is deleted and only still listed [C]."""
        return self.intended == DELETED

    @property
    def is_bare(self) -> bool:
        """Whether it is as a POST creates it: what remains of a run that dies before its PUT [C]."""
        configured = (
            self.aws_account_id,
            self.aws_region,
            self.event_source_suffix,
            self.topics,
            self.unknown,
        )
        return (
            self.config_version == FIRST_VERSION
            and not self.enabled
            and not any(configured)
            and self.owner is None
            and self.notes is None
        )

    @property
    def visible(self) -> VisibleSource:
        """The part of a PUT that the API returns."""
        return VisibleSource.of(self)

    @property
    def place(self) -> Place:
        """The identity of the event source, which no two sources may share."""
        return Place(self.aws_account_id, self.aws_region, self.event_source_suffix)

    def shows(self, left: Source) -> bool:
        """Whether this can be a read from after the write with this result, as far as it tells."""
        is_old = (
            self.config_version is not None
            and left.config_version is not None
            and self.config_version < left.config_version
        )
        return not is_old and self.intended in ("", left.intended)

    def put_body(self, config: SourceConfig) -> dict[str, Any]:
        """The body of a PUT with a new configuration, including the properties that only the service knows [C]."""
        body = config.payload(FIRST_VERSION if self.config_version is None else self.config_version)
        return {
            **body,
            "properties": {**self.unknown, **body["properties"]},
            "advanced": self.advanced,
            "credentials": self.credentials,
        }


_PROPERTIES = frozenset({"awsAccountId", "awsAccountRegion", "eventSourceSuffix", "eventFilter"})
"""The properties of this type [G]."""


class VisibleSource(NamedTuple):
    """A configuration in a form that can be compared: normalized."""

    name: str
    place: Place
    topics: frozenset[str]
    notes: str
    owner: str | None

    @classmethod
    def of(cls, configured: SourceConfig | Source) -> VisibleSource:
        """Topics are a set; the service may trim texts, and a web page may change their line endings."""
        return cls(
            configured.name.strip(),
            configured.place,
            frozenset(configured.topics),
            as_compared(configured.notes),
            configured.owner,
        )


def _mapping(value: Any) -> dict[str, Any]:
    return {str(name): item for name, item in value.items()} if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """A text, or a number as text; any other value counts as empty."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _whole(value: Any) -> int | None:
    """An integer, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return int(value) if isinstance(value, int) or value.isdecimal() else None
