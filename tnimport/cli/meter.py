"""Rate and remaining time from what was seen so far."""

from collections import deque

WINDOW = 60.0


class Meter:
    """The pace of the last minute. Times are seconds of one steady clock, `done` a count of rows."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, now: float, done: int) -> None:
        """Take note of a count; the newest that is older than the window stays as the foot of the slope."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - WINDOW:  # noqa: PLR2004 - a slope needs two points
            self._seen.popleft()

    @property
    def per_second(self) -> float | None:
        """Rows a second, or None while there is nothing to tell it from."""
        if not self._seen:
            return None
        (first, low), (last, high) = self._seen[0], self._seen[-1]
        return (high - low) / (last - first) if last > first and high > low else None

    def seconds_left(self, rows: int) -> float | None:
        """Seconds until `rows` are done at this pace, or None."""
        pace = self.per_second
        return (rows - self._seen[-1][1]) / pace if pace else None
