"""The dispatcher's round: take back what ran out, claim what is due, publish it, and know when to look again."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import partial
from math import inf
from time import monotonic
from typing import Final, Protocol

import structlog

from tnimport.contract import QUEUE_OF, Queue, Task
from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane, pace_of
from tnimport.ledger.claims import dispatch
from tnimport.ledger.claims.grants import Grant
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping.reap import reap
from workers.apart import Apart
from workers.publisher import BrokerAway

LONGEST_SLEEP: Final = 5.0  # even with nothing due: other processes may have died
ROOM_SECONDS: Final = 0.05  # a full queue is looked at again so soon
FILLED_SECONDS: Final = 0.4  # a queue that was just filled is left alone: each look at it costs as much as a grant
AWAY_SECONDS: Final = 0.5
REAP_SECONDS: Final = 1.0
SENT_SECONDS: Final = 30.0  # a message nobody took for so long is sent again

_LANES: Final = {
    Lane.DASHBOARD: Queue.ORDERS,
    Lane.APPLICATIONS: QUEUE_OF[Task.ENSURE_APPLICATION],
    Lane.NUMBERS: Queue.NUMBERS,
    Lane.LOOKUPS: Queue.NUMBERS,
    Lane.MESSAGES: Queue.MESSAGES,
    Lane.WEBHOOKS: Queue.WEBHOOKS,
    Lane.VERIFY: QUEUE_OF[Task.VERIFY_NUMBERS],
}
_log: Final = structlog.get_logger("dispatcher")


class Broker(Protocol):
    """Where grants go."""

    def room(self) -> dict[Queue, int]:
        """How many messages each queue may still take."""

    def publish(self, grants: list[Grant]) -> list[Grant]:
        """Send grants; returns what was not sent."""


class Dispatcher:
    """Any number may run: the lanes are locked while work is claimed, and a claim is taken once."""

    def __init__(
        self, ledger: Ledger, accounts: Mapping[str, Account], broker: Broker, *, claim_seconds: float
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._broker = broker
        self._sent_seconds = min(SENT_SECONDS, claim_seconds)
        self._served: dict[Hashable, float] = {}
        self._filled: dict[Queue, float] = {}
        self._turns: dict[tuple[str, Lane], float] = {}
        self._reaped = -inf
        self._left: frozenset[str] = frozenset()
        self._apart = Apart()
        self.broker_away = False

    def once(self) -> float:
        """Do one round; returns after how many seconds to look again if nothing wakes us before."""
        self._reap()
        due = dispatch.due_lanes(self._ledger)
        self._leave(due.unknown)
        self.broker_away = False
        if not due.ready:
            return self._sleep(due.next_at - due.now)
        try:
            room = self._broker.room()
            return self._sleep(min(due.next_at - due.now, *self._serve_all(due.ready, room)))
        except BrokerAway as error:
            _log.warning("broker_away", error=str(error))
            self.broker_away = True
            return AWAY_SECONDS

    def _reap(self) -> None:
        """Take back what ran out, a second after the last time at the earliest."""
        if monotonic() - self._reaped >= REAP_SECONDS:
            self._reaped = monotonic()
            self._apart.run("reap", self._reap_now)

    def _reap_now(self) -> float:
        back = reap(self._ledger)
        if back:
            _log.warning("claims_expired", count=back)
        return REAP_SECONDS

    def _leave(self, unknown: frozenset[str]) -> None:
        """Say once what waits for a newer dispatcher."""
        for lane in sorted(unknown - self._left):
            _log.warning("lane_of_a_newer_version", lane=lane)
        self._left |= unknown

    def _serve_all(self, ready: Iterable[tuple[str, Lane]], room: dict[Queue, int]) -> Iterator[float]:
        """Whoever was served longest ago begins, and leaves room in the queue for those that come after."""
        waiting = sorted(ready, key=lambda one: self._turns.get(one, -inf))
        after = Counter(_LANES[lane] for _, lane in waiting)
        for name, lane in waiting:
            queue = _LANES[lane]
            share = -(-room[queue] // after[queue])
            after[queue] -= 1
            self._reap()  # whatever keeps the round at one lane or another
            yield self._apart.run(f"{lane} of {name}", partial(self._serve, name, lane, room, share))

    def _serve(self, name: str, lane: Lane, room: dict[Queue, int], share: int) -> float:
        account = self._accounts.get(name)
        if account is None:  # its settings are gone from this deployment; its work waits until they are back
            return inf
        queue = _LANES[lane]
        rest = self._filled.get(queue, -inf) + FILLED_SECONDS - monotonic()
        if rest > 0:
            return rest
        if not room[queue]:
            return ROOM_SECONDS
        round_ = dispatch.claim(
            self._ledger,
            name,
            lane,
            pace_of(account.paces, lane),
            room=share,
            seconds=self._sent_seconds,
            served=self._served,
        )
        room[queue] -= len(round_.grants)
        if round_.grants:
            self._turns[name, lane] = monotonic()
        self._publish(round_.grants)
        if len(round_.grants) < share:
            return round_.wake_at - round_.now
        if not room[queue]:
            self._filled[queue] = monotonic()
        return FILLED_SECONDS

    def _publish(self, grants: list[Grant]) -> None:
        for grant in grants:
            self._served[grant.owner] = monotonic()
        unsent = self._broker.publish(grants)
        if unsent:
            _log.warning(
                "not_published",
                count=len(unsent),
                work=[grant.work for grant in unsent],
                import_id=sorted({grant.import_id or "" for grant in unsent}),
            )
            dispatch.unsend(self._ledger, unsent, self._accounts)
            # Each further lane would wait as long for a Redis that hangs, and meanwhile nothing would be taken back.
            raise BrokerAway("not_published")

    def _sleep(self, seconds: float) -> float:
        to_reap = self._reaped + REAP_SECONDS - monotonic()
        return max(0.0, min(seconds, LONGEST_SLEEP, max(to_reap, 0.0)))
