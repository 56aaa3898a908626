"""PostgreSQL, Redis over TCP, and two of each process that may run twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.conftest import Stack

TWICE = ("web", "worker", "dispatcher")


@pytest.fixture
def pair(make_stack: Callable[[Path, str], Stack], postgres_url: str, tmp_path: Path) -> Iterator[Stack]:
    """Two web processes, two workers, two dispatchers on one PostgreSQL and one Redis."""
    stack = make_stack(tmp_path, postgres_url)
    try:
        for name in ("redis", "sandbox"):
            stack.start(name)
        stack.migrate()
        for name in TWICE:
            stack.start(name)
            second = {"TNIMPORT_WEB_BIND": f"127.0.0.1:{stack.ports['web2']}"} if name == "web" else {}
            stack.start(f"{name}2", **second)
        for name in ("sandbox", *TWICE, *(f"{name}2" for name in TWICE)):
            stack.started(name)
        yield stack
    finally:
        stack.close()


def test_two_of_everything_import_each_number_once_and_go_on_when_one_of_each_is_killed(
    pair: Stack, numbers: Callable[..., list[str]]
) -> None:
    pair.sandbox.switch(latency=0.01)
    first, second = numbers(250, "0901", "0936"), numbers(150)
    ids = [pair.submit(first, client_ref="same"), pair.submit(second)]
    again = pair.http("POST", "/v1/imports", {"numbers": first, "client_ref": "same"}, web="web2")
    pair.reaches(ids[0], "imported", 50)
    for name in TWICE:
        pair.kill(name)
    pair.ports["web"] = pair.ports["web2"]
    assert pair.finished(ids[0])["counts"]["imported"] == 251
    assert pair.finished(ids[1])["counts"]["imported"] == 150
    assert again.get("id", ids[0]) == ids[0]
    for import_id in ids:
        pair.books(import_id)
    for name in TWICE:
        assert pair.stop(f"{name}2") == 0
