import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reasons import reason_for
from tnimport.ledger.listing import NumberView
from tnimport.web.rendering import AGAIN, BATCH, COLUMNS, csv_text, instant, ndjson, number_json
from tnimport.web.schemas import Number

GOOD = NumberView(number="+19195551234", line=1, state="imported", number_id="n-1", order_id=3, updated_at=0.25)


def _rows(*views: NumberView) -> list[dict[str, str]]:
    text = b"".join(csv_text(views)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_first_column_is_the_ten_digits() -> None:
    (row,) = _rows(GOOD)
    assert next(iter(row)) == "tn"
    assert (row["tn"], row["number"], row["line"], row["state"]) == ("9195551234", "+19195551234", "1", "imported")
    assert row["updated_at"] == "1970-01-01T00:00:00.250Z"


def test_a_row_that_is_no_number_has_no_ten_digits() -> None:
    (row,) = _rows(NumberView(number="hello", line=1, state="rejected", code="bad_length"))
    assert (row["tn"], row["number"]) == ("", "hello")
    assert row["fix"]
    assert row["retryable"] == "false"


@given(text=st.text(max_size=40))
def test_no_free_text_can_be_taken_for_a_formula(text: str) -> None:
    view = NumberView(number=text, line=1, state="rejected", code="x", description=text, number_id=text)
    raw = b"".join(csv_text([view])).decode(errors="surrogatepass")
    _, row = csv.reader(io.StringIO(raw, newline=""))
    for name in ("number", "description", "number_id"):
        cell = row[COLUMNS.index(name)]
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or cell == "+1" + row[0]
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
