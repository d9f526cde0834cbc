"""What all resources of a process share: the run, a manager for each configuration, and error reporting."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from genesys_provider.client.errors import GenesysError, Unauthorized
from genesys_provider.client.progress import reporting_to
from genesys_provider.client.redaction import hide, hide_secrets_of, shown
from genesys_provider.common.run import Claim, Run
from genesys_provider.common.urns import alias, quoted
from genesys_provider.host.operation import InitFailed, OperationError, current
from genesys_provider.resources import properties
from genesys_provider.resources.config import settings_of
from genesys_provider.resources.words import AFTER_A_ROTATION, said

if TYPE_CHECKING:
    from genesys_provider.client.settings import Settings
    from genesys_provider.common.manager import Manager

    Kind = TypeVar("Kind", bound=Manager[Any, Any])

run = Run()
"""What the engine has shown to this process."""

_lock = threading.Lock()
_managers: dict[Settings, dict[type[Manager[Any, Any]], Manager[Any, Any]]] = {}


@contextmanager
def speaking_of(*states: Mapping[str, Any]) -> Iterator[None]:
    """Wraps an operation of the engine: within the block, errors are redacted.

    Args:
        states: The resource's properties, old and new. Our host learns their secrets from the engine; the stock
            host only from the list that the program provides.
    """
    hide(*current().secrets)
    for state in states:
        hide_secrets_of(state)
        hide(*properties.secret_texts(state))
    with run.operation():
        try:
            yield
        except InitFailed:
            raise
        except GenesysError as error:
            raise OperationError(said(error)) from None
        except OperationError as error:
            raise OperationError(shown(str(error))) from None


@contextmanager
def managed(kind: type[Kind], config: Mapping[str, object], *states: Mapping[str, Any]) -> Iterator[Kind]:
    """The manager for a stack's config. Within the block, errors are for the user, and waits show as status lines.

    All resources of a kind share a manager, and so its wait for verdicts; all kinds share the login, the rate limit
    and the organization.

    Args:
        kind: The manager's class. Its module loads the HTTP client, which a check or diff does not need.
        config: The stack's config.
        states: As for `speaking_of`.
    """
    operation = current()
    with (
        speaking_of(*states),
        reporting_to(lambda message: operation.show_status(shown(message))),
    ):
        settings = settings_of(config)
        try:
            with settings.naming_sources():
                manager = _manager(kind, settings, operation.cancelled)
            operation.at_end(_advice)
            yield manager
        except GenesysError as error:
            raise OperationError(_explained(error, settings)) from None


def _explained(error: GenesysError, settings: Settings) -> str:
    text = said(error, settings)
    # Without the program, the engine configures providers from the state, but the environment is the current one.
    from_environment = "clientSecret" in settings.origins.names and not settings.origins.whose
    if isinstance(error, Unauthorized) and not run.has_program and not from_environment:
        return f"{text}. {AFTER_A_ROTATION}"
    return text


def warn(message: str) -> None:
    """Shows a redacted warning for the resource."""
    current().warn(shown(message))


def require_unawaited(what: str, id_: str, urn: str | None, claims: Iterable[Claim]) -> None:
    """Raises an error if an object that is to be deleted may belong to a new resource that was not created.

    After a failure the engine only deletes with `--continue-on-error`.

    Args:
        what: What messages call the object.
        id_: Its id.
        urn: Its resource, if it is known.
        claims: Its unique values.

    Raises:
        OperationError: It may.
    """
    if not urn or run.wanted_by(id_):
        return
    awaited = run.awaited(urn, claims)
    if awaited is not None:
        raise OperationError(
            f"{what} stays, since {awaited} was not created, which may be the same resource, moved or renamed. If "
            f"it is, add `{alias(urn)}` to it, and run `pulumi up` again. If not, first run "
            f"`pulumi destroy --target {quoted(urn)} --target-dependents`"
        )


def configured_api_url(config: Mapping[str, object]) -> str:
    """The URL of the API according to a stack's config or the environment; makes no request.

    Raises:
        OperationError: A setting is invalid.
    """
    try:
        return settings_of(config).api_url
    except GenesysError as error:
        raise OperationError(said(error)) from None


def _advice() -> str | None:
    """How this run could have been faster, if it could.

    Each explicit provider has a process of its own, which knows nothing of the targets of the others.
    """
    with _lock:
        allowances = [each.allowance for beside in _managers.values() for each in beside.values()]
        provider = next((settings.origins.whose for settings in _managers), "")
    advice = run.parallelism.advice(
        least_seconds=max((each.least_seconds for each in allowances), default=0.0)
    )
    if advice is None or not provider:
        return advice
    return f"{advice}. These are the figures{provider} alone: add up those of all providers"


def _manager(kind: type[Kind], settings: Settings, cancelled: threading.Event) -> Kind:
    with _lock:
        beside = _managers.setdefault(settings, {})
        if kind not in beside:
            first = next(iter(beside.values()), None)
            beside[kind] = kind(settings, cancelled=cancelled, run=run, beside=first)
        return cast("Kind", beside[kind])
