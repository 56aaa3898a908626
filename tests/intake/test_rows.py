import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reasons import is_known
from tnimport.intake.formats import value_items
from tnimport.intake.problems import Refused
from tnimport.intake.rows import Row, Rows

ONE, TWO, THREE = "9195551234", "4155551235", "8005551236"
TYPES = ["text/csv", "text/plain", "application/x-ndjson", "application/json"]


def body_of(media_type: str, numbers: list[str]) -> str:
    if media_type == "application/json":
        return json.dumps({"numbers": numbers})
    lines = map(json.dumps, numbers) if "ndjson" in media_type else numbers
    return "\n".join(lines) + "\n"


def kinds(rows: Iterable[Row]) -> list[tuple[int, str]]:
    return [(row.line, row.kind) for row in rows]


@pytest.mark.parametrize("media_type", TYPES)
def test_every_format_tells_numbers_rejects_duplicates_and_blanks_with_their_lines(
    read: Callable[..., list[Row]], media_type: str
) -> None:
    rows = read(body_of(media_type, [ONE, "", "+1 (919) 555-1234", "911", TWO]), media_type)
    assert kinds(rows) == [(1, "number"), (2, "blank"), (3, "duplicate"), (4, "rejected"), (5, "number")]
    assert [row.number for row in rows] == [ONE, None, ONE, None, TWO]
    assert rows[2].first_line == 1
    assert (rows[3].code, rows[3].text) == ("too_short", "911")
    assert rows[3].detail
    assert rows[3].fix


@pytest.mark.parametrize("media_type", TYPES)
def test_every_format_may_be_gzipped(read: Callable[..., list[Row]], media_type: str) -> None:
    assert kinds(read(gzip.compress(body_of(media_type, [ONE, TWO]).encode()), media_type)) == [
        (1, "number"),
        (2, "number"),
    ]


@pytest.mark.parametrize("media_type", TYPES)
def test_a_list_without_numbers_is_a_list(read: Callable[..., list[Row]], media_type: str) -> None:
    assert read(body_of(media_type, []).strip(), media_type) == []


def test_json_takes_bare_integers_and_objects(read: Callable[..., list[Row]]) -> None:
    numbers = [9195551234, 14155551235, 8005551236.0, {"number": "212-555-1237", "client_ref": 7}, {"number": None}]
    rows = read(json.dumps({"numbers": numbers}), "application/json")
    assert [row.number for row in rows] == [ONE, TWO, THREE, "2125551237", None]
    assert rows[3].client_ref == "7"
    assert rows[4].code == "empty_number"


@pytest.mark.parametrize("value", [True, [ONE], {"number": [ONE]}, {"number": False}])
def test_a_json_value_that_is_no_number_is_rejected(read: Callable[..., list[Row]], value: object) -> None:
    (row,) = read(json.dumps({"numbers": [value]}), "application/json")
    assert (row.kind, row.code) == ("rejected", "not_a_number")


def test_an_object_without_number_and_a_null_are_told_apart(read: Callable[..., list[Row]]) -> None:
    rows = read('{"numbers": [{}, null, {"number": ""}]}', "application/json")
    assert [(row.kind, row.code) for row in rows] == [
        ("rejected", "empty_number"),
        ("blank", None),
        ("rejected", "empty_number"),
    ]


def test_an_ndjson_line_that_is_no_json_is_rejected_and_the_rest_goes_on(read: Callable[..., list[Row]]) -> None:
    deep = "[" * 100_000
    rows = read(f'"{ONE}"\n+19195551234\n{{"number": 4155551235, "client_ref": "a"}}\n{deep}\n', "application/x-ndjson")
    assert [(row.kind, row.code) for row in rows] == [
        ("number", None),
        ("rejected", "unreadable_row"),
        ("number", None),
        ("rejected", "unreadable_row"),
    ]
    assert rows[2].client_ref == "a"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ("", "", "unreadable_json"),
        ("{", "", "unreadable_json"),
        ("[" * 100_000, "", "unreadable_json"),
        ('["9195551234"]', "", "unreadable_json"),
        ("{}", "/numbers", "required"),
        ('{"numbers": "9195551234"}', "/numbers", "invalid_value"),
    ],
)
def test_json_that_holds_no_list_of_numbers_is_refused(
    read: Callable[..., list[Row]], body: str, pointer: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(body, "application/json")
    assert [(one.pointer, one.code) for one in refused.value.problems] == [(pointer, code)]
    assert is_known(code)


@pytest.mark.parametrize("media_type", ["application/xml", "multipart/form-data; boundary=x", ""])
def test_other_media_types_are_refused(read: Callable[..., list[Row]], media_type: str) -> None:
    with pytest.raises(Refused, match="unsupported_media_type"):
        read(ONE, media_type)


def test_media_types_are_read_with_parameters_and_in_any_case(read: Callable[..., list[Row]]) -> None:
    assert kinds(read(f"{ONE}\n", "Text/CSV; header=absent; Charset=UTF-8")) == [(1, "number")]


def test_a_heading_of_plain_text_is_no_row(read: Callable[..., list[Row]]) -> None:
    assert kinds(read(f"Phone Number\n{ONE}\n", "text/plain")) == [(2, "number")]


def test_warnings_are_counted_while_rows_are_read(opened: Callable[..., Rows]) -> None:
    rows = opened(b"2225551234\n2225551235\n1-800-FLOWERS\n", "text/plain")
    assert len(list(rows)) == 3
    assert rows.warnings == Counter(unknown_area_code=2, vanity_number=1)


texts = st.sampled_from([ONE, f"+1{ONE}", TWO, THREE, "", "  ", "911", "n/a", "9E9", "(919) 555-1234"])


@given(st.lists(texts, max_size=40))
def test_every_row_is_in_one_bucket_and_a_duplicate_names_the_row_that_counts(given: list[str]) -> None:
    rows = list(Rows(value_items(given)))
    assert [row.line for row in rows] == list(range(1, len(given) + 1))
    numbers = {row.number: row.line for row in rows if row.kind == "number"}
    assert len(numbers) == sum(row.kind == "number" for row in rows)
    assert all(numbers[row.number] == row.first_line < row.line for row in rows if row.kind == "duplicate")
    assert all(row.number is None for row in rows if row.kind in {"blank", "rejected"})


def test_the_list_may_have_as_many_rows_as_allowed_and_no_more(read: Callable[..., list[Row]]) -> None:
    assert len(read(f"{ONE}\n\n", "text/plain", max_rows=2)) == 2
    with pytest.raises(Refused, match="too_many_rows"):
        read(f"{ONE}\n\n\n", "text/plain", max_rows=2)


def test_what_is_wrong_with_a_whole_body_is_known_before_its_rows_are_asked_for(opened: Callable[..., Rows]) -> None:
    with pytest.raises(Refused, match="no_number_column"):
        opened(b"a,b\nc,d\n")
