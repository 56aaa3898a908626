"""Imported numbers prove each other: messages go round, as many as planned, and the import ends when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.ledger import schema
from tnimport.ledger.imports import control
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.messaging import sending
from tnimport.ledger.messaging.sending import Why
from tnimport.ledger.proving import proofs, rings, verifying

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.ledger.conftest import Clock, Desk
    from tnimport.ledger.engine import Ledger
    from tnimport.ledger.proving.verifying import Look

PATIENCE = 600.0


@dataclass
class Round:
    """The messages of one import's ring, and the hands that send them."""

    desk: Desk
    import_id: str

    def look(self, partner: str | None = None) -> Look:
        """Take the next look, whenever it would have been due."""
        with self.desk.ledger.write() as tx:
            mine = sa.update(schema.work).where(schema.work.c.lane == Lane.VERIFY, schema.work.c.state == "waiting")
            tx.run(mine.values(due_at=tx.now))
        return verifying.look(self.desk.ledger, self.desk.run(Lane.VERIFY), partner=partner, patience=PATIENCE)

    def send(self) -> list[sa.Row[Any]]:
        """Send everything that waits for the pace; returns the messages."""
        sent = []
        for run in filter(None, map(self.desk.take, self.desk.claim(Lane.MESSAGES).grants)):
            sending.calling(self.desk.ledger, run)
            sending.taken(self.desk.ledger, run, f"m-{run.message_id}")
            sent.append(self.desk.row(schema.messages, id=run.message_id))
        return sent

    def arrives(self, message: sa.Row[Any], **changes: str) -> bool:
        """The message comes back to our callback."""
        said = {"sender": f"+1{message.sender}", "recipient": message.recipient, "text": message.text} | changes
        with self.desk.ledger.write() as tx:
            return proofs.arrived(tx, message.account, **said)

    def numbers(self) -> list[tuple[str, str | None, str | None]]:
        rows = [row for order in self.desk.rows(schema.orders, import_id=self.import_id) for row in self._of(order)]
        return [(row.outcome, row.stage, row.code) for row in rows]

    def _of(self, order: sa.Row[Any]) -> list[sa.Row[Any]]:
        return self.desk.rows(schema.numbers, order_id=order.id)


@pytest.fixture
def going(desk: Desk) -> Callable[..., Round]:
    """An import whose numbers are imported and are to be proven."""

    def make(total: int, order_size: int = 1000, verify: str = "all", **changes: Any) -> Round:
        import_id = desk.available(total, order_size, verify=verify, **changes)
        desk.finish_all()
        return Round(desk, import_id)

    return make


def test_each_number_sends_to_the_next_and_receives_from_the_last_and_is_verified(
    desk: Desk, going: Callable[..., Round]
) -> None:
    ring = going(5, order_size=2)
    assert (desk.state(ring.import_id), desk.counts(ring.import_id)) == ("running", {"imported": 5})
    assert ring.look().left == 5
    sent = ring.send()
    pairs = [(message.sender, int(message.recipient[2:])) for message in sent]
    assert [sender for sender, _ in pairs] == sorted(sender for sender, _ in pairs)
    assert [to for _, to in pairs] == [*(sender for sender, _ in pairs[1:]), pairs[0][0]]
    assert all(message.import_id == ring.import_id for message in sent)
    for message in sent[:3]:
        assert ring.arrives(message)
    assert ring.look().settled == {"verified": 2}  # those in the middle: the first waits for the last
    assert (desk.state(ring.import_id), desk.counts(ring.import_id)) == ("running", {"imported": 3, "verified": 2})
    for message in sent[3:]:
        assert ring.arrives(message)
    assert ring.look().again_in is None
    assert (desk.state(ring.import_id), desk.counts(ring.import_id)) == ("complete", {"verified": 5})
    assert desk.rows(schema.work) == []
    assert {"verify_started", "verify_ended", "import_finished"} <= set(desk.kinds(ring.import_id))
    assert set(ring.numbers()) == {("verified", None, None)}


def test_what_does_not_arrive_in_time_says_which_way_is_missing(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(4)
    ring.look()
    first, second, third, last = ring.send()
    ring.arrives(first)
    ring.arrives(last)
    desk.passes(PATIENCE - 5)
    assert ring.look().settled == {"verified": 1}
    desk.passes(6)
    assert ring.look().settled == dict.fromkeys(("sent_nothing_arrived", "neither_way_proven", "received_nothing"), 1)
    assert ring.numbers() == [
        ("verified", None, None),
        ("imported", "verify", "sent_nothing_arrived"),
        ("imported", "verify", "neither_way_proven"),
        ("imported", "verify", "received_nothing"),
    ]
    assert (desk.state(ring.import_id), desk.counts(ring.import_id)) == ("complete", {"imported": 3, "verified": 1})
    assert ring.arrives(second)  # late: nobody's news, and it changes nothing
    assert ring.arrives(third)
    assert desk.counts(ring.import_id) == {"imported": 3, "verified": 1}


def test_a_clock_that_is_put_forward_takes_no_time_from_messages_under_way(
    desk: Desk, going: Callable[..., Round], clock: Clock
) -> None:
    def due() -> Look:
        return verifying.look(desk.ledger, desk.run(Lane.VERIFY), partner=None, patience=PATIENCE)

    ring = going(3)
    ring.look()
    sent = ring.send()
    desk.passes(5)
    due()
    desk.passes(5)
    clock.step(3600)
    assert not due().settled
    desk.passes(PATIENCE - 20)
    assert not ring.look().settled
    for message in sent[1:]:
        ring.arrives(message)
    desk.passes(21)
    assert ring.look().settled == {"verified": 1, "sent_nothing_arrived": 1, "received_nothing": 1}


def test_a_refused_message_is_not_waited_for_and_says_why(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(2)
    ring.look()
    bad, good = filter(None, map(desk.take, desk.claim(Lane.MESSAGES).grants))
    sending.calling(desk.ledger, bad)
    sending.refused(desk.ledger, bad, Why("number-access-denied", "Not yours."))
    sending.calling(desk.ledger, good)
    sending.taken(desk.ledger, good, "m-1")
    ring.arrives(desk.row(schema.messages, id=good.message_id))
    assert ring.look().again_in is None
    assert ring.numbers() == [
        ("imported", "verify", "sent_nothing_arrived"),
        ("imported", "verify", "received_nothing"),
    ]
    described = {row.description for row in desk.rows(schema.numbers)}
    assert any("number-access-denied: Not yours." in text for text in described)


def test_a_message_of_unknown_outcome_proves_as_well_when_it_arrives(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(2)
    ring.look()
    lost, other = filter(None, map(desk.take, desk.claim(Lane.MESSAGES).grants))
    for run in (lost, other):
        sending.calling(desk.ledger, run)
        sending.unanswered(desk.ledger, run, Why("timeout"))
    assert ring.look().left == 2
    for run in (lost, other):
        ring.arrives(desk.row(schema.messages, id=run.message_id))
    assert ring.look().settled == {"verified": 2}
    assert len(desk.rows(schema.messages)) == 2


@pytest.mark.parametrize(
    "changes", [{"sender": "+12065550100"}, {"recipient": "+12065550100"}, {"text": "tnv-" + "0" * 20}, {"text": "Hi"}]
)
def test_only_the_nonce_between_the_right_numbers_proves(going: Callable[..., Round], changes: dict[str, str]) -> None:
    ring = going(2)
    ring.look()
    message, _ = ring.send()
    assert not ring.arrives(message, **changes)
    assert ring.look().settled == {}
    assert ring.arrives(message, sender=f"{message.sender}", text=f"Fwd: {message.text} \u2026")


def test_a_sample_is_spread_over_all_orders_and_sends_no_more_than_planned(
    desk: Desk, going: Callable[..., Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "SCANNED_MOST", 7)
    ring = going(30, order_size=10, verify="sample", verify_count=3)
    while not desk.rows(schema.messages):
        seen = ring.look()
    for _ in range(9):
        seen = ring.look()
        assert seen.left == 3
    sent = ring.send()
    assert [message.sender % 10 for message in sent] == [0, 0, 0]
    for message in sent:
        ring.arrives(message)
    assert ring.look().again_in is None
    assert desk.counts(ring.import_id) == {"imported": 27, "verified": 3}
    assert len(desk.rows(schema.messages)) == 3


def test_a_sample_of_more_than_there_are_is_all_of_them(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(3, verify="sample")
    ring.look()
    assert len(ring.send()) == 3
    assert desk.row(schema.rings).size == 3


def test_the_ring_is_laid_a_stretch_at_a_time(
    desk: Desk, going: Callable[..., Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "UNSETTLED_MOST", 4)
    ring = going(23, order_size=5)
    total = 0
    for _ in range(60):
        seen = ring.look()
        if seen.again_in is None:
            break
        sent = ring.send()
        assert len(sent) <= 5
        total += len(sent)
        for message in sent:
            ring.arrives(message)
    assert (total, desk.counts(ring.import_id)) == (23, {"verified": 23})


@pytest.mark.parametrize("partner", [None, "9192380000"])
def test_a_number_that_is_alone_stays_unproven_without_a_partner(
    desk: Desk, going: Callable[..., Round], partner: str | None
) -> None:
    ring = going(1)
    assert ring.look(partner).settled == {"no_partner": 1}
    assert ring.numbers() == [("imported", "verify", "no_partner")]
    assert (desk.state(ring.import_id), desk.rows(schema.messages)) == ("complete", [])


def test_a_partner_proves_a_number_that_is_alone(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(1)
    ring.look("2062380000")
    out, into = ring.send()
    assert (into.sender, into.recipient) == (2062380000, f"+1{out.sender}")
    for message in (out, into):
        ring.arrives(message)
    assert ring.look("2062380000").again_in is None
    assert ring.numbers() == [("verified", None, None)]


def test_what_arrives_wakes_the_look(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(2)
    ring.look()
    message, _ = ring.send()
    desk.passes(verifying.LOOK_SECONDS)
    ring.look()
    (before,) = desk.rows(schema.work, lane=Lane.VERIFY)
    ring.arrives(message)
    (after,) = desk.rows(schema.work, lane=Lane.VERIFY)
    assert after.due_at < before.due_at - 1


def test_pause_and_resume_start_nothing_and_repeat_nothing(desk: Desk, going: Callable[..., Round]) -> None:
    ring = going(3)
    ring.look()
    control.pause(desk.ledger, ring.import_id)
    assert desk.state(ring.import_id) == "paused"
    assert ring.send() == []
    assert desk.claim(Lane.VERIFY).grants == []
    control.resume(desk.ledger, ring.import_id)
    for message in ring.send():
        ring.arrives(message)
    assert ring.look().settled == {"verified": 3}
    assert len(desk.rows(schema.messages)) == 3


def test_a_cancel_ends_it_with_the_numbers_as_they_are_and_sends_nothing_more(
    desk: Desk, going: Callable[..., Round]
) -> None:
    ring = going(3)
    ring.look()
    one, other, _ = desk.claim(Lane.MESSAGES).grants
    run, vanishing = desk.take(one), desk.take(other)
    assert run is not None
    assert vanishing is not None
    sending.calling(desk.ledger, run)
    sending.calling(desk.ledger, vanishing)
    control.cancel(desk.ledger, ring.import_id)
    assert desk.state(ring.import_id) == "running"
    sending.taken(desk.ledger, run, "m-1")
    assert desk.state(ring.import_id) == "running"
    desk.vanish(vanishing)
    assert (desk.state(ring.import_id), desk.counts(ring.import_id)) == ("complete", {"imported": 3})
    assert sorted(row.state for row in desk.rows(schema.messages)) == ["cancelled", "sent", "unknown"]
    assert desk.rows(schema.work) == []


def test_a_fault_of_the_account_holds_the_import_and_its_message_is_sent_after_the_resume(
    desk: Desk, going: Callable[..., Round]
) -> None:
    ring = going(2)
    ring.look()
    run = desk.run(Lane.MESSAGES)
    sending.calling(desk.ledger, run)
    sending.account_fault(desk.ledger, run, Fault("access-denied", "Mend it.", whole_account=True))
    assert desk.state(ring.import_id) == "held"
    desk.back_to_waiting()
    control.resume(desk.ledger, ring.import_id)
    sent = [*ring.send(), *ring.send()]
    assert len(sent) == 2
    for message in sent:
        ring.arrives(message)
    assert ring.look().settled == {"verified": 2}


def test_nothing_is_verified_that_was_not_imported(desk: Desk) -> None:
    import_id = desk.available(2, verify="all")
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.failed(0), desk.failed(1)], first=run.last, last=True))
    assert (desk.state(import_id), desk.counts(import_id)) == ("failed", {"failed": 2})
    removal = desk.accept(1, action=Action.REMOVE, verify="all")
    control.cancel(desk.ledger, removal)
    assert desk.state(removal) == "cancelled"


def test_two_imports_prove_their_numbers_side_by_side(desk: Desk, going: Callable[..., Round], ledger: Ledger) -> None:
    one, other = going(2), going(2, client_ref="other")
    for _ in range(2):
        verifying.look(ledger, desk.run(Lane.VERIFY), partner=None, patience=PATIENCE)
    for message in one.send():
        assert one.arrives(message)
    for _ in range(2):
        with ledger.write() as tx:
            tx.run(sa.update(schema.work).values(due_at=tx.now))
        verifying.look(ledger, desk.run(Lane.VERIFY), partner=None, patience=PATIENCE)
    assert desk.counts(one.import_id) == desk.counts(other.import_id) == {"verified": 2}
