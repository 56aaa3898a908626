"""What the carrier does later: one place, so that a reset can call all of it off."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Timers:
    """Runs things later on the loop it is used in; `clear` calls off whatever has not begun or not ended."""

    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, seconds: float, action: Callable[..., None], *args: object) -> None:
        """Call `action(*args)` after `seconds`."""

        def run() -> None:
            self._handles.discard(handle)
            action(*args)

        handle = asyncio.get_running_loop().call_later(max(0.0, seconds), run)
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
