"""Odd written forms of a number: what spreadsheets, browsers and people make of it.

Reads a text down to ten digits, or says why it cannot. Whether the ten digits fit the numbering plan is judged in
`telephone`. A form is accepted only if no digit can have been lost or joined from elsewhere.
"""

import re
import unicodedata
from typing import NamedTuple

import phonenumbers

_LONGEST = 64
_NANP = 10
_LOCAL = 7
_TWO_NUMBERS = 17
_VANITY_LETTERS = 4
_WHOLE_GROUP = 8

_FORMULA = re.compile(r'=?\s*"(.*)"', re.DOTALL)
_URI = re.compile(r"(?:tel|sms|callto):\s*(?://)?", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\+?(\d)(?:[.,](\d*))?[eE]\+?0*(\d{1,2})")
_FLOAT = re.compile(r"(\+?\d{10,11})[.,]0*")
_THOUSANDS = re.compile(r"\d{1,2}(?:,\d{3}){3}(?:\.0*)?")
_EXTENSION = re.compile(
    r"(.*?)[\s.,;-]*(?:;\s*ext\s*=|ext(?:ension|n)?\b\.?|(?<=[\d\s).])x|#|~|,+|;)\s*[.:=]?\s*\d{1,7}\D*",
    re.IGNORECASE | re.DOTALL,
)
_BETWEEN = re.compile(r"[;,/|&\n\t]|\bor\b|\band\b", re.IGNORECASE)
_AREA_SLASH = re.compile(r"((?:\+?1[\s.-]*)?\(?\d{3}\)?)\s*/\s*(?=\d{3})")
_LOOSE = re.compile(r"[(\[\s]*\+?[(\[\s]*\d[\d\s().\[\]-]*")
_VANITY = re.compile(r"\(?\+?(?:1[\s.-]*)?\(?(\d{3})\)?[\s.-]*([\dA-Za-z][\dA-Za-z\s.-]*)")


class Odd(NamedTuple):
    """Ten digits read from an odd form, and whether letters stood for some of them."""

    ten: str
    vanity: bool = False


class Unread(NamedTuple):
    """A code of the catalogue and, where it helps, what was seen."""

    code: str
    detail: str | None = None


def read_odd(text: str) -> Odd | Unread:
    """Ten digits, or why there are none; each rule is asked in turn and the first that knows the form decides."""
    if len(text) > _LONGEST:
        return Unread("not_a_number", f"The text is {len(text)} characters long.")
    plain = _unwrap(_plain_characters(text))
    if not plain:
        return Unread("empty_number")
    for rule in (_scientific, _whole_float, _extension, _second_number, _vanity, _punctuated):
        answer = rule(plain)
        if answer is not None:
            return answer
    return Unread("not_a_number")


def _plain_characters(text: str) -> str:
    """ASCII for digits, dashes, blanks and full-width signs; marks without width (bidi, BOM) are dropped."""
    return "".join(_plain_character(character) for character in text).strip()


def _plain_character(character: str) -> str:
    if "！" <= character <= "～":  # noqa: RUF001 - the full-width forms themselves
        return chr(ord(character) - 0xFEE0)
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    return {"Cf": "", "Pd": "-", "Zs": " "}.get(kind, character)


def _unwrap(text: str) -> str:
    """What a spreadsheet or a link put around the number is taken off."""
    text = text.lstrip("'").strip()
    if formula := _FORMULA.fullmatch(text):
        text = formula.group(1).strip()
    text = _URI.sub("", text, count=1) if _URI.match(text) else text
    return text.strip(" ,;")


def _scientific(text: str) -> Odd | Unread | None:
    found = _SCIENTIFIC.fullmatch(text)
    if found is None:
        return None
    lead, rest, exponent = found.group(1), found.group(2) or "", int(found.group(3))
    if len(rest) != exponent:
        seen = f"{1 + len(rest)} of {1 + exponent} digits are left."
        return Unread("digits_lost", seen)
    return _from_digits(lead + rest)


def _whole_float(text: str) -> Odd | Unread | None:
    if found := _FLOAT.fullmatch(text):
        return _from_digits(found.group(1))
    if _THOUSANDS.fullmatch(text):
        return _from_digits(text.partition(".")[0].replace(",", ""))
    return None


def _extension(text: str) -> Unread | None:
    found = _EXTENSION.fullmatch(text)
    if found and _count(found.group(1)) >= _LOCAL:
        return Unread("extension")
    return None


def _second_number(text: str) -> Unread | None:
    parts = [part for part in _BETWEEN.split(text) if _count(part) >= _LOCAL]
    if len(parts) > 1 or _count(text) >= _TWO_NUMBERS:
        return Unread("second_number")
    return None


def _vanity(text: str) -> Odd | Unread | None:
    found = _VANITY.fullmatch(text)
    if found is None or sum(map(str.isalpha, found.group(2))) < _VANITY_LETTERS:
        return None
    digits = _digits(phonenumbers.convert_alpha_characters_in_number(found.group(2)))
    return Odd(found.group(1) + digits, vanity=True) if len(digits) == _LOCAL else None


def _punctuated(text: str) -> Odd | Unread | None:
    text = _AREA_SLASH.sub(r"\1 ", text, count=1)
    if _LOOSE.fullmatch(text) is None:
        return None
    groups = re.findall(r"\d+", text)
    # A long run beside another group is two things joined (a decimal, a list), never one number.
    if max(map(len, groups)) >= _WHOLE_GROUP and groups[:-1] not in ([], ["1"]):
        return Unread("not_a_number", "Digits stand apart that belong together.")
    return _from_digits(("+" if "+" in text else "") + "".join(groups))


def _from_digits(text: str) -> Odd | Unread:
    digits = text.removeprefix("+")
    if len(digits) == _NANP + 1 and digits[0] == "1":
        return Odd(digits[1:])
    if text[0] == "+" and digits[:1] != "1":
        return Unread("foreign_number", _country(text))
    if digits.startswith(("00", "011")):
        return Unread("foreign_number", "It begins with an international dialling prefix.")
    return Odd(digits) if len(digits) == _NANP else _wrong_length(digits)


def _wrong_length(digits: str) -> Unread:
    if len(digits) == _LOCAL:
        return Unread("missing_area_code")
    code = "too_short" if len(digits) < _NANP else "too_long"
    return Unread(code, f"It has {len(digits)} digits.")


def _country(text: str) -> str | None:
    try:
        code = phonenumbers.parse(text).country_code
    except phonenumbers.NumberParseException:
        return None
    return f"Its country code is {code}." if code else None


def _digits(text: str) -> str:
    return "".join(re.findall(r"\d", text))


def _count(text: str) -> int:
    return sum(map(str.isdigit, text))
