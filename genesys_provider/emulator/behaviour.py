"""How the service may differ from the contract's usual answers, in ways that clients must tolerate [C].

Nobody has seen the real service answer these calls, so the emulator can be made to differ from our expectations: it
can lag, or return fewer fields, more fields or another status. `--behaviour FILE` and `POST /emulator/behaviour`
set:

| key | values; the first is the default | effect |
|---|---|---|
| `readLagSeconds` | 0 to 3600 | GET, verify and lists show the state from that many seconds ago; writes don't lag |
| `deleteAnswer` | 204, 200, 202 | 200, the default of integrations, returns the object; 202 keeps it for 1 s more |
| `putAnswer` | `object`, `part`, `none` | part: `id`, and `status` or `version`; none: a 204; also for PATCH |
| `createAnswer` | 201, 200, 202 | the status of a create |
| `extraFields` | false, true | objects, except `headers`, have fields unknown to the contract (module `extras`) |
| `idStyle` | `uuid`, `number`, `opaque` | the form of new ids: digits; or with `/`, `+`, `%`, `?` and a space |
| `statusCase` | `upper`, `lower` | the letter case of all statuses and states |
| `listOrder` | `created`, `name`, `random` | the order of lists; a random order is the same for every page |
| `omit` | `[]`, or names | top-level keys that are left out of 2xx answers, such as `pageCount` |
| `normalise` | false, true | stores the host of `endpointUrl` in lower case, and strips white space from names |
| `oddEntries` | 0 to 1000 | adds this many unreadable targets and integrations of other owners (module `odd`) |
| `latencySeconds` | 0 to 600 | how long each request to the login and the API waits before it is served |
| `activationError` | null, or text | the reason why no integration becomes `ACTIVE` |
| `emptyNotes` | `empty`, `word` | how empty notes are returned; word: `node_dynamodb_empty_string` |
| `staleAnswer` | 409, 400 | the status of a PUT whose version is not the current one |
| `reactivates` | true, false | whether changed properties make an enabled integration `ACTIVATING` again |
| `softDelete` | false, true | DELETE keeps the integration, with `DELETED` as its intended state |
| `ignoreFilters` | false, true | the list of integrations ignores its filters |

Keys that are left out have their defaults. A request with the header `Emulator-As-Usual` is served with the default
behaviour, so that a test can act as somebody else, and see the actual state.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from genesys_provider.emulator.errors import broken_rules

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_LAG = 3600
"""How far back reads can look, in seconds."""

AS_USUAL = "Emulator-As-Usual"
"""The header of a request to which no behaviour applies."""

Name = Annotated[str, Field(min_length=1)]


class BehaviourError(Exception):
    """The behaviour file is not valid; the message names the wrong keys, and the reasons."""


class Behaviour(BaseModel):
    """The deviations from the usual answers; the module's docstring explains each key."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    read_lag_seconds: Annotated[float, Field(strict=True, ge=0, le=LONGEST_LAG)] = 0
    delete_answer: Literal[204, 200, 202] = 204
    put_answer: Literal["object", "part", "none"] = "object"
    create_answer: Literal[201, 200, 202] = 201
    extra_fields: Annotated[bool, Field(strict=True)] = False
    id_style: Literal["uuid", "number", "opaque"] = "uuid"
    status_case: Literal["upper", "lower"] = "upper"
    list_order: Literal["created", "name", "random"] = "created"
    omit: tuple[Name, ...] = ()
    normalise: Annotated[bool, Field(strict=True)] = False
    odd_entries: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0
    latency_seconds: Annotated[float, Field(strict=True, ge=0, le=600)] = 0
    activation_error: Name | None = None
    empty_notes: Literal["empty", "word"] = "empty"
    stale_answer: Literal[409, 400] = 409
    reactivates: Annotated[bool, Field(strict=True)] = True
    soft_delete: Annotated[bool, Field(strict=True)] = False
    ignore_filters: Annotated[bool, Field(strict=True)] = False

    def new_id(self) -> str:
        """The id of a new target or integration."""
        if self.id_style == "number":
            return str(10**11 + secrets.randbelow(9 * 10**11))
        return str(uuid4()) if self.id_style == "uuid" else f"t/{secrets.token_hex(4)}+a %2F?b=ü"

    def stored(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a POST or PUT as the service stores it, valid or not."""
        if not self.normalise:
            return body
        given = {key: body[key] for key in ("name", "endpointUrl") if isinstance(body.get(key), str)}
        return {
            **body,
            **({"name": given["name"].strip()} if "name" in given else {}),
            **({"endpointUrl": _with_lower_host(given["endpointUrl"])} if "endpointUrl" in given else {}),
        }

    def ordered(self, listed: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Sorts ids and names, given oldest first, into the order of lists."""
        if self.list_order == "created":
            return listed
        if self.list_order == "name":
            return sorted(listed, key=lambda each: str(each[1] or ""))
        return sorted(listed, key=lambda each: hashlib.sha256(each[0].encode()).digest())

    def cased(self, status: str) -> str:
        """A status in the letter case of answers."""
        return status.lower() if self.status_case == "lower" else status


def _with_lower_host(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    return f"{scheme}{separator}{user}{at}{host.lower()}{rest[len(user + at + host) :]}"


USUAL = Behaviour()


class Behaving:
    """The current behaviour of one emulator.

    Args:
        from_the_start: The behaviour at the start and after each reset.
    """

    def __init__(self, from_the_start: Behaviour) -> None:
        self._from_the_start = from_the_start
        self.now = from_the_start

    def reset(self) -> None:
        """Return to the behaviour of the start."""
        self.now = self._from_the_start


def read_behaviour(file: Path) -> Behaviour:
    """The behaviour in a JSON file.

    Raises:
        BehaviourError: The file can't be read, or is not valid.
    """
    try:
        return Behaviour.model_validate_json(file.read_bytes())
    except OSError as error:
        raise BehaviourError(f"The behaviour file {file} can't be read: {error.strerror}") from error
    except ValidationError as error:
        reasons = "; ".join(f"{each.property} {each.reason}".strip() for each in broken_rules(error))
        raise BehaviourError(f"The behaviour file {file} is not valid: {reasons}") from error
