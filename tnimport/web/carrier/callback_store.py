"""Stores callbacks before they are answered, those that come at the same time in one transaction.

A commit costs the same for one row and for a hundred: while one is under way, the next ones gather. So a callback
waits for two commits at most, however many come. Those that a ledger is too slow for are counted and turned away:
the carrier has another address for them.
"""

from asyncio import Future, Task, get_running_loop
from collections.abc import Callable, Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool

from tnimport.ledger.messaging.inbound import Call

MOST: Final = 100  # of one transaction, which others wait for on SQLite
ROOM: Final = 1_000  # that wait, beside those of the transaction under way
_Waiting = tuple[Call, "Future[bool]"]


class NoRoomError(Exception):
    """More wait than can be stored in time."""


class CallbackStore:
    """One for each process; used from its event loop only."""

    def __init__(self, store: Callable[[Sequence[Call]], list[bool]]) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._writer: Task[None] | None = None

    async def post(self, call: Call) -> bool:
        """Return when it is stored: whether it was new. Raises what the ledger raised; then it may not be stored.

        Raises:
            NoRoomError: too many wait; it is not stored.
        """
        self._make_room()
        loop = get_running_loop()
        answer: Future[bool] = loop.create_future()
        self._waiting.append((call, answer))
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write())
        return await answer

    def _make_room(self) -> None:
        if len(self._waiting) >= ROOM:
            self._waiting = [one for one in self._waiting if not one[1].done()]  # whose callers gave up
        if len(self._waiting) >= ROOM:
            raise NoRoomError

    async def _write(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._put(some)

    async def _put(self, some: list[_Waiting]) -> None:
        some = [one for one in some if not one[1].done()]  # nobody waits any longer for those
        if not some:
            return
        try:
            new = await run_in_threadpool(self._store, [call for call, _ in some])
        except Exception as fault:  # noqa: BLE001 - each caller gets it, and answers for it
            await self._one_by_one(some, fault)
            return
        for (_, answer), is_new in zip(some, new, strict=True):
            if not answer.done():
                answer.set_result(is_new)

    async def _one_by_one(self, some: list[_Waiting], fault: Exception) -> None:
        """One that cannot be stored must not take the others with it."""
        if len(some) > 1:
            for one in some:
                await self._put([one])
        elif not some[0][1].done():
            some[0][1].set_exception(fault)
