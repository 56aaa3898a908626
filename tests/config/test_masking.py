"""What is taken out of every text that is logged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.masking import REMOVED, mask_numbers, secret_remover


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+19195551234", "+1919***1234"),
        ("19195551234", "1919***1234"),
        ("9195551234", "919***1234"),
        ("(919) 555-1234", "919***1234"),
        ("1-919-555-1234", "1919***1234"),
        ("919.555.1234", "919***1234"),
        ("GET /v1/numbers/%2B19195551234?x=1", "GET /v1/numbers/+1919***1234?x=1"),
        ("tel:+442071838750,", "tel:+44207***8750,"),
        ("failed:9195551234.", "failed:919***1234."),
        ("['9195551234', '2065551234']", "['919***1234', '206***1234']"),
    ],
)
def test_a_telephone_number_keeps_its_beginning_and_its_end(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "1763913600",  # a time
        "1763913600.123456",
        "took 3.9195551234 s",
        "order 12345678901234567890",
        "account 9999999",
        "2026-11-23T16:00:00.123456Z",
        "0190cb2f-9d2e-7000-8000-2065551234ab"[:23],
    ],
)
def test_what_is_no_telephone_number_stays(text: str) -> None:
    assert mask_numbers(text) == text


@given(st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True), st.sampled_from(["", " ", "'", "/", ",", "x"]))
def test_no_north_american_number_survives_whatever_stands_around_it(number: str, around: str) -> None:
    assert number not in mask_numbers(f"a{around}{number}{around}b")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic dTpjYW5hcnk=",
        "{'Authorization': 'Basic dTpjYW5hcnk='}",
        '{"authorization": "Bearer canary-token"}',
        "[(b'Authorization', b'Basic dTpjYW5hcnk=')]",
        "Authorization=canary",
        "header Basic dTpjYW5hcnk= refused",
        "redis://user:canary@host:6379/0",
        "postgresql+psycopg://u:canary@h/n?x=1",
    ],
)
def test_authorization_values_and_user_info_go_whatever_they_are(text: str) -> None:
    masked = secret_remover([])(text)
    assert "canary" not in masked
    assert "dTpjYW5hcnk" not in masked


def test_a_known_secret_goes_wherever_it_stands() -> None:
    remove = secret_remover(["canary-secret", "canary-secret-longer", ""])
    assert remove("xcanary-secretx canary-secret-longer") == f"x{REMOVED}x {REMOVED}"


def test_a_short_secret_goes_as_a_word_and_not_as_a_part_of_one() -> None:
    remove = secret_remover(["s-1", "t.1"])
    assert remove("s-1 't.1' orders-12 ts-1 s-10 t11") == f"{REMOVED} '{REMOVED}' orders-12 ts-1 s-10 t11"


@given(st.from_regex(r"[A-Za-z0-9!$%&*+/=?^_-]{8,40}", fullmatch=True), st.text("ab \"'{:", max_size=9))
def test_no_long_secret_survives_whatever_stands_around_it(secret: str, around: str) -> None:
    assert secret not in secret_remover([secret])(around + secret + around)
