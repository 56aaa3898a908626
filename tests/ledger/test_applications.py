from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain.lanes import Lane
from tnimport.ledger import schema
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.imports import applications, control, submitting
from tnimport.ledger.imports.orders import Fault

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.work import Run

FAULT = Fault("403", "Switch the feature on.", whole_account=True)


@pytest.fixture
def wishing(desk: Desk) -> str:
    """An import whose numbers are available and whose application is not known yet."""
    return desk.available(2, application=desk.wish(name="ours", url="https://us"))


def search(desk: Desk) -> Run:
    return desk.run(Lane.APPLICATIONS)


def test_numbers_wait_for_their_application(desk: Desk, wishing: str) -> None:
    assert not desk.claim(Lane.NUMBERS).grants
    applications.ready(desk.ledger, search(desk), "a-1", added=True)
    desk.finish_all()
    assert desk.state(wishing) == "complete"
    row = desk.row(schema.applications)
    assert (row.application_id, row.added) == ("a-1", True)
    assert "application_ready" in desk.kinds(wishing)


def test_an_application_is_looked_for_page_by_page_and_then_created(desk: Desk, wishing: str) -> None:
    applications.looked(desk.ledger, search(desk), 1)
    run = search(desk)
    assert applications.load(desk.ledger, run).page == 1
    applications.looked(desk.ledger, run, None)
    run = search(desk)
    wish = applications.load(desk.ledger, run)
    assert (wish.name, wish.url, wish.page, wish.sent_at) == ("ours", "https://us", 0, None)
    assert wish.looked_at is not None
    applications.sending(desk.ledger, run)
    again = applications.load(desk.ledger, run)
    assert again.sent_at is not None
    assert again.looked_at is None
    applications.wait(desk.ledger, run, 30, Trouble(limited=False))
    assert not desk.claim(Lane.APPLICATIONS).grants
    desk.passes(30)
    assert applications.load(desk.ledger, search(desk)).sent_at is not None


def test_a_creation_that_was_not_carried_out_is_forgotten(desk: Desk, wishing: str) -> None:
    run = search(desk)
    applications.sending(desk.ledger, run)
    applications.wait(desk.ledger, run, 0, unsent=True)
    run = search(desk)
    assert applications.load(desk.ledger, run).sent_at is None
    assert run.attempts == 1


def test_an_application_that_cannot_be_had_ends_every_import_that_wishes_for_it(desk: Desk, wishing: str) -> None:
    early = desk.accept(3, application=desk.wish(name="ours", url="https://us"))
    other = desk.accept(1)
    applications.refused(desk.ledger, search(desk), "invalid-url", "No such address.")
    assert desk.counts(wishing) == {"failed": 2}
    assert desk.counts(early) == {"failed": 3}
    assert desk.state(other) == "queued"
    refused = desk.rows(schema.orders, import_id=wishing)
    assert [(order.state, order.stage, order.code) for order in refused] == [("refused", "application", "invalid-url")]


def test_a_refusal_waits_for_an_order_that_a_run_holds(desk: Desk) -> None:
    import_id = desk.accept(3, application=desk.wish(name="ours", url="https://us"))
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    applications.refused(desk.ledger, search(desk), "invalid-url", "No such address.")
    assert desk.counts(import_id) == {"ordered": 3}
    desk.end_well(run)
    assert desk.counts(import_id) == {"failed": 3}


@pytest.mark.parametrize("unsent", [True, False])
def test_a_fault_of_the_account_holds_the_search(desk: Desk, wishing: str, *, unsent: bool) -> None:
    run = search(desk)
    applications.sending(desk.ledger, run)
    applications.account_fault(desk.ledger, run, FAULT, unsent=unsent)
    assert desk.state(wishing) == "held"
    assert not desk.claim(Lane.APPLICATIONS).grants
    control.resume(desk.ledger, wishing)
    assert (applications.load(desk.ledger, search(desk)).sent_at is None) is unsent


def test_a_search_goes_on_while_any_import_wants_it(desk: Desk, wishing: str) -> None:
    other = desk.accept(1, application=desk.wish(name="ours", url="https://us"))
    grant = desk.grant(Lane.APPLICATIONS)
    control.pause(desk.ledger, wishing)
    control.pause(desk.ledger, other)
    assert desk.take(grant) is None
    assert not desk.claim(Lane.APPLICATIONS).grants
    control.resume(desk.ledger, other)
    applications.ready(desk.ledger, search(desk), "a-1", added=False)


def test_a_search_that_nobody_needs_any_longer_is_not_begun(desk: Desk, wishing: str) -> None:
    control.cancel(desk.ledger, wishing)
    assert not desk.claim(Lane.APPLICATIONS).grants
    desk.accept(1, application=desk.wish(name="ours", url="https://us"))
    applications.ready(desk.ledger, search(desk), "a-1", added=False)


def test_a_search_whose_imports_ended_by_themselves_is_not_begun(desk: Desk) -> None:
    desk.accept(1, application=desk.wish(name="ours", url="https://us"))
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    submitting.refused(desk.ledger, run, "1002", "Wrong.", {})
    assert not desk.claim(Lane.APPLICATIONS).grants
