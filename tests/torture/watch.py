"""Looks at the claims all the time, in a thread of its own, whatever the one that breaks things waits for."""

import threading
import time

from tests.torture.stand import Stand

EVERY = 0.1
_FIRST = "SELECT min(until) AS first FROM work WHERE state IN ('sent', 'running')"


class Lateness:
    """For how long claims outlived their time while somebody could have taken them back.

    Time counts from when a dispatcher began to serve: what happened before is no fault of it.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._serves_since: float | None = None

    def seen(self, now: float, first: float | None, *, serving: bool) -> None:
        """One look: when the first claim ends (none where nobody has one), and whether anybody serves."""
        if not serving:
            self._serves_since = None
            return
        if self._serves_since is None:
            self._serves_since = now
        if first is not None:
            self.longest = max(self.longest, now - max(first, self._serves_since))


class Watch:
    """Samples from `begin` to `end`."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self.lateness = Lateness()

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            found = self._stand.ask(_FIRST)  # nothing where the ledger is away
            first = found[0]["first"] if found else None
            self.lateness.seen(time.time(), first, serving=bool(found) and self._stand.serving())
