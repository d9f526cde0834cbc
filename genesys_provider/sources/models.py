"""The integration `amazon-eventbridge-source`: what a user writes, what the API answers, the rules of the fields.

`SourceConfig` is what a user writes and a PUT carries; `Source` is what the API answers, in an integration and its
configuration. Python names are snake_case, Pulumi's camelCase; both are accepted. The API's names of two properties
are others: `awsAccountRegion` and `eventFilter`.

The source of each rule: [G] something public says it, [C] our completion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    AfterValidator,
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
from genesys_provider.common.fields import MAX_NAME_CHARACTERS, ApiModel, NonEmpty, Printable
from genesys_provider.common.ownership import mark_as_text, mark_from_text
from genesys_provider.sources.topics import topic_fault
from genesys_provider.sources.vocabulary import (
    ACTIVATING,
    ACTIVE,
    DELETED,
    ENABLED,
    ERROR,
    as_compared,
    wanted_status,
    with_plain_ends,
)

if TYPE_CHECKING:
    from typing_extensions import Self

INTEGRATION_TYPE = "amazon-eventbridge-source"
"""[G]"""
FIRST_VERSION = 1
"""The version of a configuration that nobody has written yet [G]."""

PARTNER_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Where AWS has partner event sources, by an older copy of its guide [G]: there may be more by now."""

_NO_NOTES = "node_dynamodb_empty_string"
"""How notes that are empty can read [G]."""
_MARK = re.compile(r"Pulumi: (?P<mark>urn:pulumi:\S+(::\S+){3})")
"""The line of the notes that says whose a source is [C]: what has less than four parts is no URN any more."""
_LONGEST_SUFFIX = 64


def _matching(pattern: str, form: str) -> AfterValidator:
    """The rule that a text has this form, and nothing around it."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("form", form)
        return text

    return AfterValidator(check)


AwsAccountId = Annotated[
    str, _matching(r"[0-9]{12}", "must be 12 digits, as text, so that leading zeros are kept")
]
AwsRegion = Annotated[
    str, _matching(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "must be a region of AWS, such as us-east-1")
]
EventSourceSuffix = Annotated[
    str,
    _matching(
        rf"[A-Za-z0-9._-]{{1,{_LONGEST_SUFFIX}}}",
        f"must be 1 to {_LONGEST_SUFFIX} letters, digits, dots, hyphens and underscores",
    ),
]


class SourceConfig(ApiModel):
    """The whole configuration of a source, checked against every rule of the contract.

    Raises:
        pydantic.ValidationError: All faults at once; `faults_of` turns them into property paths and reasons.
    """

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), Printable]
    aws_account_id: AwsAccountId
    aws_region: AwsRegion
    event_source_suffix: EventSourceSuffix
    topics: Annotated[list[str], Field(min_length=1)]
    notes: str | None = None
    enabled: StrictBool = True
    owner: Annotated[str, _matching(r"urn:pulumi:[\s\S]+", "must be the URN of a resource")] | None = None
    """The owner mark: in the API a line of the notes, never among `notes`."""

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
        lines = with_plain_ends(notes or "").split("\n")
        if any(_MARK.fullmatch(line.strip()) for line in lines):
            raise PydanticCustomError(
                "mark", "must hold no line that begins with «Pulumi: urn:»: it says whose the source is"
            )
        return notes

    @model_validator(mode="after")
    def _small_enough(self) -> Self:
        parts = {"name": self.name, "topics": self.topics, "notes": self.notes, "owner": self.owner}
        if fault := too_large("source", self.payload(), parts):
            raise ValidationError.from_exception_data("SourceConfig", [fault], hide_input=True)
        return self

    @property
    def visible(self) -> Visible:
        """What a PUT writes, as far as the API will show it."""
        return Visible.of(self)

    @property
    def place(self) -> Place:
        """Where the event source is, which no two sources may share."""
        return Place(self.aws_account_id, self.aws_region, self.event_source_suffix)

    @property
    def wanted_status(self) -> str:
        """What the source will be once all is well."""
        return wanted_status(enabled=self.enabled)

    def payload(self, version: int = FIRST_VERSION) -> dict[str, Any]:
        """The body of the PUT of a configuration, whole: all six of its fields [G].

        Args:
            version: That of the configuration that is replaced.
        """
        mark = None if self.owner is None else f"Pulumi: {mark_as_text(self.owner)}"
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
            "notes": "\n".join(each for each in (self.notes, mark) if each),
            "credentials": {},
        }


class Source(BaseModel):
    """A source as the API answers it: lenient in what it holds.

    A rule that Genesys Cloud relaxes one day must not make an existing source unreadable.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kind: ClassVar[str] = "source"
    """What messages call it."""

    id: NonEmpty
    type: str = ""
    """The id of its integration type; empty where the answer does not say it."""
    name: str = ""
    notes: str | None = None
    """The user's, without the owner mark; None where there are none."""
    owner: str | None = None
    aws_account_id: str = ""
    aws_region: str = ""
    event_source_suffix: str = ""
    topics: list[str] = Field(default_factory=list)
    intended: str = ""
    """`intendedState` in capital letters."""
    status: str = ""
    """The code of `reportedState` in capital letters; empty where the answer has none."""
    reason: str | None = None
    """Why it is in this state, in the service's words."""
    last_updated: str | None = None
    """When `status` changed last: the service's time, ISO 8601."""
    config_version: int | None = None
    """None where the answer has no configuration."""
    written_at: str | None = None
    """When this process wrote it last: UTC, ISO 8601."""
    unknown: dict[str, Any] = Field(default_factory=dict, repr=False)
    """The `properties` that the contract does not know: shown nowhere, and carried on by an update."""
    advanced: dict[str, Any] = Field(default_factory=dict, repr=False)
    credentials: dict[str, Any] = Field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, integration: Any, configuration: Any = None) -> Source:
        """The source that an integration and its configuration are.

        What is not of the kind that the contract says is read as if it were not there.

        Args:
            integration: An answer with an integration.
            configuration: An answer with its configuration; else the one inside the integration.

        Raises:
            pydantic.ValidationError: It is none: it has no id.
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
        notes, owner = _notes_and_mark(configuration.get("notes", integration.get("notes")))
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
        """Whether it is meant to be active; where the answer does not say it, its state does."""
        return self.intended == ENABLED if self.intended else self.status in (ACTIVE, ACTIVATING, ERROR)

    @property
    def is_of_another_type(self) -> bool:
        """Whether it is an integration, but no source; one whose type the answer does not say may be one."""
        return self.type not in ("", INTEGRATION_TYPE)

    @property
    def deleted(self) -> bool:
        """Whether the service only still shows it [C]."""
        return self.intended == DELETED

    @property
    def is_bare(self) -> bool:
        """Whether it is as a POST makes it: what a run leaves that dies before its PUT [C]."""
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
    def visible(self) -> Visible:
        """What a PUT writes, as far as the API shows it."""
        return Visible.of(self)

    @property
    def place(self) -> Place:
        """Where the event source is, which no two sources may share."""
        return Place(self.aws_account_id, self.aws_region, self.event_source_suffix)

    def shows(self, left: Source) -> bool:
        """Whether a reading can be one from after the write that has left this, as far as it says so."""
        is_old = (
            self.config_version is not None
            and left.config_version is not None
            and self.config_version < left.config_version
        )
        return not is_old and self.intended in ("", left.intended)

    def carried_on(self, config: SourceConfig) -> dict[str, Any]:
        """The body of the PUT of a new configuration, with what only the service knows of this one [C]."""
        body = config.payload(FIRST_VERSION if self.config_version is None else self.config_version)
        return {
            **body,
            "properties": {**self.unknown, **body["properties"]},
            "advanced": self.advanced,
            "credentials": self.credentials,
        }


_PROPERTIES = frozenset({"awsAccountId", "awsAccountRegion", "eventSourceSuffix", "eventFilter"})
"""The properties of this type [G]."""


class Place(NamedTuple):
    """Where an event source is."""

    aws_account_id: str
    aws_region: str
    event_source_suffix: str


class Visible(NamedTuple):
    """A configuration as two of them are compared: what makes no difference is made alike."""

    name: str
    place: Place
    topics: frozenset[str]
    notes: str
    owner: str | None

    @classmethod
    def of(cls, configured: SourceConfig | Source) -> Visible:
        """Topics are a set; the service may trim a text, and a console end its lines in another way."""
        return cls(
            configured.name.strip(),
            configured.place,
            frozenset(configured.topics),
            as_compared(configured.notes),
            configured.owner,
        )


def region_warning(region: str) -> str | None:
    """What is to be said of a region of which it is not known that AWS has partner event sources there."""
    if region in PARTNER_REGIONS:
        return None
    return (
        f"whether AWS has partner event sources in {region} is not known here: if the source does not become "
        "active, choose another region, such as us-east-1"
    )


def _notes_and_mark(notes: Any) -> tuple[str | None, str | None]:
    """The user's notes and the owner mark. Whoever adds to the notes by hand may do so after the mark."""
    if not isinstance(notes, str) or notes == _NO_NOTES:
        return None, None
    owner, rest = None, []
    for line in with_plain_ends(notes).split("\n"):
        if found := _MARK.fullmatch(line.strip()):
            owner = mark_from_text(found["mark"])
        else:
            rest.append(line)
    return "\n".join(rest) or None, owner


def _mapping(value: Any) -> dict[str, Any]:
    return {str(name): item for name, item in value.items()} if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """A text, or a number as one; what else there is says nothing."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _whole(value: Any) -> int | None:
    """A whole number, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return int(value) if isinstance(value, int) or value.isdecimal() else None
