"""Writes the Dashboard's XML: a declaration, four blanks of indentation, no namespaces."""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

from sandbox.wire.message import Response

# An element is its name with its text, its children, or None for an empty one.
Element: TypeAlias = "tuple[str, str | Sequence[Element] | None]"

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# What XML 1.0 does not allow, escaped or not; a path can bring it, and then it is repeated in a description.
_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT: Final = "\ufffd"
_CONTENT_TYPE: Final = "application/xml; charset=utf-8"


def document(root: Element) -> bytes:
    """The document with that root."""
    lines: list[str] = []
    _write(root, "", lines)
    return (_DECLARATION + "\n".join(lines) + "\n").encode()


def _write(element: Element, indent: str, lines: list[str]) -> None:
    name, content = element
    if content is None:
        lines.append(f"{indent}<{name}/>")
    elif isinstance(content, str):
        lines.append(f"{indent}<{name}>{escape(_FORBIDDEN.sub(_REPLACEMENT, content))}</{name}>")
    else:
        lines.append(f"{indent}<{name}>")
        for child in content:
            _write(child, indent + "    ", lines)
        lines.append(f"{indent}</{name}>")


def numbers_element(numbers: Sequence[str]) -> Element:
    """`TelephoneNumbers`, one child a number."""
    return ("TelephoneNumbers", [("TelephoneNumber", number) for number in numbers])


def answer(root: Element, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer with that document."""
    return Response(status=status, body=document(root), headers={"Content-Type": _CONTENT_TYPE, **(headers or {})})
