"""Fields that the contract does not know, for the behaviour `extraFields`.

Some the service sets and anybody may change: of these the emulator keeps exactly what a PUT carries, so what an
update leaves out is lost, and a later GET shows that. The others are the service's own: a PUT of them changes
nothing, and one of them is different at each look.
"""

from __future__ import annotations

from typing import Any

from genesys_provider.emulator.events import timestamp

Extras = dict[str, dict[str, Any]]
"""Fields by the object that they are in: `TOP` is the target itself."""

TOP, AUTH, RETRY = "", "authConfig", "retryPolicy"

_KNOWN = {
    TOP: {
        *("id", "name", "endpointUrl", "authType", "authConfig", "retryPolicy", "headers", "eventTypes"),
        *("status", "selfUri"),
    },
    AUTH: {"username", "password", "clientId", "clientSecret", "tokenUrl"},
    RETRY: {"maxRetries", "backoffStrategy", "initialDelaySeconds"},
}
_SET_BY_THE_SERVICE: Extras = {
    TOP: {"division": {"id": "7d2c4f0e-0000-4000-8000-000000000001", "name": "Home"}, "labels": ["new"]},
    AUTH: {"credentialSource": "INLINE"},
    RETRY: {"jitter": 0.25, "deadLetter": {"enabled": False, "after": None}},
}
_OWN = {TOP: {"version", "lastAccessed", "createdBy"}, AUTH: {"lastRotated"}, RETRY: {"effectiveDelays"}}

OF_A_PAGE = {"firstUri": "/", "facets": [], "took": {"milliseconds": 1}}
OF_A_VERIFICATION = {"attempts": [{"number": 1}], "nextAttempt": None}
OF_A_HEALTH_CHECK = {"took": {"milliseconds": 1}, "region": None}


def taken_apart(body: dict[str, Any]) -> tuple[dict[str, Any], Extras]:
    """The body of a POST or PUT without the fields that the contract does not know, and these."""
    extras: Extras = {}
    known = body
    for level, names in _KNOWN.items():
        part = body.get(level) if level else body
        if not isinstance(part, dict):
            continue
        extras[level] = {
            name: value for name, value in part.items() if name not in names and name not in _OWN[level]
        }
        part = {name: value for name, value in part.items() if name in names}
        known = {**known, level: part} if level else part
    return known, extras


def completed(sent: Extras) -> Extras:
    """The fields of a new target: what was sent, and what the service sets itself."""
    return {level: {**fields, **sent.get(level, {})} for level, fields in _SET_BY_THE_SERVICE.items()}


def with_extras(view: dict[str, Any], extras: Extras | None, version: int) -> dict[str, Any]:
    """The target's view with them; `extras` is None where it never was written with any."""
    kept = completed({}) if extras is None else extras
    own: Extras = {
        TOP: {"version": version, "lastAccessed": timestamp(), "createdBy": {"id": None, "selfUri": "/me"}},
        AUTH: {"lastRotated": None},
        RETRY: {"effectiveDelays": [view[RETRY]["initialDelaySeconds"]]},
    }
    deeper = {level: {**kept.get(level, {}), **own[level], **view[level]} for level in (AUTH, RETRY)}
    return {**kept.get(TOP, {}), **own[TOP], **view, **deeper}
