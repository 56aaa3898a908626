"""docs/webhooks.md, run as it stands: its receiver is told by a running stack, with real workers."""

import os
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from config.local import SANDBOX_WEBHOOKS
from tests.servers.receiver import Receiver, receiver

if TYPE_CHECKING:
    from tests.docs.conftest import Block, Service

DATA = {"from": "+12065550100", "text": "Is this thing on?"}


@pytest.fixture
def page(blocks: "list[Block]") -> "list[Block]":
    """The blocks of the page that are run."""
    return [block for block in blocks if block.page.name == "webhooks.md" and block.runnable]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """Where the page is told."""
    with receiver() as found:
        yield found


def test_an_import_is_told_and_checked_and_told_again_as_written(
    page: "list[Block]", service: "Service", hook: Receiver, tmp_path: Any
) -> None:
    imported, receiving, _, looked = page
    names: dict[str, Any] = {}
    exec(receiving.text, names)  # noqa: S102 - the page's own code
    assert SANDBOX_WEBHOOKS["WEBHOOK_SECRET"] == names["SECRET"]

    def run(block: "Block") -> str:
        environ = {**service.environ, "RECEIVER_URL": hook.url}
        bash = ["bash", "-euo", "pipefail", "-c", block.text]
        return subprocess.run(
            bash, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    run(imported)
    (told,) = hook.wait_for(1)
    worked: list[Any] = []
    assert names["receive"](told.headers, told.body, worked.append) == 204
    assert names["receive"](told.headers, told.body + b" ", worked.append) == 401
    (event,) = worked
    assert (event["type"], event["data"]["state"], event["data"]["counts"]["rows"]) == (
        "import.finished",
        "complete",
        2,
    )
    assert service.json(event["data"]["links"]["self"])["finished_at"] == event["data"]["finished_at"]
    shown = run(looked)
    assert told.headers["webhook-id"] in shown
    again = hook.wait_for(2)[1]
    assert names["receive"](again.headers, again.body, worked.append) == 204
    assert len(worked) == 1


def test_the_task_of_the_page_takes_what_is_handed_on(page: "list[Block]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(os.environ, "REDIS_URL", raising=False)
    names: dict[str, Any] = {}
    exec(page[2].text, names)  # noqa: S102 - the page's own code
    event = {"id": "whk_1", "type": "message.received", "timestamp": "2026-11-25T03:00:00.000Z", "data": DATA}
    done = names["app"].tasks["theirs.message"].apply(kwargs=event)
    assert done.get() == "message.received whk_1: 17 characters from +12065550100"
