"""The hot statements find their rows by an index on both databases, whatever else the tables hold.

Every statement of a grant's life is taken down as it runs, and its plan asked for afterwards. PostgreSQL is told to
avoid scans at any price, so that one in a plan means that no index would do.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tnimport.domain.lanes import Lane
from tnimport.ledger import schema as tables
from tnimport.ledger.claims import dispatch
from tnimport.ledger.claims import work as claims
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import prune, upkeep
from tnimport.ledger.housekeeping.reap import reap
from tnimport.ledger.imports import closing
from tnimport.ledger.imports.numbers import load
from tnimport.ledger.messaging import messages, outgoing
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.reading import gauges, listing, reads, totals

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk

LARGE = ("numbers", "orders", "work", "events", "messages", "inbound", "imports", "deliveries")
# Indexes that hold only what is not over; who reads one from end to end reads nothing else.
OF_A_FEW = ("ix_imports_unsealed", "ix_messages_not_sent", "ix_deliveries_not_delivered")
Said = list[tuple[str, Any]]


@pytest.fixture
def said(ledger: Ledger) -> Iterator[Said]:
    """Every statement with its values, from now on."""
    found: Said = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        found.append((statement, values[0] if isinstance(values, list) else values))

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


def claims_of_messages(desk: "Desk", _import_id: str) -> None:
    a_message(desk)
    assert desk.claim(Lane.MESSAGES).grants


def claims_of_webhooks(desk: "Desk", import_id: str) -> None:
    assert desk.claim(Lane.WEBHOOKS).grants == []
    with desk.ledger.write() as tx:
        mine = sa.update(tables.imports).where(tables.imports.c.id == import_id)
        tx.run(mine.values(notify_url="https://a.example/"))
        closing.hold(tx, import_id, "401", "Mend it.")
    assert desk.claim(Lane.WEBHOOKS).grants


def holds_of_an_account(desk: "Desk", _import_id: str) -> None:
    with desk.ledger.write() as tx:
        closing.hold_account(tx, "default", "401", "Mend it.")
        assert closing.wishing(tx, 7) == []


def pruning(desk: "Desk", _import_id: str) -> None:
    upkeep.claim(desk.ledger, upkeep.PRUNE, 0)
    occasion = upkeep.claim(desk.ledger, upkeep.PRUNE, 3600)
    assert occasion is not None
    assert upkeep.take(desk.ledger, occasion, 120)
    for _ in prune.steps(desk.ledger, occasion, 3600):
        pass


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
        claims_of_messages,
        claims_of_webhooks,
        holds_of_an_account,
        page_of_an_export,
        life_of_a_number,
        look_at_a_message_whose_receipt_may_have_come_early,
        pages_of_messages,
    ],
)
def test_no_hot_statement_reads_a_large_table_from_end_to_end(
    desk: "Desk", said: Said, happening: Callable[["Desk", str], None]
) -> None:
    desk.available(60, order_size=10)
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


@pytest.fixture
def many_over(desk: "Desk", said: Said) -> None:
    """A thousand imports of ten accounts that failed with one number, three that go on, and a sum of the former."""
    going_on = [desk.available(10, order_size=5) for _ in range(3)]
    with desk.ledger.write() as tx:
        own = tx.run(sa.select(tables.imports).where(tables.imports.c.id == going_on[0])).mappings().one()
        over = {**own, "available": 0, "failed": 1, "rows": 1, "finished_at": tx.now - 99}
        of = [{"id": f"imp_{index}", "account": f"account_{index % 10}"} for index in range(1000)]
        tx.run(sa.insert(tables.imports), [{**over, **one, "created_at": tx.now - at} for at, one in enumerate(of)])
        order = dict(tx.run(sa.select(tables.orders).limit(1)).mappings().one())
        ended = {**order, "state": "done", "size": 1, "open": 0}
        theirs = [{"import_id": one["id"], "account": one["account"], "reference": one["id"]} for one in of]
        tx.run(
            sa.insert(tables.orders), [{**ended, **one, "id": order["id"] + 1000 + at} for at, one in enumerate(theirs)]
        )
        number = {"pos": 0, "line": 1, "tn": 2015550123, "outcome": "failed"}
        tx.run(sa.insert(tables.numbers), [{**number, "order_id": order["id"] + 1000 + at} for at in range(1000)])
        if tx.on_postgres:
            tx.run(sa.text("ANALYZE"))
    totals.add_up(desk.ledger)
    said.clear()


def plans_of(ledger: Ledger, said: Said, table: str) -> list[str]:
    """The plan of each statement that reads a table, in one piece."""
    asked = [one for one in said if re.search(rf"(FROM|JOIN) {table}\b", one[0])]
    assert asked
    return ["\n".join(plan(ledger, *one)) for one in asked]


@pytest.mark.usefixtures("many_over")
def test_every_second_look_reads_no_finished_import(desk: "Desk", said: Said) -> None:
    reap(desk.ledger)
    assert all("ix_imports_finished" in told for told in plans_of(desk.ledger, said, "imports"))


@pytest.mark.usefixtures("many_over")
@pytest.mark.parametrize(("accounts", "index"), [(None, "ix_imports_created"), (["default"], "ix_imports_account")])
def test_a_page_of_imports_is_read_by_key_and_sorts_nothing(
    desk: "Desk", said: Said, accounts: list[str] | None, index: str
) -> None:
    _, after = reads.imports_page(desk.ledger, accounts=accounts, limit=3)
    reads.imports_page(desk.ledger, accounts=accounts, limit=3, after=after)
    pages = [one for one in said if "ORDER BY imports.created_at DESC" in one[0]]
    assert len(pages) == 2
    for told in plans_of(desk.ledger, pages, "imports"):
        assert index in told
        assert "TEMP B-TREE" not in told
        assert "Sort" not in told


@pytest.mark.usefixtures("many_over")
def test_metrics_read_no_import_that_is_in_the_sum_and_nothing_that_was_sent_or_delivered(
    desk: "Desk", said: Said
) -> None:
    gauges.look(desk.ledger)
    asked = list(said)
    assert all("ix_imports_finished" in told for told in plans_of(desk.ledger, asked, "imports"))
    assert all("ix_messages_not_sent" in told for told in plans_of(desk.ledger, asked, "messages"))
    assert all("ix_deliveries_not_delivered" in told for told in plans_of(desk.ledger, asked, "deliveries"))
    of_orders = [one for one in asked if "FROM orders" in one[0]]
    assert [line for one in of_orders for line in scans_in(desk.ledger, *one)] == []


@pytest.mark.usefixtures("many_over")
def test_pruning_finds_what_is_to_go_by_an_index(desk: "Desk", said: Said) -> None:
    pruning(desk, "")
    chosen = [one for one in said if re.search(r"FROM imports\s+WHERE imports.(sealed|finished)_at", one[0])]
    assert len({one[0] for one in chosen}) == 3  # hidden ones, abandoned ones, finished ones
    assert [line for one in chosen for line in scans_in(desk.ledger, *one)] == []


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
    lines = [line for line in plan(ledger, statement, values) if any(scan in line for scan in scans)]
    return [line for line in lines if not any(index in line for index in OF_A_FEW)]


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
