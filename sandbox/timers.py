"""What the carrier does later: one place, so that a reset can call all of it off."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Timers:
    """Runs things later on the loop it is used in; `clear` calls off whatever has not begun or not ended."""

    def __init__(self) -> None:
        self._handles: set[asyncio.Handle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, seconds: float, action: Callable[..., None], *args: object) -> None:
        """Call `action(*args)` after `seconds`; at 0, before the next request is read."""

        def run() -> None:
            self._handles.discard(handle)
            action(*args)

        loop = asyncio.get_running_loop()
        handle = loop.call_later(seconds, run) if seconds > 0 else loop.call_soon(run)
        self._handles.add(handle)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def clear(self) -> None:
        """Call off everything."""
        for handle in self._handles:
            handle.cancel()
        for task in self._tasks:
            task.cancel()
        self._handles.clear()
