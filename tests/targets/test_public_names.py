"""The public names of the package, and what a program that only declares does not load."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import genesys_provider

PUBLIC = [
    "BasicAuth",
    "EventBridgeSource",
    "EventBridgeTarget",
    "GatewaySync",
    "GenesysError",
    "GenesysProvider",
    "JwtAuth",
    "NameTaken",
    "OAuth2Auth",
    "RetryPolicy",
    "Settings",
    "SourceConfig",
    "SourceManager",
    "TargetConfig",
    "TargetManager",
]


def test_the_public_names() -> None:
    assert genesys_provider.__all__ == PUBLIC
    assert sorted(genesys_provider._HOMES) == PUBLIC
    for name in PUBLIC:
        assert getattr(genesys_provider, name).__name__ == name
    with pytest.raises(AttributeError, match="Unknown"):
        genesys_provider.Unknown  # noqa: B018


def test_help_shows_no_value_of_the_environment_and_no_words_of_the_sdk() -> None:
    """A default such as `os.environ` would be shown with all its values, and `__init__` inherits docstrings."""
    script = (
        "import pydoc, genesys_provider as g; "
        "print(*(pydoc.plain(pydoc.render_doc(getattr(g, name))) for name in g.__all__))"
    )
    env = {**os.environ, "GENESYSCLOUD_OAUTHCLIENT_SECRET": "canary-7f3a"}
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env
    )
    assert "canary-7f3a" not in shown.stdout
    assert "CRUD" not in shown.stdout


LOADS = """
import sys
import genesys_provider
from genesys_provider import EventBridgeSource, EventBridgeTarget, GatewaySync
from genesys_provider import BasicAuth, OAuth2Auth, JwtAuth, RetryPolicy
import genesys_provider.resources.source, genesys_provider.resources.target
print(sorted({"httpx", "pydantic", "starlette", "uvicorn", "click"} & sys.modules.keys()))
"""


def test_a_declaring_program_loads_no_http_and_no_models() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_a_manager_loads_no_command_line_and_no_lock() -> None:
    """httpx would load rich and click, for a command of its own; only an audit file needs a lock."""
    script = (
        "import sys; from genesys_provider import SourceManager, TargetManager; "
        "print(sorted({'click', 'filelock', 'pygments', 'rich'} & sys.modules.keys()))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_a_script_loads_no_pulumi() -> None:
    script = "import sys; from genesys_provider import SourceManager, TargetManager; print('pulumi' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "False\n"
