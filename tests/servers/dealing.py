"""How a run deals tests out to its processes: those that share a stack stay together, and long ones come first.

xdist's own groups (`--dist=loadgroup`) are written into an attribute of the tests that pytest 9.2 does not read.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/system/", "tests/docs/")  # each has a stack that lives for the session: it starts once in a run
LONG = ("tests/torture/", "tests/workers/", "tests/deploy/")  # dealt early, so that none is the last one alone


class Dealing(LoadScopeScheduling):
    """Test by test, but a folder with a stack of its own as one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """Deal in this way unless another one was asked for (`--dist`)."""
    return Dealing(config, log) if config.getoption("dist") == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Among the shuffled tests, those that start processes come first."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
