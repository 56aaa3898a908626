"""The hot statements find their rows by an index on both databases, whatever else the tables hold.

Every statement of a grant's life is taken down as it runs, and its plan asked for afterwards. PostgreSQL is told to
avoid scans at any price, so that one in a plan means that no index would do.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tnimport.domain.lanes import Lane
from tnimport.ledger import dispatch, gauges, listing, messages, outgoing, reads
from tnimport.ledger import schema as tables
from tnimport.ledger import work as claims
from tnimport.ledger.engine import Ledger
from tnimport.ledger.numbers import load
from tnimport.ledger.outgoing import NewMessage
from tnimport.ledger.reap import reap

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk

LARGE = ("numbers", "orders", "work", "events", "messages", "inbound")
Said = list[tuple[str, Any]]


@pytest.fixture
def said(ledger: Ledger) -> Iterator[Said]:
    """Every statement with its values, from now on."""
    found: Said = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        found.append((statement, values[0] if many else values))

    sa.event.listen(ledger.engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(ledger.engine, "before_cursor_execute", note)


def grant_of_numbers(desk: "Desk", _import_id: str) -> None:
    (grant, *_) = desk.claim(Lane.NUMBERS, room=1).grants
    run = claims.take(desk.ledger, grant.work, grant.serial, 120)
    assert run is not None
    load(desk.ledger, run)
    desk.finish(run)


def step_of_an_order(desk: "Desk", _import_id: str) -> None:
    desk.accepted(desk.run(Lane.DASHBOARD))


def rounds_of_the_dispatcher(desk: "Desk", _import_id: str) -> None:
    dispatch.due_lanes(desk.ledger)
    reap(desk.ledger)


def progress(desk: "Desk", import_id: str) -> None:
    assert reads.import_view(desk.ledger, import_id) is not None
    assert reads.version(desk.ledger, import_id) is not None


def page_of_an_export(desk: "Desk", import_id: str) -> None:
    _, after = listing.numbers_page(desk.ledger, import_id, limit=10)
    listing.numbers_page(desk.ledger, import_id, after=after, limit=10)


def life_of_a_number(desk: "Desk", _import_id: str) -> None:
    listing.number_history(desk.ledger, "9192380003")


def look_at_a_message_whose_receipt_may_have_come_early(desk: "Desk", _import_id: str) -> None:
    message_id = a_message(desk)
    with desk.ledger.write() as tx:
        tx.run(
            sa.update(tables.messages).values(state="sent", carrier_id="m-1").where(tables.messages.c.id == message_id)
        )
    assert messages.view(desk.ledger, message_id) is not None


def pages_of_messages(desk: "Desk", _import_id: str) -> None:
    a_message(desk)
    messages.page(desk.ledger, sender=9192380000)
    messages.page(desk.ledger, recipient="+12065550123")
    messages.page(desk.ledger, accounts=["default"])


def a_message(desk: "Desk") -> str:
    new = NewMessage(account="default", sender="9192380000", recipient="+12065550123", text="Hi")
    (message_id,) = outgoing.store(desk.ledger, [new], key=None, fingerprint="f").message_ids
    return message_id


@pytest.mark.parametrize(
    "happening",
    [
        grant_of_numbers,
        step_of_an_order,
        rounds_of_the_dispatcher,
        progress,
        page_of_an_export,
        life_of_a_number,
        look_at_a_message_whose_receipt_may_have_come_early,
        pages_of_messages,
    ],
)
def test_no_hot_statement_reads_a_large_table_from_end_to_end(
    desk: "Desk", said: Said, happening: Callable[["Desk", str], None]
) -> None:
    desk.available(300, order_size=10)
    import_id = desk.available(30, order_size=10)
    desk.accept(30, order_size=10)
    said.clear()
    happening(desk, import_id)
    statements = [one for one in said if one[0].lstrip().split(" ", 1)[0] in {"SELECT", "UPDATE", "DELETE", "WITH"}]
    assert any(table in text for text, _ in statements for table in LARGE)
    said_once = dict(statements)
    plans = {text: scans_in(desk.ledger, text, values) for text, values in said_once.items()}
    assert {text: scans for text, scans in plans.items() if scans} == {}


def test_what_was_told_is_found_by_who_was_told(desk: "Desk", said: Said) -> None:
    with desk.ledger.read() as tx:
        tx.run(sa.select(tables.work.c.id).where(tables.work.c.delivery_id == "whk_1")).all()
    statement, values = next(one for one in said if "FROM work" in one[0])
    assert "ix_work_delivery" in "\n".join(plan(desk.ledger, statement, values))


def test_messages_that_are_not_sent_are_counted_without_the_others(desk: "Desk", said: Said) -> None:
    gauges.look(desk.ledger)
    statement, values = next(one for one in said if "FROM messages" in one[0])
    assert "ix_messages_not_sent" in "\n".join(plan(desk.ledger, statement, values))


def test_a_page_of_an_export_sorts_no_more_than_an_order(desk: "Desk", said: Said) -> None:
    import_id = desk.available(30, order_size=10)
    _, after = listing.numbers_page(desk.ledger, import_id, limit=10)
    said.clear()
    listing.numbers_page(desk.ledger, import_id, after=after, limit=10)
    statement, values = next(one for one in said if "FROM numbers" in one[0])
    told = "\n".join(plan(desk.ledger, statement, values))
    assert "USE TEMP B-TREE" not in told  # SQLite
    assert "  ->  Sort" not in told  # PostgreSQL sorts each order by itself, an Incremental Sort


def scans_in(ledger: Ledger, statement: str, values: Any) -> list[str]:
    """The lines of its plan that read a large table from end to end."""
    scans = [f"{word} {table}" for table in LARGE for word in ("SCAN", "Seq Scan on")]
    return [line for line in plan(ledger, statement, values) if any(scan in line for scan in scans)]


def plan(ledger: Ledger, statement: str, values: Any) -> list[str]:
    """How the database would go about it, scans and sorts avoided where it can."""
    with ledger.write() as tx:
        if not tx.on_postgres:
            return [row[3] for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
        tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        return [row[0] for row in tx.connection.exec_driver_sql(f"EXPLAIN {statement}", values)]


def test_a_scan_would_be_seen(desk: "Desk", said: Said) -> None:
    desk.accept(30)
    with desk.ledger.read() as tx:
        tx.run(sa.select(tables.numbers.c.pos).where(tables.numbers.c.line == 3)).all()
    statement, values = said[-1] if said[-1][0].startswith("SELECT numbers") else said[-2]
    assert scans_in(desk.ledger, statement, values)
