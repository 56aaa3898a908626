import codecs
import gzip
import io
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.intake.body import LONGEST_LINE, read_chunks, read_lines
from tnimport.intake.problems import Refused
from tnimport.intake.rows import Row, Rows

TEXT = "name,phone\r\nJosé,9195551234\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.encode("cp1252"),
        TEXT.replace("\r\n", "\r").encode(),
        gzip.compress(TEXT.encode("utf-16")),
        gzip.compress(TEXT[:10].encode()) + gzip.compress(TEXT[10:].encode()) + b"\0" * 8,
    ],
)
def test_bytes_of_every_usual_encoding_become_the_same_lines(raw: bytes) -> None:
    assert list(read_lines(read_chunks(io.BytesIO(raw)), None, Counter())) == ["name,phone\n", "José,9195551234\n"]


def test_windows_1252_is_a_guess_and_is_told(opened: Callable[..., Rows]) -> None:
    rows = opened(TEXT.encode("cp1252"))
    assert [row.number for row in rows] == ["9195551234"]
    assert rows.warnings == Counter(charset_guessed=1)


def test_the_guess_is_made_anew_where_utf8_ends_wherever_the_pieces_are_cut() -> None:
    raw = "ä".encode() + b"x" * (2**16 - 3) + "é".encode("cp1252") + b"y" * 2**16
    lines = "".join(read_lines(read_chunks(io.BytesIO(raw)), None, Counter()))
    assert len(lines) == len(raw) - 1
    assert lines[0] == "ä"
    assert "xéy" in lines


def test_a_cut_character_at_the_end_is_read_as_windows_1252() -> None:
    assert list(read_lines(iter([b"abcd", b"e\xc3"]), None, Counter())) == ["abcdeÃ"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"PK\x03\x04rest", "spreadsheet_file"),
        (b"\xd0\xcf\x11\xe0rest", "spreadsheet_file"),
        (b"%PDF-1.7", "not_text"),
        (b"  <!DOCTYPE html>", "not_text"),
        (b"<html>", "not_text"),
        (b"919555\x001234", "not_text"),
        ("9195551234\n".encode("utf-16-le"), "not_text"),
        (b"9" * (LONGEST_LINE + 2**17), "not_text"),
        (gzip.compress(b"9195551234")[:-4], "bad_gzip"),
        (gzip.compress(b"9195551234") + b"junk", "bad_gzip"),
        (b"\x1f\x8bjunk", "bad_gzip"),
        (b"\x1f\x8b", "bad_gzip"),
    ],
)
@pytest.mark.parametrize("media_type", ["text/csv", "text/plain"])
def test_what_is_no_text_is_refused(read: Callable[..., list[Row]], raw: bytes, code: str, media_type: str) -> None:
    with pytest.raises(Refused) as refused:
        read(raw, media_type)
    assert [problem.code for problem in refused.value.problems] == [code]


@pytest.mark.parametrize("charset", ["no-such-charset", "rot13", "hex"])
def test_an_unknown_charset_is_refused(read: Callable[..., list[Row]], charset: str) -> None:
    with pytest.raises(Refused, match="unknown_charset"):
        read("9195551234", charset=charset)


@pytest.mark.parametrize("media_type", ["text/csv; charset=utf-8", 'text/plain; charset="ascii"'])
def test_a_named_charset_is_held_to(read: Callable[..., list[Row]], media_type: str) -> None:
    with pytest.raises(Refused, match="undecodable"):
        read("José\n".encode("cp1252"), media_type)


def test_a_named_charset_is_used(read: Callable[..., list[Row]]) -> None:
    assert [row.number for row in read(TEXT.encode("utf-16-le"), charset="utf-16-le")] == ["9195551234"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_more_than_the_limit_is_refused_packed_or_not(pack: Callable[[bytes], bytes]) -> None:
    raw = pack(b"9195551234\n" * 10_000)
    assert sum(map(len, read_chunks(io.BytesIO(raw), 110_000))) == 110_000
    with pytest.raises(Refused, match="too_large"):
        list(read_chunks(io.BytesIO(raw), 109_999))


def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b"9" * 50_000_000)
    read: list[bytes] = []
    with pytest.raises(Refused, match="too_large"):
        read.extend(read_chunks(io.BytesIO(bomb), 100_000))
    assert sum(map(len, read)) <= 100_000


@given(st.text(alphabet="ab1,\n\ré€", max_size=200), st.integers(1, 7), st.sampled_from(["utf-8-sig", "utf-16"]))
def test_no_cut_between_pieces_changes_a_line(text: str, size: int, encoding: str) -> None:
    raw = text.encode(encoding)
    pieces = (raw[at : at + size] for at in range(0, len(raw), size))
    told = text.replace("\r\n", "\n").replace("\r", "\n")
    assert list(read_lines(pieces, None, Counter())) == list(io.StringIO(told, newline="\n"))
