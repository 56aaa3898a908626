"""What an import waits for, in one plain phrase."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tnimport.domain.life import Action

_LANES: Final = {
    "dashboard": "Dashboard calls",
    "numbers": "number imports",
    "applications": "applications",
    "lookups": "look-ups",
    "messages": "messages",
}


def in_words(wait: Mapping[str, Any]) -> str:
    """The phrase that follows «waits for»."""
    what = str(wait.get("what"))
    phrase = _PHRASES.get(what)
    return phrase(wait) if phrase else what.replace("_", " ")


def _lane(wait: Mapping[str, Any]) -> str:
    lane = str(wait.get("lane"))
    return _LANES.get(lane, lane.replace("_", " "))


def _order(wait: Mapping[str, Any]) -> str:
    name = wait.get("carrier_order_id")
    if name is None:
        return "Bandwidth to accept an order"
    return f"Bandwidth's order {name}" + (f" ({wait['status']})" if wait.get("status") else "")


def _calls(wait: Mapping[str, Any]) -> str:
    return "removals" if wait.get("action") == Action.REMOVE else "number imports"


def _pace(wait: Mapping[str, Any]) -> str:
    rate = wait.get("per_minute", 0)
    told = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"  # noqa: PLR2004 - below it a digit more says something
    return f"the pace of {_calls(wait)} ({told} a minute), {wait.get('left', 0):,} left"


def _under_way(wait: Mapping[str, Any]) -> str:
    return f"its {_calls(wait)}, {wait.get('left', 0):,} left"


def _verify(wait: Mapping[str, Any]) -> str:
    return f"messages that prove its numbers, {wait.get('left', 0):,} left"


_PHRASES: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "cancelling": lambda _: "what is under way to end, then it is cancelled",
    "held": lambda wait: f"a person: {wait.get('instruction') or wait.get('code')}",
    "paused": lambda _: "somebody to resume it",
    "rate_limit": lambda wait: f"Bandwidth's limit on {_lane(wait)}",
    "worker": lambda _: "a worker to pick up its work; is one running?",
    "application": lambda _: "its application to be found or created",
    "carrier_order": _order,
    "calls": _under_way,
    "pace": _pace,
    "verify": _verify,
}
