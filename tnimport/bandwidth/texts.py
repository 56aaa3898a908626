"""What the carrier wrote, made fit to be stored, compared and shown."""

import re
from typing import Final

from tnimport.bandwidth.hiding import hide, hide_in_code

LONGEST_CODE: Final = 64
LONGEST_DESCRIPTION: Final = 500
LONGEST_READ: Final = 4096  # of what the carrier wrote in one place
# NUL is refused by PostgreSQL; lone surrogates (JSON "\ud800") cannot be encoded at all.
_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")
_DIGITS: Final = re.compile(r"[^0-9]+")
_NORTH_AMERICAN: Final = re.compile(r"1?([0-9]{10})")
_TEN: Final = re.compile(r"[0-9]{10}")
_USER_INFO: Final = re.compile(r"(//)[^/@\s\"'<>]{1,500}@")
_SEPARATORS: Final = re.compile(r"[,;|\n]")


def clean(text: str) -> str:
    """Return the text on one line without padding and what cannot be shown, which could forge lines of a log."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.strip()


def free(text: str) -> str:
    """Return the text as a person wrote it, but for what no database takes."""
    return _UNFIT.sub("\ufffd", text)


def code(text: str | None) -> str | None:
    """Return an error code unchanged but for padding and secrets, or None if there is none; none is longer than 64."""
    return clean(hide_in_code(clean(text)))[:LONGEST_CODE] or None if text else None


def description(text: str | None) -> str:
    """Return a sentence of the carrier of at most 500 characters, without secrets and the user-info of URLs in it.

    It must come here as it was written: what hides secrets knows them before blanks are changed, not after.
    """
    if not text:
        return ""
    line = " ".join(clean(hide(text[:LONGEST_READ], cut_at=LONGEST_READ)).split())
    return _USER_INFO.sub(r"\1[secret]@", line)[:LONGEST_DESCRIPTION]


def number(text: str) -> str:
    """Return the ten digits of a North American number however it is written, or else the text itself.

    Dashboard answers hold ten digits, later pages show "+1…" (numbers.yml); text that is no such number is kept,
    for dropping it would make an error about some numbers look like one about all.
    """
    digits = _DIGITS.sub("", text)
    if "+" in text and len(digits) == len("2025550100"):
        return clean(text)  # ten digits after a "+" are of another country: "+49 30 123456"
    found = _NORTH_AMERICAN.fullmatch(digits)
    return found[1] if found else clean(text)


def is_ten_digits(text: str) -> bool:
    """Tell whether the text is what the Dashboard takes for a number."""
    return _TEN.fullmatch(text) is not None


def numbers(text: str) -> list[str]:
    """Return the numbers in the text of one element: nearly always one, but lists in one element exist."""
    return [number(part) for part in _SEPARATORS.split(text) if part.strip()]


def e164(text: str) -> str:
    """Return the number with its "+"; ten digits, or eleven from 1, are taken as North American."""
    ten = number(text)
    if is_ten_digits(ten):
        return "+1" + ten
    return "+" + _DIGITS.sub("", text) if text.strip().startswith("+") else text.strip()
