"""Injected faults: failures between a client and the API, on demand.

A fault matches requests by method and path (a pattern, such as
`/api/v2/integrations/eventbridge/targets/*`); both are optional. It applies to `times` requests, or until
`DELETE /emulator/faults`. If several faults match, the oldest applies. A fault first holds the request for
`seconds`, or, with `"when": "after"`, holds the answer after the request was served. `GET /emulator/held`
shows the requests that are being held, and `DELETE /emulator/held` releases them. The actions:

- `status`: answers `status` (with `headers`, and `body` instead of the usual error) and does nothing else.
- `delay`: serves the request normally after the wait.
- `drop_before`: closes the connection without serving the request.
- `drop_after`: serves the request, then closes the connection without an answer.
- `malformed`: serves the request, then answers with something that isn't JSON.
- `huge`: serves the request, then answers with 32 MiB of JSON.
- `truncate`: serves the request, then sends half of the answer's body and closes the connection; without a
  body, the whole answer is dropped.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from genesys_provider.emulator.held import When

Action = Literal["status", "drop_before", "drop_after", "delay", "malformed", "huge", "truncate"]
_HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
_HeaderValue = Annotated[str, Field(pattern="^[\\t\\x20-\\x7e\\x80-\\xff]*$")]
_NOT_SERVED = ("status", "drop_before")


class Match(BaseModel):
    """The requests to which a fault applies."""

    model_config = ConfigDict(extra="forbid")

    method: str | None = None
    path: str | None = None

    def matches(self, method: str, path: str) -> bool:
        """Whether the fault applies to such a request."""
        return (self.method is None or self.method.upper() == method) and (
            self.path is None or fnmatchcase(path, self.path)
        )


class InjectedFault(BaseModel):
    """One fault.

    Attributes:
        when: Whether it waits before or after the request is served.
        times: The number of further requests to which it applies; None means no limit.
        body: A string is sent as it is, anything else as JSON.
    """

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    match: Match = Field(default_factory=Match)
    action: Action
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    headers: dict[_HeaderName, _HeaderValue] = Field(default_factory=dict)
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    when: When = "before"
    times: Annotated[int, Field(ge=1)] | None = None
    body: Any = None

    @model_validator(mode="after")
    def _status_of_a_status(self) -> InjectedFault:
        if self.action == "status" and self.status is None:
            raise ValueError("the action status needs a status")
        return self

    @model_validator(mode="after")
    def _after_serving(self) -> InjectedFault:
        if self.when == "after" and self.action in _NOT_SERVED:
            raise ValueError(f"the action {self.action} serves no request to wait after")
        return self


class Faults:
    """The pending faults."""

    def __init__(self) -> None:
        self._faults: list[InjectedFault] = []

    def add(self, fault: InjectedFault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def all(self) -> list[InjectedFault]:
        """The pending faults, oldest first."""
        return list(self._faults)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def take(self, method: str, path: str) -> InjectedFault | None:
        """The fault that applies to this request, which counts towards its `times`."""
        for fault in self._faults:
            if fault.match.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None
