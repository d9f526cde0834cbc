"""The organization in which a command works, from the environment variables or a stack's config.

Any error is reported in one sentence with a hint, and exit code 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genesys_provider.cli.pulumi import stack_config
from genesys_provider.client.errors import ConfigurationError, GenesysError, MissingSetting
from genesys_provider.client.settings import ENVIRONMENT, Settings, with_config_keys

if TYPE_CHECKING:
    from genesys_provider.common.manager import Manager

    Kind = TypeVar("Kind", bound=Manager[Any, Any])

MAX_RETRIES = 1
"""How often a command tries again by default: less often than an `up`, since somebody waits for its answer."""


def connected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options for its connection, and the `connection` that results from them."""

    @wraps(command)
    def options(*, stack: str | None, cwd: Path | None, **rest: Any) -> Any:
        if cwd is not None and stack is None:
            raise click.UsageError("--cwd is the directory of the project of --stack: name the stack too.")
        return command(connection=Connection(stack, cwd or Path()), **rest)

    return stack_option(cwd_option(options))


stack_option = click.option(
    "--stack", metavar="NAME", help="Connect with this stack's genesys: config instead of the environment."
)
cwd_option = click.option(
    "--cwd",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The directory of the stack's project; by default the current one.",
)


@dataclass
class Connection:
    """An organization, reached through the environment or a stack's config."""

    stack: str | None = None
    cwd: Path = Path()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the connection.

        Raises:
            ConfigurationError: A setting is invalid.
            PulumiError: The stack's config can't be read.
        """
        config = {} if self.stack is None else stack_config(self.stack, self.cwd)
        settings = Settings.resolve(config)
        if config.get("maxRetries") or os.environ.get(ENVIRONMENT["maxRetries"]):
            return settings
        return replace(settings, max_retries=MAX_RETRIES)

    @contextmanager
    def manager(self, kind: type[Kind], *, audited: bool = False) -> Iterator[Kind]:
        """A manager; within the block, errors are reported to the user.

        Args:
            kind: Its class.
            audited: Whether its actions belong in the audit file. Commands that only read need none.
        """
        with self.reporting_errors():
            settings = self.settings if audited else replace(self.settings, audit_log=None)
            with kind(settings) as manager:
                yield manager

    @contextmanager
    def reporting_errors(self) -> Iterator[None]:
        """Within the block, an error ends the command with one sentence."""
        try:
            yield
        except GenesysError as error:
            raise click.ClickException(self.said(error)) from error

    def said(self, error: GenesysError) -> str:
        """The text of an error, with environment variables or config keys according to the connection."""
        message, hint = self.parts(error)
        return error.saying(message, hint)

    def parts(self, error: GenesysError) -> tuple[str, str]:
        """What happened, and what to do about it, in the same words as `said`."""
        return self._in_words(error.message), self._in_words(self._hint(error))

    def _hint(self, error: GenesysError) -> str:
        if isinstance(error, MissingSetting):
            key = with_config_keys(error.variable)
            if self.stack is None:
                return f"Set it, or name a stack that has {key}: --stack NAME"
            return f"Run `pulumi config set {key} … --stack {self.stack}` (with --secret for a secret)"
        return "Correct it" if error.hint == ConfigurationError.hint else error.hint

    def _in_words(self, text: str) -> str:
        if self.stack is not None:
            text = with_config_keys(text)
        settings: Settings | None = self.__dict__.get("settings")
        return text if settings is None else settings.in_its_words(text)
