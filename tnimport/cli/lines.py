"""Progress where nobody looks at a terminal: a line at each change of state and every 30 seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import click

from tnimport.cli import counts, phrases
from tnimport.cli.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tnimport.cli.follow import Sight

EVERY = 30.0


class Lines:
    """Prints progress as plain lines on standard error."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._said: tuple[str, bool] | None = None
        self._said_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def show(self, sight: Sight) -> None:
        """Print a line if there is something new to say."""
        self._meter.see(sight.at, counts.done(sight.view))
        now = (sight.view["state"], sight.trouble is not None)
        if now == self._said and sight.at - self._said_at < EVERY:
            return
        self._said, self._said_at = now, sight.at
        click.echo(f"{datetime.now(UTC).astimezone():%H:%M:%S} {line(sight, self._meter)}", err=True)


def line(sight: Sight, meter: Meter) -> str:
    """One line on where the import stands."""
    parts = [
        f"{sight.view['state']}: {phrases.share(sight.view)}",
        phrases.summary(sight.view),
        *_outlook(sight.view, meter),
    ]
    if sight.trouble:
        parts.append(f"the API is away ({sight.trouble}); still trying")
    return "; ".join(part for part in parts if part)


def _outlook(view: Mapping[str, Any], meter: Meter) -> list[str]:
    pace, left, waits = meter.per_second, phrases.time_left(view, meter), phrases.waiting(view)
    return [
        *([phrases.pace(pace)] if pace else []),
        *([left] if left else []),
        *([f"waits for: {waits}"] if waits else []),
    ]
