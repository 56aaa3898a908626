"""Mends what keeps an answer from being XML and says nothing: prefixes, ampersands and characters out of place."""

import re
import sys
from collections.abc import Iterator
from html.entities import html5
from typing import Final
from xml.sax.saxutils import escape

_CDATA: Final = ("<![CDATA[", "]]>")
_PREFIX: Final = re.compile(r"<(/?)[A-Za-z_][\w.-]{0,100}:(?=[A-Za-z_])")
_TAG: Final = re.compile(r"<[A-Za-z_](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+>")
_PREFIXED: Final = re.compile(r"(?<!\s)\s++[A-Za-z_][\w.-]{0,100}:[\w.-]{1,100}\s*+=\s*+(?:\"[^\"]*\"|'[^']*')")
_AMPERSAND: Final = re.compile(r"&(?:#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));|([A-Za-z][A-Za-z0-9]{0,30};))?")
_PREDEFINED: Final = {"amp;", "lt;", "gt;", "quot;", "apos;"}
_FORBIDDEN: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def healed(text: str) -> str:
    """Return the text without prefixes, which nobody may have declared, and with each "&" and character in order."""
    return "".join(_pieces(_FORBIDDEN.sub("\ufffd", text)))


def _pieces(text: str) -> Iterator[str]:
    """Mend what is outside of CDATA sections; a pattern for these would take quadratic time where none ends."""
    start, end = _CDATA
    at = 0
    while (begins := text.find(start, at)) >= 0 and (ends := text.find(end, begins)) >= 0:
        yield _healed_markup(text[at:begins])
        at = ends + len(end)
        yield text[begins:at]
    yield _healed_markup(text[at:])


def _healed_markup(text: str) -> str:
    return _AMPERSAND.sub(_reference, _TAG.sub(_unprefixed, _PREFIX.sub(r"<\1", text)))


def _unprefixed(tag: re.Match[str]) -> str:
    return _PREFIXED.sub("", tag[0])  # no attribute is ever read


def _reference(found: re.Match[str]) -> str:
    """Return what a reference stands for, or the "&" as a character; entities that HTML knows are characters, too."""
    hexadecimal, decimal, name = found.groups()
    if hexadecimal or decimal:
        point = int(hexadecimal, 16) if hexadecimal else int(decimal)
        return "\ufffd" if point > sys.maxunicode or _FORBIDDEN.match(chr(point)) else found[0]
    if name in _PREDEFINED:
        return found[0]
    return escape(html5[name]) if name in html5 else "&amp;" + found[0][1:]
