"""How long `tnimport send --wait` waits, by a clock of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from tnimport.cli import sending
from tnimport.cli.exits import Exit
from tnimport.cli.failure import Failure

if TYPE_CHECKING:
    from tnimport.cli.api import Api


@dataclass
class Played:
    """An API that shows a message which stays as it is, and the time that passes while it is looked at."""

    view: dict[str, Any]
    now: float = 0.0

    def get(self, _path: str) -> Played:
        return self

    def json(self) -> dict[str, Any]:
        return self.view

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 10 * sending.RECEIPT_SECONDS, "it waits for ever"


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    api = Played({"id": "msg_1", "state": "sent", "receipt_requested": "all", "delivery_state": None})
    monkeypatch.setattr(time, "monotonic", lambda: api.now)
    monkeypatch.setattr(time, "sleep", api.sleep)
    return api


def wait(api: Played, timeout: float | None = None) -> Failure:
    with pytest.raises(Failure) as over:
        sending._to_its_end(cast("Api", api), api.view, 5.0, timeout)
    return over.value


@pytest.mark.parametrize("timeout", [None, 30.0])
def test_a_receipt_that_never_comes_is_waited_for_so_long(
    played: Played, capsys: pytest.CaptureFixture[str], timeout: float | None
) -> None:
    over = wait(played, timeout)
    assert over.exit_code is Exit.STILL_RUNNING
    assert "no receipt has come" in over.message
    most = timeout or sending.RECEIPT_SECONDS
    assert most <= played.now < most + 5
    assert capsys.readouterr().err.count("waits for the receipt") == 1


def test_a_message_that_is_not_sent_yet_is_waited_for_as_long_as_its_caller_says(played: Played) -> None:
    played.view |= {"state": "queued", "description": "The account is at fault."}
    assert "Still queued" in wait(played, 2 * sending.RECEIPT_SECONDS).message
    assert played.now >= 2 * sending.RECEIPT_SECONDS
