import csv
import io
import json
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reasons import reason_for
from tnimport.intake.columns import layout_of
from tnimport.ledger.reading.listing import NumberView
from tnimport.web.imports.rendering import AGAIN, BATCH, COLUMNS, csv_text, instant, ndjson, number_json
from tnimport.web.wire.schemas import Number

OURS = {"order_id": 3, "carrier_order_id": "o-1"}
GOOD = NumberView(number="+19195551234", line=1, state="imported", number_id="n-1", updated_at=0.25, **OURS)


def _rows(*views: NumberView) -> list[dict[str, str]]:
    text = b"".join(csv_text(views)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_of_csv_is_a_number_and_what_became_of_it() -> None:
    (row,) = _rows(GOOD)
    assert next(iter(row)) == "number"
    assert (row["number"], row["line"], row["state"]) == ("+19195551234", "1", "imported")
    assert (row["order"], row["order_id"]) == ("3", "o-1")
    assert row["updated_at"] == "1970-01-01T00:00:00.250Z"


@given(
    numbers=st.lists(st.integers(9192380000, 9192389999), min_size=1, max_size=5),
    order=st.uuids(),
    number_id=st.from_regex(r"n-[a-z0-9]{10,30}", fullmatch=True),
    code=st.sampled_from(["7518", "duplicate-number", "http_401"]),
)
def test_an_export_can_be_posted_again_as_it_is(numbers: list[int], order: UUID, number_id: str, code: str) -> None:
    common = {"state": "failed", "code": code, "number_id": number_id, "carrier_order_id": str(order), "order_id": 3}
    views = [NumberView(number=f"+1{tn}", line=at, updated_at=1.8e9, **common) for at, tn in enumerate(numbers, 1)]
    lines = b"".join(csv_text(views)).decode().splitlines()
    layout = layout_of(lines, None)
    assert (layout.column, layout.guessed, layout.skip) == (0, False, 1)


def test_a_row_that_is_no_number_is_told_as_it_came() -> None:
    (row,) = _rows(NumberView(number="hello", line=1, state="rejected", code="bad_length"))
    assert row["number"] == "hello"
    assert row["fix"]
    assert row["retryable"] == "false"


@given(text=st.text(max_size=40))
def test_no_free_text_can_be_taken_for_a_formula(text: str) -> None:
    view = NumberView(number=text, line=1, state="rejected", code="x", description=text, number_id=text)
    raw = b"".join(csv_text([view])).decode(errors="surrogatepass")
    _, row = csv.reader(io.StringIO(raw, newline=""))
    for name in ("number", "description", "number_id"):
        cell = row[COLUMNS.index(name)]
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or re.fullmatch(r"\+1[0-9]{10}", cell)
        if not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and (text or name != "description"):
            assert cell == text


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 3 * BATCH])
def test_every_row_is_exported_once_in_pieces(count: int) -> None:
    views = [NumberView(number=f"+1919555{n:04}", line=n, state="imported") for n in range(count)]
    pieces = list(ndjson(views))
    assert [json.loads(line)["line"] for line in b"".join(pieces).splitlines()] == list(range(count))
    assert len(pieces) == -(-count // BATCH)
    assert len(_rows(*views)) == count


def test_a_row_in_json_has_the_promised_shape() -> None:
    Number.model_validate(number_json(GOOD))
    Number.model_validate(number_json(NumberView(number="x", line=1, state="failed", code="never seen")))


@pytest.mark.parametrize(("state", "told"), [("failed", AGAIN), ("available", reason_for("5086").fix)])
def test_a_number_that_failed_of_a_passing_fault_is_not_said_to_be_tried_again(state: str, told: str) -> None:
    assert number_json(NumberView(number="+19195550001", line=1, state=state, code="5086"))["fix"] == told


def test_a_failure_carries_the_fix_of_its_code_and_its_own_description() -> None:
    told = number_json(NumberView(number="x", line=1, state="failed", code="7518", description="as Bandwidth said it"))
    assert told["description"] == "as Bandwidth said it"
    assert told["fix"]
    assert isinstance(told["retryable"], bool)


def test_no_time_is_no_instant() -> None:
    assert instant(None) is None
