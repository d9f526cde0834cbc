"""Injected faults: what goes wrong between a client and the API, on demand.

A fault matches requests by method and path (a pattern, such as
`/api/v2/integrations/eventbridge/targets/*`; each may be left out) and holds for `times` requests, or until
`DELETE /emulator/faults`. Of several that match, the oldest acts. Any of them waits `seconds`: before all else,
or, with `"when": "after"`, after the request was served and before anything is answered. `GET /emulator/held`
shows the requests that wait, and `DELETE /emulator/held` lets them go on at once. What is done:

- `status`: answers `status` (with `headers`, and `body` instead of the usual error) and does nothing else.
- `delay`: nothing more; the request is served.
- `drop_before`: closes the connection without serving the request.
- `drop_after`: serves the request, then closes the connection without an answer.
- `malformed`: serves the request, then answers something that isn't JSON.
- `huge`: serves the request, then answers 32 MiB of JSON.
- `truncate`: serves the request, then sends half of the answer's body and closes the connection. An answer
  without a body is dropped.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from genesys_provider.emulator.held import When

Action = Literal["status", "drop_before", "drop_after", "delay", "malformed", "huge", "truncate"]
_NOT_SERVED = ("status", "drop_before")


class Match(BaseModel):
    """Which requests a fault is for."""

    model_config = ConfigDict(extra="forbid")

    method: str | None = None
    path: str | None = None

    def matches(self, method: str, path: str) -> bool:
        """Whether the fault is for such a request."""
        return (self.method is None or self.method.upper() == method) and (
            self.path is None or fnmatchcase(path, self.path)
        )


class Fault(BaseModel):
    """One thing that goes wrong.

    Attributes:
        when: Whether it waits before the request is served or after it.
        times: For how many more requests it holds; none is without end.
        body: A string is sent as it is, anything else as JSON.
    """

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    match: Match = Field(default_factory=Match)
    action: Action
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: Annotated[float, Field(ge=0)] = 0
    when: When = "before"
    times: Annotated[int, Field(ge=1)] | None = None
    body: Any = None

    @model_validator(mode="after")
    def _status_of_a_status(self) -> Fault:
        if self.action == "status" and self.status is None:
            raise ValueError("the action status needs a status")
        return self

    @model_validator(mode="after")
    def _after_serving(self) -> Fault:
        if self.when == "after" and self.action in _NOT_SERVED:
            raise ValueError(f"the action {self.action} serves no request to wait after")
        return self


class Faults:
    """The faults that wait for their requests."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """From now on, this goes wrong too."""
        self._faults.append(fault)

    def all(self) -> list[Fault]:
        """The faults that still wait, oldest first."""
        return list(self._faults)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, which thereby has one request fewer to go."""
        for fault in self._faults:
            if fault.match.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None
