"""Looking at an import again and again until it ends, through outages of the API."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tnimport.cli.api import Answer, Api, Refusal, Unreachable
from tnimport.cli.exits import FINISHED, Exit
from tnimport.cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOOK_FIRST = 0.1
LOOK_EVERY = 1.0
LOOK_AT_MOST_EVERY = 10.0
PATIENCE = 300.0
SERVER_ERRORS = 500


@dataclass(frozen=True)
class Sight:
    """One look: the import as last seen, and since when (steady seconds) and why the API is away."""

    view: Mapping[str, Any]
    at: float
    trouble: str | None = None
    away_since: float | None = None


def view_path(import_id: str) -> str:
    """The address of an import."""
    from urllib.parse import quote  # noqa: PLC0415 - --help needs none of it

    return f"/v1/imports/{quote(import_id, safe='')}"


def follow(api: Api, import_id: str, *, patience: float, deadline: float | None) -> Iterator[Sight]:
    """Yield a Sight at every look; ends after the one in which the import has finished or is held.

    Raises Failure (still running) at `deadline`, a steady time, and Failure (our error) when the API has
    been away for `patience` seconds. The first look must succeed.
    """
    answer = api.get(view_path(import_id))
    sight = Sight(answer.view(), time.monotonic())
    yield sight
    pause = LOOK_FIRST
    while sight.view["state"] not in FINISHED | {"held"}:
        _wait(sight, deadline, answer.retry_after or pause)
        pause = min(2 * pause, LOOK_EVERY)
        answer, sight = _look(api, import_id, answer, sight)
        _give_up_when_too_long(sight, patience, api.address.url)
        yield sight


def _wait(sight: Sight, deadline: float | None, wish: float) -> None:
    pause = min(wish, LOOK_AT_MOST_EVERY)
    if sight.away_since is not None:
        pause = min(LOOK_EVERY + (sight.at - sight.away_since) / 4, LOOK_AT_MOST_EVERY)
    now = time.monotonic()
    if deadline is not None and now >= deadline:
        raise Failure(
            f"Still {sight.view['state']}; the wait ended and the import goes on.",
            Exit.STILL_RUNNING,
        )
    time.sleep(pause if deadline is None else min(pause, deadline - now))


def _look(api: Api, import_id: str, before: Answer, seen: Sight) -> tuple[Answer, Sight]:
    etag = before.headers.get("etag")
    try:
        answer = api.get(view_path(import_id), **({"if_none_match": etag} if etag else {}))
        if answer.status == 304:  # noqa: PLR2004 - Not Modified
            return before, Sight(seen.view, time.monotonic())
        return answer, Sight(answer.view(), time.monotonic())
    except Refusal as refusal:
        if refusal.status < SERVER_ERRORS and refusal.status != 429:  # noqa: PLR2004 - Too Many Requests passes
            raise
        return before, _away(seen, f"it answers HTTP {refusal.status}")
    except Unreachable as fault:
        return before, _away(seen, fault.reason)


def _away(seen: Sight, trouble: str) -> Sight:
    now = time.monotonic()
    return Sight(seen.view, now, trouble, seen.at if seen.away_since is None else seen.away_since)


def _give_up_when_too_long(sight: Sight, patience: float, url: str) -> None:
    if sight.away_since is not None and sight.at - sight.away_since > patience:
        raise Failure(
            f"No answer from {url} for {patience:.0f} s ({sight.trouble}). The import is not touched by that.",
            Exit.OUR_ERROR,
        )
