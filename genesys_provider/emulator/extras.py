"""Fields unknown to the contract, for the behaviour `extraFields`.

Some of them have a default from the service, and clients may change them: the emulator keeps exactly what a PUT
contains, so that a field left out of an update is lost, which a later GET shows. The others are read-only: a PUT
does not change them, and one of them differs at each read.
"""

from __future__ import annotations

from typing import Any

from genesys_provider.emulator.contract import fields
from genesys_provider.emulator.events import timestamp

Extras = dict[str, dict[str, Any]]
"""Fields by the object that contains them: `TOP` is the target itself."""

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
    """The fields in the body of a POST or PUT that are neither known to the contract nor read-only."""
    objects = {TOP: body, AUTH: body[AUTH], RETRY: body[RETRY]}
    return {
        level: {name: value for name, value in given.items() if name not in _KNOWN[level] | _OWN[level]}
        for level, given in objects.items()
    }


def completed(sent: Extras) -> Extras:
    """The extra fields of a new target: those that were sent, and the defaults of the service."""
    return {level: {**fields, **sent.get(level, {})} for level, fields in _SET_BY_THE_SERVICE.items()}


def with_extras(view: dict[str, Any], extras: Extras | None, version: int) -> dict[str, Any]:
    """Adds extra fields to the target's view; `extras` is None if it was never written with any."""
    kept = completed({}) if extras is None else extras
    own: Extras = {
        TOP: {"version": version, "lastAccessed": timestamp(), "createdBy": {"id": None, "selfUri": "/me"}},
        AUTH: {"lastRotated": None},
        RETRY: {"effectiveDelays": [view[RETRY]["initialDelaySeconds"]]},
    }
    deeper = {level: {**kept.get(level, {}), **own[level], **view[level]} for level in (AUTH, RETRY)}
    return {**kept.get(TOP, {}), **own[TOP], **view, **deeper}
