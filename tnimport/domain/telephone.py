"""Telephone numbers of the North American Numbering Plan: read, judged and written.

Inside the system a number is its ten digits; E.164 is spoken at Catapult's edge only. A number that breaks the
plan's structure is an error. One that merely is unknown to the numbering metadata, which lags new area codes, is a
warning: the carrier decides.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from tnimport.domain.oddforms import Odd, read_odd
from tnimport.domain.reasons import reason_for

TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})

_RESERVED = frozenset({"555", "822", "889", *(str(area) for area in range(880, 888))})
# Non-geographic 5XX codes only: 502, 503, 510 and their like are ordinary places.
_PERSONAL = (
    "500 521 522 523 524 525 526 527 528 529 532 533 535 538 542 543 544 545 546 547 549 550 552 553 554 556 566"
    " 569 577 578 588 589"
)
_NOT_IMPORTABLE = frozenset({"700", "710", "900", "976", *_PERSONAL.split()})
_PREMIUM_EXCHANGE = "976"
_TEN = 10

# Ten digits with or without +1 and the usual punctuation: nine in ten inputs end here.
_PLAIN = re.compile(
    r"(?:\+?1[-. ]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[-. ]?)([0-9]{3})[-. ]?([0-9]{4})"
).fullmatch


class Telephone(NamedTuple):
    """A number that fits the plan: its ten digits, and codes of `reasons.WARNINGS`."""

    number: str
    warnings: tuple[str, ...] = ()


class Rejection(NamedTuple):
    """Why a text is no importable number: a code of the catalogue, what was seen, and what to do."""

    code: str
    detail: str
    fix: str


def parse(text: str) -> Telephone | Rejection:
    """The number that a text means, or why it means none; never raises, never guesses at lost digits."""
    found = _PLAIN(text)
    if found is None:
        return _parse_odd(text)
    area, other, exchange, line = found.groups()
    return _judge((area or other) + exchange + line)


def structural_fault(ten: str) -> str | None:
    """The code of the rule of the numbering plan that ten digits break, or None."""
    area, exchange = ten[:3], ten[3:6]
    if fault := _AREA_FAULTS.get(area) or _EXCHANGE_FAULTS.get(exchange):
        return fault
    if exchange == "555" and ten[6:8] == "01":
        return "fictional_number"
    if exchange == _PREMIUM_EXCHANGE and area not in TOLL_FREE:
        return "not_importable"
    return None


def is_toll_free(ten: str) -> bool:
    """Whether ten digits are a toll-free number, which the carrier orders apart from local ones."""
    return ten[:3] in TOLL_FREE


def to_e164(ten: str) -> str:
    """`+1` before ten digits."""
    return f"+1{ten}"


def to_ten(e164: str) -> str:
    """The ten digits of `+1…`; ten bare digits pass unchanged. ValueError for anything else."""
    ten = e164.removeprefix("+1")
    if len(ten) != _TEN or not (ten.isascii() and ten.isdigit()):
        raise ValueError("not a +1 number in E.164")
    return ten


def mask(e164: str) -> str:
    """A number as logs may show it: the area code and the last four digits, `+1919***1234`."""
    ten = e164.removeprefix("+1")
    return f"+1{ten[:3]}***{ten[-4:]}" if len(ten) == _TEN else "***"


def _judge(ten: str, warnings: tuple[str, ...] = ()) -> Telephone | Rejection:
    fault = structural_fault(ten)
    if fault is not None:
        return _rejection(fault)
    if not _is_known(ten[:3]):
        warnings = (*warnings, "unknown_area_code")
    return Telephone(ten, warnings)


def _parse_odd(text: str) -> Telephone | Rejection:
    read = read_odd(text)
    if isinstance(read, Odd):
        return _judge(read.ten, ("vanity_number",) if read.vanity else ())
    return _rejection(read.code, read.detail)


@lru_cache(maxsize=1024)
def _rejection(code: str, detail: str | None = None) -> Rejection:
    reason = reason_for(code)
    return Rejection(code, detail or reason.cause, reason.fix)


@lru_cache(maxsize=1000)
def _is_known(area: str) -> bool:
    """Whether some country of +1 uses this area code (libphonenumber metadata, one look per area code)."""
    probe = phonenumbers.parse(f"+1{area}2345678")
    usual = {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
    }
    return phonenumbers.number_type(probe) in usual or any(re.fullmatch(lead, area) for lead in _island_areas())


@lru_cache(maxsize=1)
def _island_areas() -> tuple[str, ...]:
    """Area codes of the countries whose exchanges the metadata lists one by one, as patterns."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]
    found = (phonenumbers.PhoneMetadata.metadata_for_region(region) for region in regions)
    return tuple(data.leading_digits for data in found if data is not None and data.leading_digits)


def _area_fault(area: str) -> str | None:
    if area[0] in "01" or area[1] == "9":
        return "invalid_area_code"
    if area[1:] == "11":
        return "service_code"
    if area in _NOT_IMPORTABLE:
        return "not_importable"
    return "reserved_area_code" if area in _RESERVED or area[:2] in {"37", "96"} else None


def _exchange_fault(exchange: str) -> str | None:
    if exchange[0] in "01":
        return "invalid_exchange"
    return "service_code" if exchange[1:] == "11" else None


_THREE = tuple(f"{number:03d}" for number in range(1000))
_AREA_FAULTS = {three: fault for three in _THREE if (fault := _area_fault(three))}
_EXCHANGE_FAULTS = {three: fault for three in _THREE if (fault := _exchange_fault(three))}
