"""How the service may differ from the contract's usual answers, as far as clients have to bear it [C].

Nobody has seen these calls in reality, so the emulator can be unlike what we expect: it may lag, answer less or
more, or with another status. `--behaviour FILE` and `POST /emulator/behaviour` say how:

| key | values; the first is the usual one | what it does |
|---|---|---|
| `readLagSeconds` | 0 to 3600 | GET of one, verify and lists show what was there then; writes don't lag |
| `deleteAnswer` | 204, 200, 202 | 200, usual for integrations, has the object; after 202 it is there for 1 s |
| `putAnswer` | `object`, `part`, `none` | a part is `id` and `status` or `version`; none is a 204; PATCH too |
| `createAnswer` | 201, 200, 202 | the status |
| `extraFields` | false, true | every object has fields more than the contract (module `extras`), not `headers` |
| `idStyle` | `uuid`, `number`, `opaque` | ids of what is new: digits; or with `/`, `+`, `%`, `?` and a space |
| `statusCase` | `upper`, `lower` | the letters of every status and state |
| `listOrder` | `created`, `name`, `random` | the order of lists; a random one is the same for every page |
| `omit` | `[]`, or names | top-level keys that answers of 2xx leave out, such as `pageCount` |
| `normalise` | false, true | the host of `endpointUrl` is stored in lower case, names without spaces around them |
| `oddEntries` | 0 to 1000 | so many targets and integrations of somebody else, hard to read (module `odd`) |
| `latencySeconds` | 0 to 600 | how long each request to login and API waits before it is served |
| `activationError` | null, or text | why no integration becomes `ACTIVE` |
| `emptyNotes` | `empty`, `word` | empty notes of an integration read `node_dynamodb_empty_string` |
| `staleAnswer` | 409, 400 | the status of a PUT whose version is not the present one |
| `reactivates` | true, false | whether other properties make an enabled integration `ACTIVATING` again |
| `softDelete` | false, true | a DELETE leaves the integration, with `DELETED` as its intended state |
| `ignoreFilters` | false, true | the list of integrations has all of them, whatever it is asked for |

What is left out is as usual. A request with the header `Emulator-As-Usual` is answered as usual: so a test does
what somebody does, and sees what there really is.
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
"""In seconds: how far back anybody can look."""

AS_USUAL = "Emulator-As-Usual"
"""The header of a request that no behaviour is for."""

Name = Annotated[str, Field(min_length=1)]


class BehaviourError(Exception):
    """A file holds no behaviour: the message says which keys are wrong, and why."""


class Behaviour(BaseModel):
    """What is unlike the usual; the module says what each key does."""

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
        """The body of a POST or PUT as the service takes it, whatever it holds."""
        if not self.normalise:
            return body
        given = {key: body[key] for key in ("name", "endpointUrl") if isinstance(body.get(key), str)}
        return {
            **body,
            **({"name": given["name"].strip()} if "name" in given else {}),
            **({"endpointUrl": _with_lower_host(given["endpointUrl"])} if "endpointUrl" in given else {}),
        }

    def ordered(self, listed: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Ids and names, the oldest first, in the order of lists."""
        if self.list_order == "created":
            return listed
        if self.list_order == "name":
            return sorted(listed, key=lambda each: str(each[1] or ""))
        return sorted(listed, key=lambda each: hashlib.sha256(each[0].encode()).digest())

    def cased(self, status: str) -> str:
        """A status in the letters of answers."""
        return status.lower() if self.status_case == "lower" else status


def _with_lower_host(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    return f"{scheme}{separator}{user}{at}{host.lower()}{rest[len(user + at + host) :]}"


USUAL = Behaviour()


class Behaving:
    """The behaviour of one emulator.

    Args:
        from_the_start: That of its start, and after each reset.
    """

    def __init__(self, from_the_start: Behaviour) -> None:
        self._from_the_start = from_the_start
        self.now = from_the_start

    def reset(self) -> None:
        """As at the start."""
        self.now = self._from_the_start


def read_behaviour(file: Path) -> Behaviour:
    """The behaviour in a JSON file.

    Raises:
        BehaviourError: The file can't be read, or holds something else.
    """
    try:
        return Behaviour.model_validate_json(file.read_bytes())
    except OSError as error:
        raise BehaviourError(f"The behaviour in {file} can't be read: {error.strerror}") from error
    except ValidationError as error:
        reasons = "; ".join(f"{each.property} {each.reason}".strip() for each in broken_rules(error))
        raise BehaviourError(f"The behaviour in {file} is not valid: {reasons}") from error
