"""Callbacks wait for the ledger in a room of a known size, in which nobody stays who has given up."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tnimport.domain.accounts import Account
from tnimport.domain.inbound import MessageEvent
from tnimport.ledger.messaging.inbound import Call
from tnimport.web.carrier import callback_store
from tnimport.web.carrier.callback_store import CallbackStore, NoRoomError

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENT = MessageEvent(
    message_id="m-1", kind="message", event_type="sms", sender="+12065550100", recipient="+12065550101"
)


def test_those_who_find_no_room_are_turned_away_and_those_who_gave_up_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callback_store, "ROOM", 3)
    open_again, stored = Event(), []

    def store(calls: Sequence[Call]) -> list[bool]:
        assert open_again.wait(20)
        stored.extend(calls)
        return [True] * len(calls)

    async def day() -> None:
        storing = CallbackStore(store)
        under_way = await posted(storing)
        waiting = [await posted(storing) for _ in range(3)]
        with pytest.raises(NoRoomError):
            await storing.post(call())
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
        waiting.append(await posted(storing))
        open_again.set()
        assert await asyncio.gather(under_way, *waiting[1:]) == [True] * 4

    try:
        asyncio.run(day())
    finally:
        open_again.set()
    assert len(stored) == 4


async def posted(storing: CallbackStore) -> asyncio.Task[bool]:
    """One that waits, or is on its way to the ledger."""
    task = asyncio.create_task(storing.post(call()))
    await asyncio.sleep(0)  # it posts
    await asyncio.sleep(0)  # the writer takes what there is
    return task


def call() -> Call:
    return Call(Account(name="default", account_id="1"), EVENT)
