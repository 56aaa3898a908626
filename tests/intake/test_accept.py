import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.intake.accept import Accepted, InProgress, KeyConflict, accept
from tnimport.intake.payload import Submission, from_body, from_object
from tnimport.intake.problems import Refused
from tnimport.intake.rows import Row
from tnimport.ledger import schema
from tnimport.ledger.engine import Ledger

ACCOUNT = Account(name="default", account_id="9999999", site_id="743", application_id="a-1", order_size=2)
ACCOUNTS = {"default": ACCOUNT}
NUMBERS = ["9195551234", "8005551234", "+19195551234", "", "9195551235", "911", "9195551236"]

Table = Callable[[sa.Table], list[dict[str, Any]]]


@pytest.fixture
def ledger(migrated_url: str) -> Iterator[Ledger]:
    ledger = Ledger(migrated_url)
    yield ledger
    ledger.close()


@pytest.fixture
def table(ledger: Ledger) -> Table:
    def table(of: sa.Table) -> list[dict[str, Any]]:
        with ledger.read() as tx:
            return [dict(row._mapping) for row in tx.run(sa.select(of).order_by(*of.primary_key))]

    return table


def submitted(ledger: Ledger, submission: Submission, key: str | None = None) -> Accepted:
    return accept(ledger, submission.request, submission.rows, key=key, fingerprint=submission.fingerprint)


def test_every_row_finds_its_place_in_the_ledger(ledger: Ledger, table: Table) -> None:
    accepted = submitted(ledger, from_object({"numbers": NUMBERS, "client_ref": "r"}, ACCOUNTS))
    (row,) = table(schema.imports)
    assert (row["id"], row["client_ref"], accepted.replayed) == (accepted.import_id, "r", False)
    told = {name: row[name] for name in ("rows", "requested", "rejected", "duplicate", "blank")}
    assert told == {"rows": 7, "requested": 4, "rejected": 1, "duplicate": 1, "blank": 1}
    assert [(o["seq"], o["kind"], o["size"]) for o in table(schema.orders)] == [
        (0, "local", 2),
        (1, "toll_free", 1),
        (2, "local", 1),
    ]
    assert [(n["tn"], n["pos"], n["line"]) for n in table(schema.numbers)] == [
        (9195551234, 0, 1),
        (9195551235, 1, 5),
        (8005551234, 0, 2),
        (9195551236, 0, 7),
    ]
    assert [(r["line"], r["kind"], r["text"], r["first_line"]) for r in table(schema.refused_rows)] == [
        (3, "duplicate", "+19195551234", 1),
        (6, "rejected", "911", None),
    ]


def test_the_same_key_and_request_give_the_same_import_and_read_no_row(ledger: Ledger, table: Table) -> None:
    first = submitted(ledger, from_object({"numbers": NUMBERS}, ACCOUNTS), "k")
    submission = from_object({"numbers": NUMBERS}, ACCOUNTS)
    unread = iter(submission.rows)
    again = accept(ledger, submission.request, unread, key="k", fingerprint=submission.fingerprint)
    assert again == Accepted(first.import_id, replayed=True)
    assert next(unread).line == 1
    assert len(table(schema.imports)) == 1


def test_the_same_key_with_another_request_is_a_conflict(ledger: Ledger) -> None:
    submitted(ledger, from_object({"numbers": NUMBERS}, ACCOUNTS), "k")
    with pytest.raises(KeyConflict):
        submitted(ledger, from_object({"numbers": NUMBERS, "on_present": "fail"}, ACCOUNTS), "k")


def test_the_same_request_while_the_first_is_being_read_is_told_so(ledger: Ledger) -> None:
    submission = from_object({"numbers": NUMBERS}, ACCOUNTS)

    def rows() -> Iterator[Row]:
        with pytest.raises(InProgress):
            submitted(ledger, from_object({"numbers": NUMBERS}, ACCOUNTS), "k")
        yield from submission.rows

    accept(ledger, submission.request, rows(), key="k", fingerprint=submission.fingerprint)


def test_requests_without_a_key_are_imports_of_their_own(ledger: Ledger, table: Table) -> None:
    for _ in range(2):
        submitted(ledger, from_object({"numbers": ["9195551234"]}, ACCOUNTS))
    assert len(table(schema.imports)) == 2


def test_a_strict_request_is_refused_for_its_rejected_rows_and_leaves_nothing(ledger: Ledger, table: Table) -> None:
    numbers = [*NUMBERS, *["bad"] * 150]
    with pytest.raises(Refused) as refused:
        submitted(ledger, from_object({"numbers": numbers, "strict": True}, ACCOUNTS), "k")
    problems = refused.value.problems
    assert len(problems) == 100
    assert [(one.code, one.line) for one in problems[:2]] == [("too_short", 6), ("not_a_number", 8)]
    assert all(table(of) == [] for of in (schema.imports, schema.orders, schema.numbers, schema.refused_rows))
    good = submitted(ledger, from_object({"numbers": ["9195551234"], "strict": True}, ACCOUNTS), "k")
    assert not good.replayed


def test_duplicates_and_blanks_do_not_offend_a_strict_request(ledger: Ledger) -> None:
    numbers = ["9195551234", "", "9195551234"]
    assert not submitted(ledger, from_object({"numbers": numbers, "strict": True}, ACCOUNTS)).replayed


def test_a_body_that_breaks_off_leaves_nothing(ledger: Ledger, table: Table) -> None:
    lines = "".join(f"{number}\n" for number in range(9195560000, 9195572000))
    cut = gzip.compress(lines.encode())[:-9]
    submission = from_body({}, "text/plain", io.BytesIO(cut), ACCOUNTS)
    with pytest.raises(Refused, match="bad_gzip"):
        submitted(ledger, submission, "k")
    assert table(schema.imports) == table(schema.numbers) == []


def test_ten_thousand_numbers_fill_their_orders(ledger: Ledger, table: Table) -> None:
    wide = {"default": Account(name="default", account_id="1", site_id="1", application_id="a", order_size=1000)}
    numbers = list(range(9195560000, 9195570000))
    submitted(ledger, from_object({"numbers": numbers}, wide))
    assert [order["size"] for order in table(schema.orders)] == [1000] * 10
    assert sorted(row["tn"] for row in table(schema.numbers)) == numbers


def test_no_valid_number_is_an_import_that_is_finished(ledger: Ledger, table: Table) -> None:
    submitted(ledger, from_object({"numbers": ["", "911"]}, ACCOUNTS))
    (row,) = table(schema.imports)
    assert (row["rows"], row["requested"], row["finished_at"] is not None) == (2, 0, True)


@pytest.mark.parametrize("text", ["\0bad", "bad\ud800", "x" * 500])
def test_text_that_a_database_cannot_hold_is_made_storable(ledger: Ledger, table: Table, text: str) -> None:
    submitted(ledger, from_object({"numbers": [text]}, ACCOUNTS))
    (row,) = table(schema.refused_rows)
    assert 0 < len(row["text"]) <= 200


def test_equal_wishes_for_an_application_share_one(ledger: Ledger, table: Table) -> None:
    wish = {"name": "MyApp", "incoming_message_url": "https://hooks.example/"}
    for numbers in (["9195551234"], ["9195551235"]):
        submitted(ledger, from_object({"numbers": numbers, "application": wish}, ACCOUNTS))
    submitted(ledger, from_object({"numbers": [], "application": {**wish, "callback_http_method": "GET"}}, ACCOUNTS))
    rows = table(schema.applications)
    assert [(row["name"], row["url"], row["application_id"]) for row in rows] == [
        ("MyApp", "https://hooks.example/", None)
    ] * 2
    assert rows[1]["spec"] == {**wish, "callback_http_method": "GET"}


def test_a_removal_has_no_application(ledger: Ledger, table: Table) -> None:
    submitted(ledger, from_object({"numbers": ["9195551234"], "action": "REMOVE"}, ACCOUNTS))
    (row,) = table(schema.imports)
    assert (row["action"], row["application_ref"]) == ("REMOVE", None)
    assert table(schema.applications) == []


def test_two_at_once_with_one_key_make_one_import(ledger: Ledger, table: Table) -> None:
    ends: list[object] = []
    together = threading.Barrier(4, timeout=30)

    def submit() -> None:
        submission = from_object({"numbers": NUMBERS}, ACCOUNTS)
        with ledger.read():  # connections are made before the race, not in it
            together.wait()
        try:
            ends.append(submitted(ledger, submission, "k"))
        except InProgress as busy:
            ends.append(busy)

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 4
    assert len(table(schema.imports)) == 1


def test_an_object_is_left_as_it_was_given() -> None:
    fields = {"numbers": ["9195551234"], "strict": True}
    list(from_object(fields, ACCOUNTS).rows)
    assert fields == {"numbers": ["9195551234"], "strict": True}


@pytest.mark.parametrize(
    "fields", [{"numbers": ["9195551234"], "client_ref": "a"}, {"client_ref": "a", "numbers": ["9195551234"]}]
)
def test_the_order_of_fields_does_not_make_another_request(fields: dict[str, Any]) -> None:
    assert (
        from_object(fields, ACCOUNTS).fingerprint == from_object(dict(reversed(fields.items())), ACCOUNTS).fingerprint
    )


def test_a_json_body_holds_its_options() -> None:
    body = json.dumps({"numbers": [9195551234], "client_ref": "r"}).encode()
    submission = from_body({}, "application/json", io.BytesIO(body), ACCOUNTS)
    assert submission.request.client_ref == "r"
    assert [row.number for row in submission.rows] == ["9195551234"]


def test_a_csv_body_has_its_options_in_the_query() -> None:
    body = io.BytesIO(b"phone,mobile\n9195551234,4155551234\n")
    submission = from_body({"client_ref": "r", "column": "mobile"}, "text/csv", body, ACCOUNTS)
    assert submission.request.client_ref == "r"
    assert [row.number for row in submission.rows] == ["4155551234"]


def test_what_is_wrong_with_options_and_body_is_told_together() -> None:
    with pytest.raises(Refused) as of_json:
        from_body({"strict": "1"}, "application/json", io.BytesIO(b'{"action": "ADD"}'), ACCOUNTS)
    with pytest.raises(Refused) as of_csv:
        from_body({"action": "ADD"}, "text/csv", io.BytesIO(b"phone,mobile\n9195551234,4155551234\n"), ACCOUNTS)
    with pytest.raises(Refused) as of_object:
        from_object({"numbers": None, "action": "ADD"}, ACCOUNTS)
    assert {one.pointer for one in of_json.value.problems} == {"/strict", "/numbers", "/action"}
    assert {one.pointer for one in of_csv.value.problems} == {"/action", "/column"}
    assert {one.pointer for one in of_object.value.problems} == {"/numbers", "/action"}


def test_query_type_and_body_all_count_in_the_fingerprint() -> None:
    def told(parameters: dict[str, str], media_type: str, body: bytes) -> str:
        return from_body(parameters, media_type, io.BytesIO(body), ACCOUNTS).fingerprint

    same = told({"client_ref": "a"}, "text/csv", b"9195551234")
    assert same == told({"client_ref": "a"}, "text/csv", b"9195551234")
    others = {
        told({"client_ref": "b"}, "text/csv", b"9195551234"),
        told({"client_ref": "a"}, "text/plain", b"9195551234"),
        told({"client_ref": "a"}, "text/csv", b"9195551235"),
    }
    assert len(others | {same}) == 4
