"""Which organization a command works in: the environment variables say it, or a stack's config.

Whatever goes wrong is one sentence and what to do, and exit code 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genesys_provider.cli.pulumi import NAMESPACE, stack_config
from genesys_provider.client.errors import ConfigurationError, GenesysError, MissingSetting
from genesys_provider.client.settings import ENVIRONMENT, Settings

if TYPE_CHECKING:
    from genesys_provider.common.manager import Manager

    Kind = TypeVar("Kind", bound=Manager[Any, Any])

_VARIABLE = re.compile("|".join(ENVIRONMENT.values()))
_KEYS = {variable: NAMESPACE + key for key, variable in ENVIRONMENT.items()}


def connected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say where to, and `connection`, what they lead to."""

    @wraps(command)
    def options(*, stack: str | None, cwd: Path | None, **rest: Any) -> Any:
        if cwd is not None and stack is None:
            raise click.UsageError("--cwd is where the project of --stack is: name the stack too.")
        return command(connection=Connection(stack, cwd or Path()), **rest)

    return stack_option(cwd_option(options))


stack_option = click.option(
    "--stack", metavar="NAME", help="Connect as this stack's genesys: config says, not the environment."
)
cwd_option = click.option(
    "--cwd",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the stack's project; else the current one.",
)


@dataclass
class Connection:
    """An organization, by way of the environment or of a stack's config."""

    stack: str | None = None
    cwd: Path = Path()

    @cached_property
    def settings(self) -> Settings:
        """What leads there.

        Raises:
            ConfigurationError: A setting is wrong.
            PulumiError: The stack's config can't be read.
        """
        return Settings.resolve({} if self.stack is None else stack_config(self.stack, self.cwd))

    @contextmanager
    def manager(self, kind: type[Kind], *, audited: bool = False) -> Iterator[Kind]:
        """A manager; within it, errors are the user's.

        Args:
            kind: Its class.
            audited: Whether what it does belongs into the audit file. Who only reads needs none.
        """
        with self.told():
            settings = self.settings if audited else replace(self.settings, audit_log=None)
            with kind(settings) as manager:
                yield manager

    @contextmanager
    def told(self) -> Iterator[None]:
        """Within it, what goes wrong ends the command with a sentence."""
        try:
            yield
        except GenesysError as error:
            raise click.ClickException(self.said(error)) from error

    def said(self, error: GenesysError) -> str:
        """An error in the words of this connection: variables, or a stack's config keys."""
        message, hint = self.parts(error)
        return error.saying(message, hint)

    def parts(self, error: GenesysError) -> tuple[str, str]:
        """What happened, and what to do about it, in those words."""
        return self._in_words(error.message), self._in_words(self._hint(error))

    def _hint(self, error: GenesysError) -> str:
        if isinstance(error, MissingSetting):
            key = _KEYS[error.variable]
            if self.stack is None:
                return f"Set it, or name a stack that has {key}: --stack NAME"
            return f"Run `pulumi config set {key} … --stack {self.stack}` (with --secret for a secret)"
        return "Correct it" if error.hint == ConfigurationError.hint else error.hint

    def _in_words(self, text: str) -> str:
        if self.stack is not None:
            text = _VARIABLE.sub(lambda found: _KEYS[found[0]], text)
        settings: Settings | None = self.__dict__.get("settings")
        return text if settings is None else settings.in_its_words(text)
