"""Messages and webhooks in a run: somebody sends, somebody writes to our numbers, and somebody is told."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.error import URLError

from tests.servers.receiver import Receiver, receiver
from tests.torture.mailed import Mailed, Webhook
from tests.torture.stand import Stand

THEIRS = "+12065550123"
MOST = 60  # of each kind
ACCEPTED, UNAVAILABLE = 202, 500
SECRET = "whsec_dG9ydHVyZS10b3J0dXJlLXRvcnR1cmUh"
_IMPORTED = (
    "SELECT numbers.tn FROM numbers JOIN orders ON orders.id = numbers.order_id "
    "WHERE orders.account = 'default' AND numbers.outcome = 'imported' ORDER BY numbers.tn DESC LIMIT 1"
)


def environ(stand: Stand, told: Receiver) -> dict[str, str]:
    """Callbacks reach the web process, and webhooks the receiver."""
    return {
        "TNIMPORT_PUBLIC_URL": f"http://127.0.0.1:{stand.ports['web']}",
        "TNIMPORT_WEBHOOK_SECRET": SECRET,
        "TNIMPORT_WEBHOOK_ALLOW": "127.0.0.0/8",
        "TNIMPORT_INBOUND_URL": told.url,
        "TNIMPORT_MESSAGES_PER_SECOND": "0",
        "SANDBOX_CALLBACK_COPIES": "2",
    }


class Mail:
    """What is sent, written and told while a run goes on."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._ends = ExitStack()
        self.receiver = self._ends.enter_context(receiver())
        stand.environ |= environ(stand, self.receiver)
        self._open: dict[str, str] | None = None  # asked for, and not answered yet
        self._posted = 0
        self.asked: set[str] = set()
        self.written = 0

    def go_on(self) -> None:
        """One message out and one in, if there is a number for them."""
        for row in self._stand.ask(_IMPORTED):
            self._send(str(row["tn"]))
            self._write(f"+1{row['tn']}")

    def _send(self, ours: str) -> None:
        """Ask for a message; whether a lost answer was a yes is found out by asking again under the same key."""
        if self._open is None and self._posted < MOST:
            self._open = {"from": f"+1{ours}", "to": THEIRS, "text": f"out-{self._posted}"}
        if self._open is None:
            return
        with suppress(URLError, OSError):
            answer = self._stand.http("POST", "/v1/messages", self._open, Idempotency_Key=self._open["text"])
            if "id" in answer:
                self.asked.add(self._open["text"])
            if answer.get("status_code", ACCEPTED) < UNAVAILABLE:
                self._open, self._posted = None, self._posted + 1

    def _write(self, ours: str) -> None:
        if self.written < MOST:
            with suppress(URLError, OSError):
                self._stand.sandbox.inbound(THEIRS, ours, f"in-{self.written}")
                self.written += 1

    def quiet(self) -> bool:
        """Whether nothing waits to be sent or told."""
        return self._stand.ask("SELECT count(*) AS n FROM work") == [{"n": 0}]

    def evidence(self) -> Mailed:
        """What there is to see, once all is quiet."""
        stand = self._stand
        carrier = stand.sandbox.state("users", "callbacks")
        return Mailed(
            asked=self.asked,
            messages={row["text"]: row["state"] for row in stand.ask("SELECT text, state FROM messages")},
            at_carrier=[
                one["text"]
                for user in carrier["users"].values()
                for one in user["messages"]
                if one["direction"] == "out"
            ],
            answered={one["id"] for one in carrier["callbacks"] if _reached_us(one, stand)},
            inbound=[(row["message_id"], row["kind"]) for row in stand.ask("SELECT message_id, kind FROM inbound")],
            owed={
                row["id"]: (row["type"], row["state"]) for row in stand.ask("SELECT id, type, state FROM deliveries")
            },
            finished=len(stand.ask("SELECT id FROM imports WHERE notify_url IS NOT NULL AND finished_at IS NOT NULL")),
            told=list(self._told()),
        )

    def _told(self) -> Iterator[Webhook]:
        for one in self.receiver.told:
            yield Webhook(one.headers["webhook-id"], one.body)

    def close(self) -> None:
        self._ends.close()


def _reached_us(callback: dict[str, str], stand: Stand) -> bool:
    return callback["outcome"] == "delivered" and f":{stand.ports['web']}/callbacks/default/messages" in callback["url"]
