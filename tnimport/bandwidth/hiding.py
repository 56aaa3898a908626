"""The secrets of an account, taken out of a carrier's words in whatever form it echoes them, before these are cut.

Readers shape what they read: they collapse blanks and cut. Half a secret can no longer be recognised, so that it must
go first, and the readers do not know it. Whoever calls therefore says for the time of reading what is to be hidden.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html.entities import codepoint2name
from itertools import groupby
from typing import Final

from tnimport.domain.reasons import is_known

MARK: Final = "[secret]"
_SHORT: Final = 4  # shorter ones stand in many words, and are hidden only where they stand alone
_LONGEST_FORM: Final = 12  # of one character: %F0%9F%98%80
_LATIN: Final = 0xFF
_NAMES: Final = codepoint2name | {ord("'"): "apos"}
_BLANK: Final = r"(?:\s|\+|(?i:\\[tnr]|\\u00(?:20|0[9ad])|%20|%0[9ad]|&#(?:9|10|13|32);))+"


class Secrets:
    """Texts that must not be shown, ready to be found."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        known = sorted({text.strip() for text in texts} - {""}, key=len, reverse=True)
        self.reach = max(map(len, known), default=0) * _LONGEST_FORM
        self._found = re.compile("|".join(map(_form, known))) if known else None

    def out_of(self, text: str) -> str:
        """The text without any of them."""
        return self._found.sub(MARK, text) if self._found and text else text


_NONE: Final = Secrets()
_hidden: ContextVar[Secrets] = ContextVar("hidden", default=_NONE)


@contextmanager
def hiding(secrets: Secrets) -> Iterator[None]:
    """Hide these in whatever is read meanwhile."""
    before = _hidden.set(secrets)
    try:
        yield
    finally:
        _hidden.reset(before)


def hide(text: str, cut_at: int | None = None) -> str:
    """The text without the secrets of the account that is being called.

    One that was cut at `cut_at` characters already may end within a secret, and loses its end.
    """
    secrets = _hidden.get()
    whole = secrets.out_of(text)
    return whole if cut_at is None or len(text) < cut_at else whole[: max(len(whole) - secrets.reach, 0)]


def hide_in_code(code: str) -> str:
    """The code likewise; one that the catalogue knows gives nothing away, and what it means must not be lost."""
    return code if is_known(code) else hide(code)


def _form(secret: str) -> str:
    """A pattern for a secret: each character plain, percent-encoded, escaped as in JSON or as in XML."""
    pieces = (_BLANK if blank else "".join(map(_letter, run)) for blank, run in groupby(secret, str.isspace))
    found = "".join(pieces)
    return rf"(?<!\w){found}(?!\w)" if len(secret) < _SHORT else found


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    as_it_is = [rf"\\{re.escape(letter)}", re.escape(letter)]
    if not letter.isascii():  # its bytes read as if each were a character, or what stands for what cannot be written
        as_it_is += [re.escape(letter.encode("utf-8", "replace").decode("latin-1")), r"[?\ufffd]"]
    return f"(?:(?i:{'|'.join(_coded(letter))})|{'|'.join(as_it_is)})"


def _coded(letter: str) -> Iterator[str]:
    units, point = letter.encode("utf-16-be", "surrogatepass").hex(), ord(letter)
    yield "".join(rf"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    yield rf"&#0*{point};"
    yield rf"&#x0*{point:x};"
    if point in _NAMES:
        yield f"&{_NAMES[point]};"
    yield "".join(f"%{byte:02x}" for byte in letter.encode("utf-8", "replace"))
    if point <= _LATIN:
        yield f"%{point:02x}"
