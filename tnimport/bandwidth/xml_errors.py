"""The five layouts in which the Dashboard reports errors (BANDWIDTH A9), read in one pass."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.refusals import Said
from tnimport.bandwidth.xml_body import Node, Unreadable, descendants, local, parse, text, value

_COUNT: Final = re.compile(r"[0-9]{1,9}")
_HOLDERS: Final = frozenset({"errors", "errorlist"})
_LEAVES: Final = frozenset({"error", "responsestatus"})
NUMBER_NAMES: Final = ("telephonenumber", "fullnumber")


@dataclass(frozen=True, slots=True)
class OrderError:
    """One error of an order. `numbers` are ten digits each; none at all = it concerns the whole order."""

    code: str
    description: str
    numbers: tuple[str, ...] = ()


def errors_of(root: Node) -> tuple[OrderError, ...]:
    """Return every error below the element, in order of appearance; `<Errors/>` is none.

    1. `ResponseStatus{ErrorCode?, Description}` (numbers.yml externalTns 400, 404)
    2. `Errors/Error{Code, Description, TelephoneNumbers/TelephoneNumber…}` (Bandwidth guide, step 2)
    3. `Errors{Code, Description}` repeated, without `Error` (importTnOrders 400)
    4. `ErrorList/Error{Code, Description, TelephoneNumber}` (orders)
    5. `ErrorResponse{…}` (404)
    """
    return tuple(_error(node) for node in _error_nodes(root))


def _error_nodes(root: Node) -> Iterator[Node]:
    for node in root.iter():
        name = local(node)
        holds = name in _LEAVES or name in _HOLDERS or (node is root and name == "errorresponse")
        if holds and (value(node, "code", "errorcode") or _only_described(node, name)):
            yield node


def _only_described(node: Node, name: str) -> bool:
    """Tell whether an element reports an error without a code, as a 404 does (numbers.yml)."""
    return name != "errors" and bool(value(node, "description", "message", "errordescription"))


def _error(node: Node) -> OrderError:
    return OrderError(
        texts.code(value(node, "code", "errorcode")) or "",
        texts.description(value(node, "description", "message", "errordescription")),
        numbers_in(node),
    )


def numbers_in(node: Node, *, without_errors: bool = False) -> tuple[str, ...]:
    """Return the distinct numbers below the element, in order of appearance."""
    found: dict[str, None] = {}
    for leaf in descendants(node, *NUMBER_NAMES):
        if not (without_errors and _inside_errors(leaf, node)):
            found.update(dict.fromkeys(texts.numbers(text(leaf))))
    return tuple(found)


def _inside_errors(leaf: Node, top: Node) -> bool:
    parent = leaf.getparent()
    while parent is not None and parent is not top:
        if local(parent) in _HOLDERS or local(parent) in _LEAVES:
            return True
        parent = parent.getparent()
    return False


def said(reply: Reply) -> Said:
    """Return what the body of an unsuccessful answer explains; never raises."""
    if not reply.body.strip():
        return Said()
    try:
        root = parse(reply)
    except Unreadable:
        return Said(foreign=True)
    return said_in(root)


def said_in(root: Node) -> Said:
    """Return the first error below the element, preferring one that has a code."""
    found = errors_of(root)
    first = next((error for error in found if error.code), found[0] if found else None)
    if first is None:
        return Said(foreign=local(root) == "html", description=_loose(root))
    return Said(code=first.code or None, description=first.description)


def _loose(root: Node) -> str:
    """Return the description that stands outside every known layout, so that it is at least shown."""
    return texts.description(value(root, "description", "message", "error"))


def count(node: Node, name: str = "totalcount") -> int | None:
    """Return a number in a direct child, or None if it is missing or no number."""
    found = value(node, name)
    return int(found) if found and _COUNT.fullmatch(found) else None
