"""The checks of `doctor`: one function for each subject, which yields its findings and what to do."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

import click
import httpx

from genesys_provider.cli import details
from genesys_provider.cli.connection import Connection
from genesys_provider.cli.init import SCRIPT
from genesys_provider.cli.pulumi import PulumiError, nearest_project_file, pulumi
from genesys_provider.cli.stanza import PLUGIN, StanzaError, providers_of
from genesys_provider.client.answers import Call, read
from genesys_provider.client.api import INTEGRATIONS, MY_ORGANIZATION, TARGETS, TIMEOUT_SECONDS, TOPICS
from genesys_provider.client.errors import ConnectionFailed, GenesysError
from genesys_provider.client.login import Login
from genesys_provider.client.proxies import proxy_for
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import Answer, connections, exchange
from genesys_provider.client.trust import trust
from genesys_provider.client.urls import shown_url
from genesys_provider.sources.vocabulary import ERROR

if TYPE_CHECKING:
    from genesys_provider.targets.models import Target

OK, NOTE, WRONG = "ok", "note", "wrong"
SKEW_SECONDS = 60.0
"""How far this clock may be off. Tokens are renewed a minute early; gateways accept webhooks of five minutes."""
FEW_REQUESTS = 0.1
"""The remaining share of the rate limit below which there is a note."""
READS = {
    "organization": MY_ORGANIZATION,
    "targets": TARGETS,
    "integrations": INTEGRATIONS,
    "topics": TOPICS,
}
"""Calls that every command may need. Whether writes are allowed can only be found out by writing."""

PROBE_OPTIONS = {
    "BASIC": {"username": "--username"},
    "OAUTH2": {"clientId": "--client-id", "tokenUrl": "--token-url"},
    "JWT": {"clientId": "--client-id"},
}
"""The options of `probe` for each type of authentication, by the names of the API."""


class Finding(NamedTuple):
    """A finding about a subject; `hint` says what to do."""

    subject: str
    state: str
    said: str
    hint: str = ""


def here(connection: Connection) -> Iterator[Finding]:
    """Python, Pulumi, and the host in the project."""
    ours = importlib.metadata.version("genesys-eventbridge")
    yield Finding("Python", OK, f"{platform.python_version()}, genesys-eventbridge {ours}")
    file = nearest_project_file(connection.cwd)
    try:
        yield Finding("Pulumi", OK, pulumi("version", cwd=connection.cwd).strip())
    except PulumiError as error:
        state = NOTE if file is None and connection.stack is None else WRONG
        yield Finding("Pulumi", state, error.message)
    if file is None:
        yield Finding(
            "Host",
            NOTE,
            "there is no Pulumi project here",
            "Run it in a project's directory to check its host",
        )
        return
    folder = file.parent
    init = f"Run `genesys-eventbridge init {folder}` with the command from the project's environment"
    try:
        named = [each for each in providers_of(file.read_bytes().decode()) if each.name == PLUGIN]
    except (OSError, UnicodeDecodeError, StanzaError) as error:
        yield Finding("Host", WRONG, f"{file}: {error}", init)
        return
    if not named:
        yield Finding(
            "Host",
            WRONG,
            f"{file} names no host, so Pulumi's stock one serves",
            init,
        )
    elif not (folder / named[0].path / SCRIPT).is_file():
        yield Finding("Host", WRONG, f"{folder / named[0].path} has no {SCRIPT}", init)
    else:
        yield Finding("Host", OK, f"{file} names {named[0].path}")


def network(settings: Settings) -> Iterator[Finding]:
    """Certificates and proxy."""
    trust(settings.ca_file)
    more = f", and those of {settings.ca_file}" if settings.ca_file else ""
    yield Finding("CAs", OK, f"the system's{more}")
    proxy = proxy_for(httpx.URL(settings.api_url))
    yield Finding("Proxy", OK, str(proxy) if proxy else f"none for {settings.api_url}")


def service(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Login, clock, organization, permissions, rate limit.

    Raises:
        ConnectionFailed: There was no answer. The next request would only wait for one as long.
    """
    with connections(settings.ca_file, seconds=TIMEOUT_SECONDS, most=1) as http:
        token = Login(settings, http, threading.Event()).token()
        yield Finding("Login", OK, f"{settings.login_url} knows the client {settings.client_id}")

        last: Answer | None = None
        for subject, path in READS.items():
            call = Call("GET", path)
            answer, refusal = _asked(http, call, settings, token)
            if refusal is not None:
                # A service that does not tell its organization still works.
                state = NOTE if path == MY_ORGANIZATION else WRONG
                yield Finding(f"GET {subject}", state, *connection.parts(refusal))
                continue
            last = answer
            named = (answer.json_object() or {}).get("name") if answer and path == MY_ORGANIZATION else None
            yield Finding(f"GET {subject}", OK, f"allowed: {named}" if named else "allowed")
        if last is not None:
            yield from _clock(last)
            yield from _rate_limit(last)


def _asked(
    http: httpx.Client, call: Call, settings: Settings, token: str
) -> tuple[Answer | None, GenesysError | None]:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = exchange(http, call.method, settings.api_url + call.path, what=str(call), headers=headers)
        read(call, answer, settings)
    except ConnectionFailed:
        raise
    except GenesysError as error:
        return None, error
    return answer, None


def _clock(answer: Answer) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        yield Finding("Clock", NOTE, "the service does not tell its time")
        return
    skew = time.time() - there
    if abs(skew) > SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        yield Finding(
            "Clock",
            WRONG,
            f"the clock here is {abs(skew):.0f} s {side} Genesys Cloud's",
            "Synchronize it by NTP: gateways refuse webhooks whose time is minutes off",
        )
    else:
        yield Finding("Clock", OK, f"within {max(1, round(abs(skew)))} s of Genesys Cloud's")


def _rate_limit(answer: Answer) -> Iterator[Finding]:
    try:
        allowed = int(answer.headers["inin-ratelimit-allowed"])
        left = allowed - int(answer.headers["inin-ratelimit-count"])
    except (KeyError, ValueError):
        yield Finding("Rate limit", NOTE, "the service does not tell it")
        return
    few = left < allowed * FEW_REQUESTS
    hint = "Find out what else uses this OAuth client; each `up` waits for the next minute" if few else ""
    yield Finding(
        "Rate limit", NOTE if few else OK, f"{left} of {allowed} requests left in this minute", hint
    )


def endpoints(connection: Connection) -> Iterator[Finding]:
    """Targets that are not verified, and sources in error."""
    from genesys_provider.sources.manager import SourceManager
    from genesys_provider.targets.manager import TargetManager

    with connection.manager(TargetManager) as manager:
        found = list(manager.list())
        failed = [each for each in found if each.final and not each.verified]
        for each in sorted(failed, key=lambda target: target.name):
            reason = details.reason_of(manager, each)
            again = "run `pulumi up --refresh`" if each.owner else "save the target again to verify it again"
            yield Finding(
                "Target",
                WRONG,
                f"{each.name} is {each.status}" + (f": {reason}" if reason else ""),
                f"Try `{_probe(each, manager.settings)}`, fix the endpoint, then {again}",
            )
        if not failed:
            yield Finding("Targets", OK, f"{len(found)}, none failed")
        sources = SourceManager(manager.settings, beside=manager)
        try:
            listed = list(sources.list())
        except GenesysError:
            return  # reported above
        troubled = [each for each in listed if each.status == ERROR]
        for source in troubled:
            yield Finding(
                "Source",
                WRONG,
                f"{source.name} is {source.status}" + (f": {source.reason}" if source.reason else ""),
                "Check its AWS account, region and suffix, then run `pulumi up --refresh`",
            )
        if not troubled:
            yield Finding("Sources", OK, f"{len(listed)}, none in error")


def _probe(target: Target, settings: Settings) -> str:
    """The command that sends what the target's verification sends; it asks for the secret."""
    words = ["genesys-eventbridge", "probe", shown_url(target.endpoint_url)]
    for key, option in PROBE_OPTIONS.get(target.auth_type, {}).items():
        if key in target.auth_config:
            words += [option, target.auth_config[key]]
    if settings.ca_file:
        words += ["--ca-file", str(settings.ca_file)]
    return shlex.join(words)


def all_of(connection: Connection) -> Iterator[Finding]:
    """All checks, as far as possible: without a login or an answer, no further API call is tried."""
    yield from here(connection)
    try:
        settings = connection.settings
        origin = "the environment" if connection.stack is None else f"stack {connection.stack}"
        yield Finding("Settings", OK, f"{settings.api_url}, by {origin}")
        yield from network(settings)
        yield from service(connection, settings)
        yield from endpoints(connection)
    except GenesysError as error:
        yield Finding("Connection", WRONG, *connection.parts(error))
    except click.ClickException as error:
        yield Finding("Connection", WRONG, error.message)
