"""Fixtures for other projects: put `pytest_plugins = ["sandbox.pytest_plugin"]` into the outermost conftest.py."""

from collections.abc import Iterator
from typing import Final

import pytest

from sandbox.switches import Switches
from sandbox.testing import RunningSandbox, running_sandbox

_QUICK: Final[dict[str, bool | int]] = {"rate_limits": False, "order_delay": 0, "message_delay": 0}


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[RunningSandbox]:
    """One sandbox for the whole session, without rate limits and with orders that end at once."""
    with running_sandbox(None, **_QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: RunningSandbox) -> RunningSandbox:
    """The session's sandbox, empty and with its switches as at the start of the session."""
    sandbox_server.switch(**(Switches().as_json() | _QUICK))
    sandbox_server.reset()
    return sandbox_server
