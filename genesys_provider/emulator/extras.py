"""Fields that the contract does not know, for the behaviour `extraFields`.

Some the service sets and anybody may change: of these the emulator keeps exactly what a PUT carries, so what an
update leaves out is lost, and a later GET shows that. The others are the service's own: a PUT of them changes
nothing, and one of them is different at each look.
"""

from __future__ import annotations

from typing import Any

from genesys_provider.emulator.contract import fields
from genesys_provider.emulator.events import timestamp

Extras = dict[str, dict[str, Any]]
"""Fields by the object that they are in: `TOP` is the target itself."""

TOP, AUTH, RETRY = "", "authConfig", "retryPolicy"

_KNOWN = {
    TOP: {*fields("TargetBody"), "id", "status", "selfUri"},
    AUTH: {*fields("AuthConfig")},
    RETRY: {*fields("RetryPolicy")},
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


def unknown_fields(body: dict[str, Any]) -> Extras:
    """What the body of a POST or PUT holds that is neither the contract's nor the service's own."""
    objects = {TOP: body, AUTH: body[AUTH], RETRY: body[RETRY]}
    return {
        level: {name: value for name, value in given.items() if name not in _KNOWN[level] | _OWN[level]}
        for level, given in objects.items()
    }


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
