from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.ledger.conftest import FIRST_NUMBER, emptied, opened_desk
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.ledger import schema
from tnimport.ledger.imports import applications
from tnimport.ledger.imports import staging as staging_module
from tnimport.ledger.imports.staging import InProgress, KeyConflict, RefusedRow, begin
from tnimport.ledger.reading import reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger

ROWS = [
    RefusedRow(line=11, kind="rejected", text="123", code="not-a-number", description="Too short."),
    RefusedRow(line=12, kind="duplicate", text="+19192380000", first_line=1),
    RefusedRow(line=13, kind="blank"),
]


def test_nothing_of_an_import_is_seen_or_done_before_it_is_sealed(desk: Desk) -> None:
    staging = desk.stage(10)
    assert reads.import_view(desk.ledger, staging.import_id) is None
    assert reads.imports_page(desk.ledger) == ([], None)
    assert not desk.rows(schema.work)
    staging.seal()
    assert desk.counts(staging.import_id) == {"requested": 10}
    assert desk.state(staging.import_id) == "queued"


def test_every_row_is_counted_in_its_bucket(desk: Desk) -> None:
    import_id = desk.accept(10, 4, ROWS)
    assert desk.counts(import_id) == {"requested": 10, "rejected": 1, "duplicate": 1, "blank": 1}
    assert [order.size for order in desk.rows(schema.orders)] == [4, 4, 2]


def test_chunks_add_up_and_orders_go_on_over_their_borders(desk: Desk) -> None:
    staging = begin(desk.ledger, desk.new())
    first = desk.placed(10, 6)
    staging.add(first[:4])
    staging.add(first[4:])
    staging.add([])
    staging.seal()
    assert [(order.seq, order.size) for order in desk.rows(schema.orders)] == [(0, 6), (1, 4)]


def test_an_import_without_numbers_is_finished_when_it_is_sealed(desk: Desk) -> None:
    import_id = desk.accept(0, refused=ROWS[:1])
    assert desk.state(import_id) == "failed"
    assert desk.kinds(import_id) == ["import_accepted", "import_finished"]


def test_references_of_orders_are_unique_and_carry_what_the_caller_gave(desk: Desk) -> None:
    desk.accept(4, 1, customer_order_id="X" * 40)
    references = [order.reference for order in desk.rows(schema.orders)]
    assert len(set(references)) == 4
    assert {(len(reference), reference[:28]) for reference in references} == {(40, "X" * 27 + "-")}


def test_the_same_key_gives_the_import_it_made(desk: Desk) -> None:
    import_id = desk.accept(1, key="k")
    assert begin(desk.ledger, desk.new(key="k")) == import_id


def test_the_same_key_for_something_else_is_refused(desk: Desk) -> None:
    desk.accept(1, key="k")
    with pytest.raises(KeyConflict):
        begin(desk.ledger, desk.new(key="k", fingerprint="other"))


def test_a_reference_makes_one_import_whatever_the_key(desk: Desk) -> None:
    import_id = desk.accept(1, key="k", client_ref="r")
    assert begin(desk.ledger, desk.new(key="another", client_ref="r")) == import_id
    assert begin(desk.ledger, desk.new(key=None, client_ref="r")) == import_id
    with pytest.raises(KeyConflict) as conflict:
        begin(desk.ledger, desk.new(key="third", client_ref="r", fingerprint="other"))
    assert conflict.value.by_reference


def test_the_same_key_waits_for_a_staging_that_is_alive(desk: Desk) -> None:
    desk.stage(1, key="k")
    desk.passes(59)
    with pytest.raises(InProgress):
        begin(desk.ledger, desk.new(key="k"))


def test_a_staging_that_was_abandoned_is_cleared_away_and_can_write_no_more(desk: Desk) -> None:
    slow = desk.stage(3, refused=ROWS, key="k")
    desk.passes(61)
    import_id = desk.accept(2, key="k")
    assert [row.id for row in desk.rows(schema.imports)] == [import_id]
    with pytest.raises(InProgress):
        slow.add(desk.placed(1, 1))
    with pytest.raises(InProgress):
        slow.seal()
    assert desk.counts(import_id) == {"requested": 2}


def test_a_staging_that_somebody_is_just_adding_to_is_alive_however_long_it_took(postgres_ledger: Ledger) -> None:
    desk = opened_desk(emptied(postgres_ledger))
    slow = desk.stage(3, key="k")
    desk.passes(61)
    with desk.ledger.write() as tx:  # a chunk that begins an order of its own, not committed yet
        slow._still_ours(tx, staged_at=tx.now)
        slow._open_orders(tx, {7: "local"})
        with pytest.raises(InProgress):
            begin(desk.ledger, desk.new(key="k"))
    with pytest.raises(InProgress):
        begin(desk.ledger, desk.new(key="k"))
    assert [row.id for row in desk.rows(schema.imports)] == [slow.import_id]
    slow.abandon()


def test_whoever_takes_a_staging_back_waits_for_a_chunk_that_is_being_added(postgres_ledger: Ledger) -> None:
    desk = opened_desk(emptied(postgres_ledger))
    staging = desk.stage(3, key="k")
    locked: list[str] = []

    def note(*arguments: object) -> None:
        locked.append(str(arguments[2]))

    sa.event.listen(desk.ledger.engine, "before_cursor_execute", note)
    staging.abandon()
    sa.event.remove(desk.ledger.engine, "before_cursor_execute", note)
    assert next(text for text in locked if "imports" in text).endswith("FOR UPDATE")
    assert not desk.rows(schema.orders)


@contextmanager
def refusing(ledger: Ledger, sqlstate: str) -> Iterator[None]:
    """The database takes no numbers, as it would with a full disk."""
    text = f"BEGIN RAISE EXCEPTION 'no place for %', NEW.tn USING ERRCODE = '{sqlstate}'; END"
    with ledger.write() as tx:
        tx.run(sa.text(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {text} $$"))
        tx.run(sa.text("CREATE TRIGGER refuse BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION refuse()"))
    try:
        yield
    finally:
        with ledger.write() as tx:
            tx.run(sa.text("DROP FUNCTION refuse CASCADE"))


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [("53100", sa.exc.OperationalError), ("25P03", sa.exc.OperationalError), ("23514", sa.exc.IntegrityError)],
    ids=["full", "ended", "refused"],
)
def test_numbers_that_the_database_cannot_take_are_an_error_of_the_ledger_that_names_none_of_them(
    postgres_ledger: Ledger, sqlstate: str, kind: type[Exception]
) -> None:
    desk = opened_desk(emptied(postgres_ledger))
    staging = begin(desk.ledger, desk.new(key="k"))
    with refusing(desk.ledger, sqlstate), pytest.raises(kind) as refused:
        staging.add(desk.placed(3, 3))
    assert refused.value.orig.sqlstate == sqlstate
    assert str(FIRST_NUMBER)[:6] not in str(refused.value)
    assert refused.value.__context__ is None
    staging.abandon()
    assert desk.counts(desk.accept(3, key="k")) == {"requested": 3}


def test_a_session_that_is_lost_while_numbers_go_in_is_a_ledger_that_is_away(postgres_ledger: Ledger) -> None:
    desk = opened_desk(emptied(postgres_ledger))
    staging = begin(desk.ledger, desk.new(key="k"))

    def rows(pid: int) -> Iterator[tuple[int, int, int, int]]:
        with desk.ledger.write() as tx:
            tx.run(sa.text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
        yield 1, 0, FIRST_NUMBER, 1

    def insert() -> None:
        with desk.ledger.write() as tx:
            staging_module._insert_numbers(tx, rows(tx.connection.connection.driver_connection.info.backend_pid))

    with pytest.raises(sa.exc.OperationalError):
        insert()
    staging.add(desk.placed(3, 3))
    staging.seal()


def test_an_import_is_sealed_once(desk: Desk) -> None:
    staging = desk.stage(2)
    staging.seal()
    with pytest.raises(InProgress):
        staging.seal()
    assert len(desk.rows(schema.work)) == 1


def test_what_is_taken_back_leaves_nothing_and_frees_its_key(desk: Desk) -> None:
    desk.stage(3, refused=ROWS, key="k").abandon()
    assert not any(map(desk.rows, (schema.imports, schema.orders, schema.numbers, schema.refused_rows)))
    desk.accept(1, key="k")


def test_a_sealed_import_cannot_be_taken_back(desk: Desk) -> None:
    staging = desk.stage(2)
    staging.seal()
    staging.abandon()
    assert desk.counts(staging.import_id) == {"requested": 2}


def test_keys_are_optional(desk: Desk) -> None:
    assert desk.accept(1) != desk.accept(1)


def test_imports_with_the_same_wish_share_one_search_for_their_application(desk: Desk) -> None:
    for _ in range(2):
        desk.accept(1, application=desk.wish(name="ours", url="https://us"))
    assert len(desk.rows(schema.applications)) == 1
    assert len(desk.rows(schema.work, task="tnimport.ensure_application")) == 1


def test_an_application_that_is_known_is_not_searched_for(desk: Desk) -> None:
    desk.accept(1)
    assert not desk.rows(schema.work, task="tnimport.ensure_application")


def test_a_refusal_of_an_application_leaves_an_import_that_is_not_sealed_alone(desk: Desk) -> None:
    wish = desk.wish(name="ours", url="https://us")
    early = desk.accept(1, application=wish)
    late = desk.stage(1, application=wish)
    applications.refused(desk.ledger, desk.run(Lane.APPLICATIONS), "no-such-thing", "No.")
    late.seal()
    assert desk.state(early) == "failed"
    assert desk.state(late.import_id) == "queued"
    assert len(desk.rows(schema.work, task="tnimport.ensure_application")) == 1


def test_a_removal_begins_with_a_look_at_every_number(desk: Desk) -> None:
    desk.accept(5, 3, action=Action.REMOVE)
    works = desk.rows(schema.work)
    assert {(work.task, work.lane, work.look) for work in works} == {("tnimport.release_numbers", "lookups", True)}
    assert [(work.first, work.last) for work in works] == [(0, 3), (0, 2)]


def test_reasons_of_a_refused_request_are_kept_and_the_latest_counts(desk: Desk) -> None:
    assert reads.refusal(desk.ledger, "k") is None
    reads.remember_refusal(desk.ledger, "k", [{"code": "old"}])
    reads.remember_refusal(desk.ledger, "k", [{"code": "new"}])
    assert reads.refusal(desk.ledger, "k") == [{"code": "new"}]
