# ruff: noqa: RUF001 - look-alike characters are what these tests are about
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reasons import WARNINGS, is_known, reason_for
from tnimport.domain.telephone import (
    TOLL_FREE,
    Rejection,
    Telephone,
    is_toll_free,
    mask,
    parse,
    structural_fault,
    to_e164,
    to_ten,
)

GOOD = "9195551234"

READ_AS_GOOD = [
    "9195551234",
    "19195551234",
    "+19195551234",
    "+1 919 555 1234",
    "1-919-555-1234",
    "919-555-1234",
    "919.555.1234",
    "919 555 1234",
    "(919) 555-1234",
    "(919)555-1234",
    "+1 (919) 555-1234",
    "+1(919)5551234",
    "(+1) 919-555-1234",
    "[919] 555-1234",
    "919/555-1234",
    "919 / 555 1234",
    "919 555 12 34",
    "(9 1 9) 5551234",
    "  9195551234\t",
    "9195551234,",
    "9195551234;",
    "9195551234.0",
    "19195551234.00",
    "9.195551234E9",
    "9.195551234E+09",
    "9,195551234E+09",
    "1.9195551234e10",
    "9,195,551,234",
    "19,195,551,234",
    '="9195551234"',
    '= "(919) 555-1234"',
    "'9195551234",
    "'+19195551234",
    '"9195551234"',
    "９１９５５５１２３４",
    "（９１９）５５５－１２３４",
    "＋１９１９５５５１２３４",
    "٩١٩٥٥٥١٢٣٤",
    "\u202a9195551234\u202c",
    "\u200e+1 919 555 1234",
    "\ufeff9195551234",
    "919\u2011555\u20111234",
    "919–555–1234",
    "919\u00a0555\u00a01234",
    "tel:+1-919-555-1234",
    "TEL:9195551234",
    "sms:+19195551234",
]


@pytest.mark.parametrize("text", READ_AS_GOOD)
def test_every_human_form_of_a_number_is_read_as_its_ten_digits(text: str) -> None:
    assert parse(text) == Telephone(GOOD)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_number"),
        ("   ", "empty_number"),
        ("''", "empty_number"),
        ('=""', "empty_number"),
        ("n/a", "not_a_number"),
        ("+", "not_a_number"),
        ("()", "not_a_number"),
        ("-9195551234", "not_a_number"),
        ("919555O123", "not_a_number"),
        ("919,555,1234", "not_a_number"),
        ("9195551234.5", "not_a_number"),
        ("1919555123.4", "not_a_number"),
        ("9195551234 1", "not_a_number"),
        ("91955512341/5", "not_a_number"),
        ("919555123²", "not_a_number"),
        ("9" * 65, "not_a_number"),
        ("1-800-FLOWERSS", "not_a_number"),
        ("919555123", "too_short"),
        ("1", "too_short"),
        ("91955512345", "too_long"),
        ("919555123456", "too_long"),
        ("5551234", "missing_area_code"),
        ("555-1234", "missing_area_code"),
        ("+44 20 7946 0000", "foreign_number"),
        ("+9195551234", "foreign_number"),
        ("+999", "foreign_number"),
        ("0019195551234", "foreign_number"),
        ("011 1 919 555 1234", "foreign_number"),
        ("1195551234", "invalid_area_code"),
        ("0195551234", "invalid_area_code"),
        ("2905551234", "invalid_area_code"),
        ("3705551234", "reserved_area_code"),
        ("9625551234", "reserved_area_code"),
        ("8225551234", "reserved_area_code"),
        ("8805551234", "reserved_area_code"),
        ("8875551234", "reserved_area_code"),
        ("8895551234", "reserved_area_code"),
        ("5555555555", "reserved_area_code"),
        ("9005551234", "not_importable"),
        ("9765551234", "not_importable"),
        ("2129761234", "not_importable"),
        ("7005551234", "not_importable"),
        ("7105551234", "not_importable"),
        ("5005551234", "not_importable"),
        ("5335551234", "not_importable"),
        ("9191551234", "invalid_exchange"),
        ("9190551234", "invalid_exchange"),
        ("9115551234", "service_code"),
        ("212-911-2345", "service_code"),
        ("2128112345", "service_code"),
        ("212-555-0199", "fictional_number"),
        ("212-555-0100", "fictional_number"),
        ("800-555-0123", "fictional_number"),
        ("+1 (919) 555-1234 ext. 5", "extension"),
        ("9195551234x5", "extension"),
        ("919-555-1234 x 17", "extension"),
        ("919-555-1234 extension 3", "extension"),
        ("9195551234#5", "extension"),
        ("9195551234,,5", "extension"),
        ("tel:+19195551234;ext=5", "extension"),
        ("(919)5551234;9195551235", "second_number"),
        ("9195551234, 9195551235", "second_number"),
        ("9195551234/9195551235", "second_number"),
        ("919-555-1234 or 919-555-1235", "second_number"),
        ("919 555 1234 919 555 1235", "second_number"),
        ("9.19555E+09", "digits_lost"),
        ("4.41E+11", "digits_lost"),
        ("9E9", "digits_lost"),
        ("9.1955512E9", "digits_lost"),
    ],
)
def test_what_is_no_importable_number_is_rejected_with_its_code(text: str, code: str) -> None:
    answer = parse(text)
    assert isinstance(answer, Rejection)
    assert answer.code == code
    assert answer.fix == reason_for(code).fix
    assert answer.detail


@pytest.mark.parametrize("text", ["2125550200", "2125550099", "8009761234", "5035551234", "5105551234"])
def test_neighbours_of_the_forbidden_ranges_are_accepted(text: str) -> None:
    assert isinstance(parse(text), Telephone)


def test_letters_of_a_vanity_number_become_digits_with_a_warning() -> None:
    assert parse("1 800 FLOWERS") == Telephone("8003569377", ("vanity_number",))


def test_an_area_code_unknown_to_the_metadata_is_a_warning_only() -> None:
    assert parse("2225551234") == Telephone("2225551234", ("unknown_area_code",))


@pytest.mark.parametrize("text", ["8762345678", "6582345678", "7872345678", "2042345678", "2642345678"])
def test_numbers_of_other_countries_of_the_plan_carry_no_warning(text: str) -> None:
    assert parse(text) == Telephone(text)


def test_a_lost_digit_is_explained_by_how_many_are_left() -> None:
    answer = parse("9.19555E+09")
    assert isinstance(answer, Rejection)
    assert answer.detail == "6 of 10 digits are left."


def test_no_area_code_that_the_metadata_places_on_the_map_is_refused() -> None:
    usual = (
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
    )
    numbers = [f"{area}2345678" for area in range(200, 1000)]
    there = [number for number in numbers if phonenumbers.number_type(phonenumbers.parse(f"+1{number}")) in usual]
    assert len(there) > 300
    assert [number for number in there if structural_fault(number) is not None] == []


def test_the_toll_free_codes_are_the_metadatas() -> None:
    found = {
        str(area)
        for area in range(200, 1000)
        if phonenumbers.number_type(phonenumbers.parse(f"+1{area}2345678")) == phonenumbers.PhoneNumberType.TOLL_FREE
    }
    assert found == TOLL_FREE


good_numbers = st.from_regex(r"[2-9][0-8][0-9][2-9][0-9]{6}", fullmatch=True).filter(
    lambda ten: structural_fault(ten) is None
)


@given(good_numbers, st.sampled_from(["{}{}{}", "({}) {}-{}", "+1{}{}{}", "1.{}.{}.{}", "+1 {} {} {}", "{}-{}-{}"]))
def test_a_number_is_read_back_from_any_way_of_writing_it(ten: str, form: str) -> None:
    answer = parse(form.format(ten[:3], ten[3:6], ten[6:]))
    assert isinstance(answer, Telephone)
    assert answer.number == ten


@given(good_numbers)
def test_ten_digits_and_e164_are_two_ways_to_write_the_same(ten: str) -> None:
    assert to_ten(to_e164(ten)) == to_ten(ten) == ten
    assert is_toll_free(ten) == (ten[:3] in TOLL_FREE)


@given(good_numbers)
def test_a_masked_number_shows_six_of_its_digits(ten: str) -> None:
    assert mask(to_e164(ten)) == f"+1{ten[:3]}***{ten[6:]}"


@given(st.text(max_size=80) | st.text(alphabet="0123456789+-.()eExX ;,/#", max_size=40))
def test_no_text_raises_and_every_answer_keeps_to_the_plan(text: str) -> None:
    answer = parse(text)
    if isinstance(answer, Telephone):
        assert structural_fault(answer.number) is None
        assert to_ten(answer.number) == answer.number
        assert set(answer.warnings) <= set(WARNINGS)
    else:
        assert is_known(answer.code)


@given(good_numbers, good_numbers, st.sampled_from([" ", ",", ";", "/", " or ", "|", "\n", ""]))
def test_two_numbers_are_never_read_as_one(first: str, second: str, between: str) -> None:
    assert isinstance(parse(first + between + second), Rejection)


@pytest.mark.parametrize("text", ["+449195551234", "919555123", "+1919555123a", "+1919555123４"])
def test_what_is_no_e164_of_the_plan_has_no_ten_digits(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a \+1 number"):
        to_ten(text)


def test_what_is_no_number_is_masked_wholly() -> None:
    assert mask("+44 20 7946 0000") == "***"
