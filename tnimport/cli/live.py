"""Progress on a terminal: a bar, counts, pace, what it waits for and the top causes of failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tnimport.cli import counts, phrases
from tnimport.cli.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from rich.console import RenderableType

    from tnimport.cli.causes import Cause
    from tnimport.cli.follow import Sight
    from tnimport.cli.topcauses import TopCauses

_STYLES = {"failed": "red", "unaccounted": "red", "rejected": "red", "verified": "green", "imported": "green"}


class Screen:
    """Draws each sight over the last one on standard error and leaves the terminal clean."""

    def __init__(self, causes: TopCauses) -> None:
        console = Console(stderr=True)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._meter = Meter()
        self._causes = causes

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, sight: Sight) -> None:
        """Draw this sight."""
        self._meter.see(sight.at, counts.done(sight.view))
        causes = self._causes.at(sight)
        self._live.update(Group(*_drawn(sight, self._meter, causes)), refresh=True)


def _drawn(sight: Sight, meter: Meter, causes: Sequence[Cause]) -> Iterator[RenderableType]:
    view = sight.view
    yield Text.assemble(("import ", "dim"), str(view["id"]), "  ", (str(view["state"]), "bold"))
    yield _bar(view, meter)
    yield _buckets(view)
    waits = phrases.waiting(view)
    if waits:
        yield Text(f"waits for: {waits}", style="yellow")
    for cause in causes:
        yield Text.assemble((cause.headline, "red"), f"\n    fix: {cause.fix}" if cause.fix else "")
    if sight.trouble and sight.away_since is not None:
        away = phrases.duration(sight.at - sight.away_since)
        yield Text(f"the API is away for {away} now ({sight.trouble}); still trying", style="yellow")
    yield Text("Ctrl-C stops watching, not the import", style="dim")


def _bar(view: Mapping[str, Any], meter: Meter) -> Table:
    row = Table.grid(padding=(0, 2))
    pace, left = meter.per_second, phrases.time_left(view, meter)
    bar = ProgressBar(total=max(1, counts.rows(view)), completed=counts.done(view), width=30)
    row.add_row(bar, phrases.share(view), phrases.pace(pace) if pace else "", left or "")
    return row


def _buckets(view: Mapping[str, Any]) -> Text:
    text = Text()
    for name, count in counts.filled(view):
        text.append(f"{name} {count:,}  ", style=_STYLES.get(name, ""))
    return text
