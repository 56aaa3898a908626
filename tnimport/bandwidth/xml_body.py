"""Dashboard answers as trees: any encoding, any prefix, any order; no DOCTYPE, ever.

Names are compared without namespace and case: captures and documents disagree on both (`CustomerOrderID` in the
guide's step 1, `CustomerOrderId` in numbers.yml; an `xmlns:xsi` in a fixture of csharp-bandwidth-iris).
"""

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from lxml import etree

from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.texts import LONGEST_READ
from tnimport.bandwidth.xml_healing import healed

Node = etree._Element  # noqa: SLF001 - lxml publishes no other name for the type of an element

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Only these may be named by an answer: Python knows codecs that take quadratic time.
_KNOWN: Final = {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"}
_DECLARATION: Final = re.compile(r"<\?xml\b[^>]*?\?>")
_DECLARED: Final = re.compile(rb"""<\?xml\b[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE | re.ASCII)
_DOCTYPE: Final = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE\b", re.DOTALL | re.IGNORECASE)
_HTML: Final = re.compile(r"(?:\s++|<!--.*?-->)*+<(?:!DOCTYPE\s+)?html\b", re.DOTALL | re.IGNORECASE)
_PADDING: Final = " \t\r\n\0\ufeff"


class Unreadable(Exception):
    """The body is no XML that we accept; the only argument is a short code."""


def parse(reply: Reply) -> Node:
    """Return the root of the body, whatever its content type says, or raise Unreadable."""
    text = decode(reply).strip(_PADDING)
    if _HTML.match(text):
        raise Unreadable("unreadable_answer")
    if _DOCTYPE.match(text):
        raise Unreadable("doctype_refused")  # entities can blow up memory and read files: refused unread
    declaration = _DECLARATION.match(text)
    text = text[declaration.end() :] if declaration else text
    try:
        return _tree(text)
    except etree.XMLSyntaxError:
        pass
    try:
        return _tree(healed(text))
    except etree.XMLSyntaxError:
        raise Unreadable("unreadable_answer") from None


def _tree(text: str) -> Node:
    # A parser of its own for each answer: lxml's share state between threads. huge_tree off keeps depth and size
    # of text within libxml2's own limits.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(text.encode("utf-8", "replace"), parser)


def decode(reply: Reply) -> str:
    """Return the body as text: byte order mark, then the XML declaration, then the header, then what fits.

    RFC 7303 puts the header before the declaration; servers that recode bodies know better than those that
    recode headers. The last resort keeps every ASCII character, which is all that codes and numbers need.
    """
    body = reply.body
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    for encoding in _candidates(reply):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1")


def _candidates(reply: Reply) -> Iterator[str]:
    start = reply.body[:4]
    if start[:1] == b"\0" or start[1:2] == b"\0":
        yield "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
    declared = _DECLARED.search(reply.body[:400])
    stated = _CHARSET.search(reply.header("content-type") or "")
    for name in (declared and declared[1].decode("ascii"), stated and stated[1]):
        known = _codec(name)
        # Text whose declaration could be read byte by byte is not UTF-16, whatever it declares.
        if known is not None and not known.startswith("utf-16"):
            yield known
    yield "utf-8"


def _codec(name: str | None) -> str | None:
    try:
        known = codecs.lookup(name).name if name else None
    except LookupError:
        return None
    return known if known in _KNOWN else None


def local(node: Node) -> str:
    """Return the name of an element without namespace, in lower case."""
    return _local(str(node.tag))  # comments and instructions are removed when parsing


@lru_cache(maxsize=256)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def text(node: Node) -> str:
    """Return the text inside an element, without padding (older pages put values on lines of their own).

    No more than 4,096 characters of it: errors nested in errors would otherwise cost the square of their size.
    """
    if not len(node):
        return (node.text or "").strip()[:LONGEST_READ]
    pieces, length = [], 0
    for piece in node.itertext():
        pieces.append(str(piece))
        length += len(piece)
        if length > LONGEST_READ:
            break
    return "".join(pieces).strip()[:LONGEST_READ]


def children(node: Node, *names: str) -> Iterator[Node]:
    """Yield the direct children of any of the names (given in lower case)."""
    return (child for child in node if local(child) in names)


def value(node: Node | None, *names: str) -> str | None:
    """Return the text of the first direct child of any of the names, or None if there is none or it is blank."""
    if node is None:
        return None
    return next((found for child in children(node, *names) if (found := text(child))), None)


def descendants(node: Node, *names: str) -> Iterator[Node]:
    """Yield the element itself and everything below it that bears one of the names, in document order."""
    return (found for found in node.iter() if local(found) in names)
