"""What happened at the carrier: a log of calls without bodies, and the effects counted per number."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import time
from typing import Any, Final

from sandbox.wire.message import Request

CALLS_KEPT: Final = 50_000


@dataclass(slots=True)
class Effects:
    """What was done to one number; `most_resources` above 1 would mean that it got two at once."""

    orders: int = 0  # IMPORT orders that name it
    removals: int = 0  # REMOVE orders that name it
    in_service: int = 0  # times it came on the dashboard
    imports: int = 0  # resources made for it at Catapult
    conflicts: int = 0  # imports refused as duplicate-number
    deletes: int = 0
    resources: int = 0  # resources it has now
    most_resources: int = 0


@dataclass(slots=True, frozen=True)
class CallRecord:
    """One answered call; neither bodies nor credentials are kept."""

    serial: int
    time: float  # epoch seconds
    endpoint: str
    method: str
    path: str
    query: str
    status: int  # 0 = the connection was cut instead of an answer
    fault: str


class Journal:
    """Counts everything and keeps the last calls one by one."""

    def __init__(self) -> None:
        self.calls: deque[CallRecord] = deque(maxlen=CALLS_KEPT)
        self.answers: Counter[tuple[str, int]] = Counter()
        self.effects: dict[str, Effects] = {}
        self.callbacks: deque[dict[str, Any]] = deque(maxlen=1_000)
        self.provoked: Counter[tuple[str, str]] = Counter()
        self.limited = 0  # 429 answered, and 403 of category limit
        self._serial = 0

    def note(self, endpoint: str, request: Request, status: int, fault: str) -> None:
        """Record one call and its answer."""
        self._serial += 1
        path, query = request.path, request.query
        self.calls.append(CallRecord(self._serial, time(), endpoint, request.method, path, query, status, fault))
        self.answers[endpoint, status] += 1

    def of(self, number: str) -> Effects:
        """The effects on `number` (10 digits), to be counted up."""
        found = self.effects.get(number)
        if found is None:
            found = self.effects[number] = Effects()
        return found

    def times(self, scenario: str, number: str) -> int:
        """How often `scenario` was provoked by `number`, this time included."""
        self.provoked[scenario, number] += 1
        return self.provoked[scenario, number]

    def summary(self) -> dict[str, Any]:
        """Answers by endpoint and status, and the totals that a checker asks for first."""
        by_endpoint: dict[str, dict[str, int]] = {}
        for (endpoint, status), count in sorted(self.answers.items()):
            by_endpoint.setdefault(endpoint, {})[str(status)] = count
        effects = self.effects.values()
        return {
            "answers": by_endpoint,
            "calls": self._serial,
            "rate_limited": self.limited,
            "numbers_touched": len(self.effects),
            "imports": sum(one.imports for one in effects),
            "conflicts": sum(one.conflicts for one in effects),
            "numbers_imported_twice": sum(one.imports > 1 + one.deletes for one in effects),
            "most_resources_of_a_number": max((one.most_resources for one in effects), default=0),
            "most_orders_of_a_number": max((one.orders for one in effects), default=0),
        }

    def effects_as_json(self) -> dict[str, dict[str, int]]:
        """The effects by number."""
        return {number: asdict(one) for number, one in self.effects.items()}

    def select(self, endpoint: str, status: int | None, after: int) -> Iterator[dict[str, Any]]:
        """The kept calls of one endpoint (a prefix), status and serial number above `after`, oldest first."""
        for call in self.calls:
            if call.serial > after and call.endpoint.startswith(endpoint) and status in {None, call.status}:
                yield asdict(call)
