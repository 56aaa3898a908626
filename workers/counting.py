"""Counts the calls to Bandwidth by account, API and status, in memory; the heartbeat hands them in."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock

from tnimport.bandwidth.caller import Sender
from tnimport.bandwidth.errors import CarrierError
from tnimport.bandwidth.exchange import Reply, Request

UNANSWERED = "none"


class Calls:
    """What was counted since it was last taken. For any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, account: str, api: str, status: int | None) -> None:
        """One call more; `status` None = it was not answered."""
        with self._lock:
            self._counts[f"{account} {api} {status or UNANSWERED}"] += 1

    def taken(self) -> Mapping[str, int]:
        """The counts, which from now on start from nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def put_back(self, counts: Mapping[str, int]) -> None:
        """They could not be handed in."""
        with self._lock:
            self._counts.update(counts)


class Counted:
    """A sender whose calls are counted."""

    def __init__(self, sender: Sender, calls: Calls, account: str, api: str) -> None:
        self._sender = sender
        self._calls = calls
        self._account = account
        self._api = api

    def send(self, request: Request, timeout: float) -> Reply:
        """Return the whole answer, or raise a CarrierError."""
        try:
            reply = self._sender.send(request, timeout)
        except CarrierError as error:
            self._calls.add(self._account, self._api, error.status)
            raise
        self._calls.add(self._account, self._api, reply.status)
        return reply
