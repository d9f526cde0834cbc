"""The API's target objects and the rules of their fields.

`TargetConfig` is what a user writes and a POST or PUT sends; `Target` is what the API returns. Python names are
snake_case, those of the API and Pulumi camelCase. Both are accepted; `payload()` writes the API's.

The source of each rule is given in the field table of the API contract: [S] the guide to EventBridge targets,
[G] the public conventions of Genesys Cloud, [C] our completion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from genesys_provider.client.naming import camel, snake
from genesys_provider.client.redaction import OWNER_HEADER, SECRET_FIELDS
from genesys_provider.client.urls import checked_url, folded_url
from genesys_provider.common.faults import line_error, reason, too_large
from genesys_provider.common.fields import (
    MAX_NAME_CHARACTERS,
    ApiModel,
    NonEmpty,
    Printable,
    WholeNumber,
)
from genesys_provider.common.ownership import mark_as_text, mark_from_text
from genesys_provider.targets.headers import header_faults
from genesys_provider.targets.vocabulary import (
    FINAL_STATUSES,
    NEEDED_AUTH_FIELDS,
    SHOWN_AUTH_FIELDS,
    VERIFIED,
)

if TYPE_CHECKING:
    from typing_extensions import Self

AuthType = Literal["NONE", "BASIC", "OAUTH2", "JWT"]
BackoffStrategy = Literal["EXPONENTIAL", "LINEAR"]


def _token_url(url: str) -> str:
    return checked_url(url, loopback_http=True)


HttpsUrl = Annotated[str, AfterValidator(checked_url)]
TokenUrl = Annotated[str, AfterValidator(_token_url)]
NonEmptySecret = Annotated[SecretStr, Field(min_length=1)]


class AuthConfig(ApiModel):
    """How Genesys Cloud authenticates at the endpoint; `authType` decides which fields are needed."""

    username: NonEmpty | None = None
    password: NonEmptySecret | None = None
    client_id: NonEmpty | None = None
    client_secret: NonEmptySecret | None = None
    token_url: TokenUrl | None = None

    def payload(self) -> dict[str, str]:
        """The fields that are set, by their API names, with **secrets in plain text**: only for a request body."""
        fields: dict[str, str] = {}
        for name, value in self.model_dump(by_alias=True, exclude_none=True).items():
            fields[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
        return fields


class RetryPolicyConfig(ApiModel):
    """How an event that could not be delivered is retried."""

    max_retries: Annotated[WholeNumber, Field(ge=0, le=10)] = 5
    backoff_strategy: BackoffStrategy = "EXPONENTIAL"
    initial_delay_seconds: Annotated[WholeNumber, Field(ge=1, le=30)] = 2


_RETRY_FIELDS = {camel(field): field for field in RetryPolicyConfig.model_fields}


def _line_errors(error: ValidationError) -> list[InitErrorDetails]:
    return [
        line_error(reason(fault["type"], fault["msg"]), *fault["loc"])
        for fault in error.errors(include_url=False, include_input=False)
    ]


class TargetConfig(ApiModel):
    """The whole configuration of a target, validated against every rule of the contract.

    Raises:
        pydantic.ValidationError: Holds all faults; `faults_of` turns them into property paths and reasons.
    """

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), Printable]
    endpoint_url: HttpsUrl
    auth_type: AuthType = "NONE"
    # After auth_type, since its validator depends on it.
    auth_config: AuthConfig = Field(default_factory=AuthConfig)
    retry_policy: RetryPolicyConfig = Field(default_factory=RetryPolicyConfig)
    headers: dict[str, str] = Field(default={}, repr=False)
    event_types: Annotated[list[Annotated[NonEmpty, Printable]], Field(min_length=1)]
    owner: str | None = None
    """The owner mark, the URN of a resource: a header on the wire, but never among `headers`."""

    @model_validator(mode="before")
    @classmethod
    def _owner_out_of_headers(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not isinstance(headers := data.get("headers"), Mapping):
            return data
        marks = [name for name in headers if isinstance(name, str) and name.lower() == OWNER_HEADER.lower()]
        if not marks:
            return data
        rest = {name: value for name, value in headers.items() if name not in marks}
        return {"owner": _unquoted(headers[marks[0]]), **data, "headers": rest}

    @model_validator(mode="before")
    @classmethod
    def _auth_config_given(cls, data: Any) -> Any:
        # So that its validator runs too; and faults of a default would have Python's name in their path.
        if not isinstance(data, Mapping) or {"authConfig", "auth_config"} & data.keys():
            return data
        return {**data, "authConfig": {}}

    @field_validator("auth_config", mode="wrap")
    @classmethod
    def _what_auth_type_needs(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> AuthConfig:
        errors: list[InitErrorDetails] = []
        checked: AuthConfig | None = None
        given: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        try:
            checked = handler(value)
        except ValidationError as error:
            errors = _line_errors(error)
        else:
            given = checked.payload()
        auth_type = info.data.get("auth_type", "")
        for name in NEEDED_AUTH_FIELDS.get(auth_type, ()) if checked or given else ():
            if given.get(name) is None and given.get(snake(name)) is None:
                errors.append(line_error(f"is required when authType is {auth_type}", name))
        if checked is None or errors:
            raise ValidationError.from_exception_data("AuthConfig", errors, hide_input=True)
        return checked

    @field_validator("headers", mode="before")
    @classmethod
    def _allowed_headers(cls, headers: Any, info: ValidationInfo) -> Any:
        if not isinstance(headers, Mapping):
            return headers
        errors = [
            line_error(reason, name) for name, reason in header_faults(headers, info.data.get("auth_type"))
        ]
        if errors:
            raise ValidationError.from_exception_data("headers", errors, hide_input=True)
        return headers

    @model_validator(mode="after")
    def _small_enough(self) -> Self:
        body = self.payload()
        parts = {**body, "headers": self.headers, "owner": self.owner}
        if fault := too_large("target", body, parts):
            raise ValidationError.from_exception_data("TargetConfig", [fault], hide_input=True)
        return self

    @property
    def visible(self) -> VisibleTarget:
        """The part of the configuration that the API returns."""
        return VisibleTarget.of(
            self.name,
            self.endpoint_url,
            self.auth_type,
            self.auth_config.payload(),
            self.retry_policy.model_dump(by_alias=True),
            self.headers,
            self.event_types,
            self.owner,
        )

    def payload(self) -> dict[str, Any]:
        """The complete body of a POST or PUT, with **secrets in plain text**; nothing is left to defaults [S]."""
        headers = dict(self.headers)
        if self.owner is not None:
            headers[OWNER_HEADER] = mark_as_text(self.owner)
        return {
            "name": self.name,
            "endpointUrl": self.endpoint_url,
            "authType": self.auth_type,
            "authConfig": self.auth_config.payload(),
            "retryPolicy": self.retry_policy.model_dump(by_alias=True),
            "headers": headers,
            "eventTypes": list(dict.fromkeys(self.event_types)),
        }


class Target(BaseModel):
    """A target as the API returns it: never with secrets, and parsed leniently.

    If Genesys Cloud relaxes a rule one day, existing targets must stay readable.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    kind: ClassVar[str] = "target"
    """What users call it."""

    id: NonEmpty
    name: str
    endpoint_url: str
    auth_type: str = "NONE"
    auth_config: dict[str, str] = {}
    """`username`, `clientId` and `tokenUrl` if they are set [C]."""
    retry_policy: dict[str, Any] = {}
    headers: dict[str, str] = Field(default={}, repr=False)
    """Without the owner mark, which is `owner`."""
    event_types: list[str] = []
    status: str = ""
    """In capital letters; empty if the response has none, which counts as pending."""
    self_uri: str = ""
    owner: str | None = None
    written_at: str | None = None
    """When this process last wrote it: UTC, ISO 8601."""
    unknown: dict[str, Any] = Field(default={}, repr=False)
    """Fields that the contract does not know, including those inside `authConfig` and `retryPolicy`. They are never
    shown, and updates preserve them."""

    @classmethod
    def read(cls, answer: Any) -> Target:
        """Parses a target from a response.

        Raises:
            pydantic.ValidationError: It is not a target; `faults_of` names the fields.
        """
        if not isinstance(answer, Mapping):
            return cls.model_validate(answer)
        # Genesys Cloud may send null for an absent value.
        present = {str(name): value for name, value in answer.items() if value is not None}
        fields: dict[str, Any] = {
            field: present.pop(name) for name, field in _ANSWERED.items() if name in present
        }
        unknown: dict[str, Any] = present
        for name, field, known in (
            ("authConfig", "auth_config", SHOWN_AUTH_FIELDS + SECRET_FIELDS),
            ("retryPolicy", "retry_policy", tuple(_RETRY_FIELDS)),
        ):
            if isinstance(inner := fields.get(field), Mapping):
                fields[field] = {
                    key: inner[key]
                    for key in known
                    if inner.get(key) is not None and key not in SECRET_FIELDS
                }
                if rest := {key: value for key, value in inner.items() if key not in known}:
                    unknown[name] = rest
        if isinstance(headers := fields.get("headers"), Mapping):
            marks = [key for key in headers if str(key).lower() == OWNER_HEADER.lower()]
            fields["headers"] = {
                key: value for key, value in headers.items() if value is not None and key not in marks
            }
            if marks:
                fields["owner"] = _unquoted(headers[marks[0]])
        for field in ("status", "auth_type"):
            fields |= _constant(fields, field)
        if isinstance(policy := fields.get("retry_policy"), Mapping):
            numbers = {key: int(value) for key, value in policy.items() if str(value).isdecimal()}
            fields["retry_policy"] = {**policy, **numbers, **_constant(policy, "backoffStrategy")}
        return cls.model_validate({**fields, "unknown": unknown})

    @property
    def verified(self) -> bool:
        """Whether the target receives events."""
        return self.status == VERIFIED

    @property
    def final(self) -> bool:
        """Whether its verification has a verdict, which is final."""
        return self.status in FINAL_STATUSES

    @property
    def visible(self) -> VisibleTarget:
        """The part of the configuration that the API returns."""
        return VisibleTarget.of(
            self.name,
            self.endpoint_url,
            self.auth_type,
            self.auth_config,
            self.retry_policy,
            self.headers,
            self.event_types,
            self.owner,
        )

    def put_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a PUT, which replaces everything [C]: it includes the fields that only the service knows."""
        merged = {**self.unknown, **body}
        for name in ("authConfig", "retryPolicy"):
            # Fields of another kind of authentication are dropped with it.
            if name in self.unknown and (name != "authConfig" or body["authType"] == self.auth_type):
                merged[name] = {**self.unknown[name], **body[name]}
        return merged


def _constant(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    """The field with a constant of the API, which the service may write in lowercase."""
    value = fields.get(name)
    return {name: value.strip().upper()} if isinstance(value, str) else {}


_ANSWERED = {
    camel(field): field for field in Target.model_fields if field not in ("owner", "written_at", "unknown")
}


class VisibleTarget(NamedTuple):
    """A configuration in a form that can be compared: without secrets, and normalized."""

    name: str
    endpoint_url: str
    auth_type: str
    auth_config: dict[str, str]
    retry_policy: dict[str, Any]
    headers: dict[str, str]
    event_types: frozenset[str]
    owner: str | None

    def same_as(self, other: VisibleTarget) -> bool:
        """Whether both are the same as far as the service tells.

        It may not return the fields of an authentication, as it does not return secrets [C].
        """
        if self.auth_type != other.auth_type:
            return False
        told = self.auth_config.keys() & other.auth_config.keys()
        untold = set(NEEDED_AUTH_FIELDS.get(self.auth_type, ())) - told
        mine, others = (
            {name: value for name, value in each.auth_config.items() if name not in untold}
            for each in (self, other)
        )
        return self._replace(auth_config=mine) == other._replace(auth_config=others)

    @classmethod
    def of(
        cls,
        name: str,
        endpoint_url: str,
        auth_type: str,
        auth_config: Mapping[str, str],
        retry_policy: Mapping[str, Any],
        headers: Mapping[str, str],
        event_types: Iterable[str],
        owner: str | None,
    ) -> VisibleTarget:
        """Event types are a set; the names of headers and hosts are not case-sensitive."""
        return cls(
            name.strip(),
            folded_url(endpoint_url),
            auth_type,
            {
                key: folded_url(value) if key == "tokenUrl" else value
                for key, value in auth_config.items()
                if key in SHOWN_AUTH_FIELDS
            },
            dict(retry_policy),
            {key.lower(): value for key, value in headers.items()},
            frozenset(event_types),
            owner,
        )


def _unquoted(mark: object) -> object:
    return mark_from_text(mark) if isinstance(mark, str) else mark
