"""Chooses the messages that a list shows, and leads on by sort key."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final
from urllib.parse import parse_qsl

from sandbox.call import Call
from sandbox.catapult.paging import DEFAULT_SIZE, LARGEST_SIZE, link_to, whole_number
from sandbox.catapult.problems import invalid
from sandbox.catapult.state import Message

_KEYS: Final = {"sortKeyLT", "sortKeyGT"}
_LAST_KEY: Final = 10**17
_EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)


def page_of_messages(call: Call, messages: Sequence[Message]) -> tuple[list[Message], str]:
    """One page of the messages that pass the query, and the Link header: `first` always, `next` while there is more."""
    query = call.query()
    size = whole_number(query, "size", DEFAULT_SIZE, 1, LARGEST_SIZE)
    # Our choice: the reference says both "newest first" and "default asc"; sortKeyLT leads from new to old.
    ascending = query.get("sortOrder", "desc").lower() == "asc"
    passes = _filter(query)
    found = sorted(filter(passes, messages), key=attrgetter("sort_key"), reverse=not ascending)
    shown = found[:size]
    kept = [pair for pair in parse_qsl(call.request.query) if pair[0] not in _KEYS | {"size"}]
    links = [link_to(call, "first", [*kept, ("size", str(size))])]
    if len(found) > size:
        key = ("sortKeyGT" if ascending else "sortKeyLT", str(shown[-1].sort_key))
        links.append(link_to(call, "next", [*kept, key, ("size", str(size))]))
    return shown, ", ".join(links)


def _filter(query: dict[str, str]) -> Callable[[Message], bool]:
    """What a message must be to be shown; the query is judged at once, also where there is no message."""
    words = {name: query[name] for name in ("from", "to", "direction", "state", "deliveryState") if name in query}
    earliest, latest = _moment(query, "fromDateTime", _EARLIEST), _moment(query, "toDateTime", _LATEST)
    below = whole_number(query, "sortKeyLT", _LAST_KEY, 0, _LAST_KEY)
    above = whole_number(query, "sortKeyGT", 0, 0, _LAST_KEY)

    def passes(message: Message) -> bool:
        facts = {
            "from": message.sender,
            "to": message.recipient,
            "direction": message.direction,
            "state": message.state,
            "deliveryState": message.delivery_state,
        }
        return (
            all(facts[name] == word for name, word in words.items())
            and earliest <= message.time <= latest
            and above < message.sort_key < below
        )

    return passes


def _moment(query: dict[str, str], name: str, otherwise: datetime) -> datetime:
    """A time such as `2014-05-25 12:00:00.000`, of which the end may be missing, in UTC."""
    if name not in query:
        return otherwise
    try:
        moment = datetime.fromisoformat(query[name].strip())
    except ValueError as problem:
        raise invalid(f"The query parameter '{name}' must be a time such as 2014-05-25 12:00:00.000.") from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
