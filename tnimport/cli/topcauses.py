"""The most frequent reasons while the import still runs, read again only as often as that is cheap."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tnimport.cli.api import Refusal, Unreachable
from tnimport.cli.causes import Cause, gather, rows_not_working
from tnimport.cli.counts import NOT_WORKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tnimport.cli.api import Api
    from tnimport.cli.follow import Sight

SHOWN = 3
REST_AT_LEAST = 2.0
REST_PER_READ = 20.0


class TopCauses:
    """Keeps the top causes of one import; a read that took a second earns twenty of rest."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._causes: Sequence[Cause] = ()
        self._known = 0
        self._rest_until = 0.0

    def at(self, sight: Sight) -> Sequence[Cause]:
        """The top causes as of this sight, or as last read."""
        failing = _failing(sight.view["counts"])
        if failing != self._known and sight.trouble is None and time.monotonic() >= self._rest_until:
            self._read(str(sight.view["id"]), failing)
        return self._causes[:SHOWN]

    def _read(self, import_id: str, failing: int) -> None:
        began = time.monotonic()
        try:
            self._causes = gather(rows_not_working(self._api, import_id))
            self._known = failing
        except (Refusal, Unreachable):
            pass  # the next look at the import tells whether the API is away
        took = time.monotonic() - began
        self._rest_until = began + took + max(REST_AT_LEAST, REST_PER_READ * took)


def _failing(counts: Mapping[str, int]) -> int:
    return sum(counts.get(state, 0) for state in NOT_WORKING)
