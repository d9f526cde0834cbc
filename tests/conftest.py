"""Fixtures that several folders share."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.support.cloud import Cloud
from tests.support.declared import Declared
from tests.support.engine import Stack
from tests.support.keys import key_service
from tests.support.thoroughness import COUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine import StackMaker
    from tests.support.keys import Keys


SETTINGS = {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}
"""The variables that change what commands print."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option for the long run; it is here since pytest needs options before it collects tests."""
    parser.addoption("--torture", action="store_true", help="run tests/torture at full length")


def pytest_configure() -> None:
    """Frees the tests from the settings of the machine and of the shell that runs them."""
    for name in tuple(os.environ):
        if name in SETTINGS or name.startswith("GENESYSCLOUD_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    # Commands react to Ctrl-C, even if a shell has started pytest in the background, where it is ignored.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects tests that only belong to the long run."""
    if not config.getoption("--torture"):
        left_out = [each for each in items if each.get_closest_marker("full_length")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [each for each in items if each not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Passes the counts of a worker process to the main one."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counted"] = {name: dict(counts) for name, counts in COUNTED.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Adds the counts of a worker process."""
    for name, counts in getattr(node, "workeroutput", {}).get("counted", {}).items():
        COUNTED[name].update(counts)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trusts a single CA instead of the system's 140, which cost each HTTP client 0.04 s of CPU.

    Tests of the system's CAs remove the variable.
    """
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("SSL_CERT_DIR", raising=False)
        environment.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session")
def keys() -> Iterator[Keys]:
    """The service that keeps the keys of all stacks."""
    with key_service() as keys:
        yield keys


@pytest.fixture
def make_stack(tmp_path: Path, keys: Keys) -> StackMaker:
    """Creates stacks in separate folders below the test's `tmp_path`."""
    made: list[Stack] = []

    def make(program: str, **options: Any) -> Stack:
        stack = Stack(tmp_path / f"stack{len(made)}", program, keys=keys, **options)
        made.append(stack)
        return stack

    return make


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """An organization with fast verifications and no rate limit."""
    with Cloud(tmp_path) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def one_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One organization for all tests of a process, which `tests.support.shared_cloud.reset_cloud` resets."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def declared(cloud: Cloud, make_stack: StackMaker) -> Declared:
    """Writes programs for the test's organization, and creates stacks from them."""
    return Declared(cloud, make_stack)
