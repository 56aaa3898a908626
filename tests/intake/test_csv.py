import io
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reasons import WARNINGS, is_known
from tnimport.intake.problems import Refused
from tnimport.intake.rows import Row, Rows, read_rows

ONE, TWO, THREE = "9195551234", "4155551235", "8005551236"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_splits_all_rows_alike(read: Callable[..., list[Row]], delimiter: str) -> None:
    body = "\r\n".join(delimiter.join(cells) for cells in [("name", "Phone Number"), ("Bob", ONE), ("Eve", TWO)])
    assert [(row.line, row.number) for row in read(body)] == [(2, ONE), (3, TWO)]


@pytest.mark.parametrize(
    "numbers",
    [
        ["+19195551234", "+14155551235"],
        ["(919) 555-1234", "(415) 555-1235"],
        ["919-555-1234", "415-555-1235"],
        ["1 919 555 1234", "1 415 555 1235"],
        ['"9195551234"', '"4155551235"'],
        ['="9195551234"', '="4155551235"'],
    ],
)
def test_one_column_of_numbers_needs_no_delimiter(read: Callable[..., list[Row]], numbers: list[str]) -> None:
    assert [(row.line, row.number) for row in read("\n".join(numbers))] == [(1, ONE), (2, TWO)]


@pytest.mark.parametrize(
    "heading",
    ["phone", "Phone Number", "PHONE_NUMBER", "tn", "Telephone", "number", "DID", "MSISDN", "mobile", "E.164"],
)
def test_the_number_column_is_known_by_its_heading(read: Callable[..., list[Row]], heading: str) -> None:
    rows = read(f"id,{heading},city\n1,{ONE},Raleigh\n2,junk,Cary\n")
    assert [(row.line, row.number, row.code) for row in rows] == [(2, ONE, None), (3, None, "not_a_number")]


def test_a_file_without_headings_is_known_by_its_first_row(opened: Callable[..., Rows]) -> None:
    rows = opened(f"Bob,{ONE}\nEve,{TWO}\n".encode())
    assert [(row.line, row.number) for row in rows] == [(1, ONE), (2, TWO)]
    assert rows.warnings == Counter(column_guessed=1)


def test_headings_of_another_language_are_headings_if_numbers_follow(opened: Callable[..., Rows]) -> None:
    rows = opened(f"Kunde;Rufnummer\nBob;{ONE}\n".encode())
    assert [(row.line, row.number) for row in rows] == [(2, ONE)]
    assert set(rows.warnings) == {"column_guessed"} <= set(WARNINGS)


def test_a_broken_number_in_the_first_row_is_a_row_and_no_heading(read: Callable[..., list[Row]]) -> None:
    assert [(row.line, row.kind) for row in read(f"919555123\n{ONE}\n")] == [(1, "rejected"), (2, "number")]


def test_a_file_of_junk_is_a_file_of_rejected_rows(read: Callable[..., list[Row]]) -> None:
    assert [(row.line, row.kind) for row in read("junk\nmore junk\n")] == [(1, "rejected"), (2, "rejected")]


def test_a_file_of_headings_only_has_no_rows(read: Callable[..., list[Row]]) -> None:
    assert read("name,phone\n") == []


def test_blank_rows_are_counted_and_a_row_without_its_number_is_rejected(read: Callable[..., list[Row]]) -> None:
    rows = read(f"name,phone\n\nBob,{ONE}\n,\nEve,\nJim\n\n")
    assert [(row.line, row.kind, row.code) for row in rows] == [
        (2, "blank", None),
        (3, "number", None),
        (4, "blank", None),
        (5, "rejected", "empty_number"),
        (6, "rejected", "empty_number"),
        (7, "blank", None),
    ]


def test_lines_are_physical_lines_even_when_a_cell_spans_several(read: Callable[..., list[Row]]) -> None:
    rows = read(f'note,phone\n"two\nlines",{ONE}\nplain,{TWO}\n')
    assert [(row.line, row.number) for row in rows] == [(2, ONE), (4, TWO)]


def test_a_heading_client_ref_gives_each_row_its_own(read: Callable[..., list[Row]]) -> None:
    rows = read(f"client_ref,phone\na,{ONE}\n,{TWO}\n")
    assert [row.client_ref for row in rows] == ["a", None]


def test_a_line_that_tells_the_delimiter_is_obeyed_and_no_row(read: Callable[..., list[Row]]) -> None:
    assert [(row.line, row.number) for row in read(f"sep=;\nname;phone\nB,b;{ONE}\n")] == [(3, ONE)]


def test_decimal_commas_do_not_hide_the_semicolon(read: Callable[..., list[Row]]) -> None:
    rows = read(f"name;phone\nBob;9,195551234E+09\nEve;{TWO}\n")
    assert [row.number for row in rows] == [ONE, TWO]


def test_a_second_number_in_one_row_does_not_make_a_column(read: Callable[..., list[Row]]) -> None:
    rows = read(f"{ONE}\n{TWO};{THREE}\n" + "".join(f"21255512{n:02}\n" for n in range(20)))
    assert rows[1].code == "second_number"
    assert Counter(row.kind for row in rows) == Counter(number=21, rejected=1)


@pytest.mark.parametrize(
    "body",
    [
        f"phone,mobile\n{ONE},{TWO}\n",
        f"phone,fax\n{ONE},{TWO}\n",
        f"{ONE},{TWO}\n{TWO},{ONE}\n",
        "phone,mobile\n,\n",
        f"phone,other\n,{ONE}\n,{TWO}\n",
    ],
)
def test_two_columns_that_may_hold_the_numbers_are_refused(read: Callable[..., list[Row]], body: str) -> None:
    with pytest.raises(Refused) as refused:
        read(body)
    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == ("/column", "several_number_columns")
    assert "1" in problem.detail
    assert "2" in problem.detail


@pytest.mark.parametrize(("column", "number"), [("phone", ONE), ("PHONE", ONE), ("mobile", TWO), ("1", ONE)])
def test_the_caller_may_name_the_column(read: Callable[..., list[Row]], column: str, number: str) -> None:
    assert [row.number for row in read(f"phone,mobile\n{ONE},{TWO}\n", column=column)] == [number]


@pytest.mark.parametrize("column", ["fax", "0", "3", "", "9999999999999999"])
def test_a_column_that_is_not_there_is_refused(read: Callable[..., list[Row]], column: str) -> None:
    with pytest.raises(Refused, match="/column: unknown_column"):
        read(f"phone,mobile\n{ONE},{TWO}\n", column=column)


def test_of_two_headings_the_one_with_numbers_below_is_taken(read: Callable[..., list[Row]]) -> None:
    assert [row.number for row in read(f"number,phone\n12 Main St,{ONE}\n7 Elm St,{TWO}\n")] == [ONE, TWO]


@pytest.mark.parametrize("cell", ["2026-11-23T17:43:10.793Z", "9fb0aadf-86b4-4c56-9f28-02ab6c624363"])
@pytest.mark.parametrize("heading", ["since,phone", "seit,rufnr"])
def test_times_and_ids_that_resemble_damaged_numbers_are_no_second_column(
    read: Callable[..., list[Row]], heading: str, cell: str
) -> None:
    assert [row.number for row in read(f"{heading}\n{cell},{ONE}\n{cell},{TWO}\n")] == [ONE, TWO]


def test_a_column_in_which_every_number_is_damaged_is_still_the_column(read: Callable[..., list[Row]]) -> None:
    assert [row.code for row in read("Bob;9,19556E+09\nEve;9,19556E+09\n")] == ["digits_lost", "digits_lost"]


def test_columns_without_any_number_are_refused(read: Callable[..., list[Row]]) -> None:
    with pytest.raises(Refused, match="no_number_column"):
        read("name,city\nBob,Raleigh\nEve,Cary\n")


@pytest.mark.parametrize("body", [f'phone\n{ONE}\n"{TWO}\n', f'phone\n{ONE}\n"{TWO}"x\n', "phone\n" + "9" * 200_000])
def test_broken_quotation_and_endless_fields_are_refused_with_their_line(
    read: Callable[..., list[Row]], body: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(body)
    (problem,) = refused.value.problems
    assert problem.code == "broken_csv"
    assert problem.line in {None, 2, 3}


def test_a_file_of_blank_lines_is_a_file_of_blank_rows(read: Callable[..., list[Row]]) -> None:
    assert [(row.line, row.kind) for row in read("\n \n\n")] == [(1, "blank"), (2, "blank"), (3, "blank")]


@given(st.text(alphabet='ab19+-(),;|\t"\n =\x00é', max_size=60))
def test_whatever_a_file_holds_each_line_is_a_row_or_the_file_is_refused(text: str) -> None:
    lines, codes = _lines_or_codes(text)
    assert all(map(is_known, codes))
    assert len(set(lines)) == len(lines)
    assert codes or '"' in text or text.count("\n") <= len(lines) + 1


def _lines_or_codes(text: str) -> tuple[list[int], list[str]]:
    try:
        return [row.line for row in read_rows(io.BytesIO(text.encode()), "text/csv")], []
    except Refused as refused:
        return [], [one.code for one in refused.problems]
