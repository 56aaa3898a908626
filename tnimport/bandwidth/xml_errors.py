"""The five layouts in which the Dashboard reports errors (docs/clients.md), read in one pass."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.refusals import Said
from tnimport.bandwidth.xml_body import Node, Unreadable, local, parse, text, value

_COUNT: Final = re.compile(r"[0-9]{1,9}")
_HOLDERS: Final = frozenset({"errors", "errorlist"})
_LEAVES: Final = frozenset({"error", "responsestatus"})
_FAILED: Final = ("failed", "invalid", "rejected")  # how lists of numbers begin that are no list of good ones
NUMBER_NAMES: Final = frozenset({"telephonenumber", "fullnumber"})


@dataclass(frozen=True, slots=True)
class OrderError:
    """One error of an order. `numbers` are ten digits each; none at all = it concerns the whole order."""

    code: str
    description: str
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What one element holds: the numbers outside of errors, and the errors with theirs, in order of appearance."""

    numbers: tuple[str, ...]
    errors: tuple[OrderError, ...]


def survey(root: Node) -> Survey:
    """Read the element in one pass, in which every number goes to the nearest error around it; `<Errors/>` is none.

    1. `ResponseStatus{ErrorCode?, Description}` (numbers.yml externalTns 400, 404)
    2. `Errors/Error{Code, Description, TelephoneNumbers/TelephoneNumber…}` (Bandwidth guide, step 2)
    3. `Errors{Code, Description}` repeated, without `Error` (importTnOrders 400)
    4. `ErrorList/Error{Code, Description, TelephoneNumber}` (orders)
    5. `ErrorResponse{…}` (404)

    Numbers of an error without code and description have failed all the same, and so have those of a list that says
    by its name that they did (`FailedNumbers`, orders).
    """
    outside: dict[str, None] = {}
    errors: list[tuple[Node, dict[str, None]]] = []
    for node, owner in _owned(root, outside, errors):
        owner.update(dict.fromkeys(texts.numbers(text(node))))
    told = ((node, numbers) for node, numbers in errors if numbers or _reports(node))
    return Survey(tuple(outside), tuple(_error(node, tuple(numbers)) for node, numbers in told))


def _owned(
    root: Node, outside: dict[str, None], errors: list[tuple[Node, dict[str, None]]]
) -> Iterator[tuple[Node, dict[str, None]]]:
    """Yield each element that holds a number, with whom it belongs to; add to the errors on the way.

    Iterators are kept, not lists of children: an answer of 10 MB may have millions of them.
    """
    waiting = [(iter((root,)), outside)]
    while waiting:
        nodes, owner = waiting[-1]
        node = next(nodes, None)
        if node is None:
            waiting.pop()
            continue
        name = local(node)
        if name in NUMBER_NAMES and not _in_parts(node):
            yield node, owner
        elif _of_errors(name) or (node is root and name == "errorresponse"):
            within: dict[str, None] = {}
            errors.append((node, within))
            waiting.append((iter(node), within))
        elif len(node):
            waiting.append((iter(node), owner))


def _in_parts(number: Node) -> bool:
    """Tell whether an element about a number holds the number in one of its own (`TelephoneNumber/FullNumber`)."""
    return any(local(part) in NUMBER_NAMES for part in number)


def _of_errors(name: str) -> bool:
    return name in _LEAVES or name in _HOLDERS or name.startswith(_FAILED)


def _reports(node: Node) -> bool:
    """Tell whether an element reports an error: by a code, or without one, as a 404 does (numbers.yml)."""
    if value(node, "code", "errorcode"):
        return True
    return local(node) != "errors" and bool(value(node, "description", "message", "errordescription"))


def _error(node: Node, numbers: tuple[str, ...]) -> OrderError:
    return OrderError(
        texts.code(value(node, "code", "errorcode")) or "",
        texts.description(value(node, "description", "message", "errordescription")),
        numbers,
    )


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
    found = survey(root).errors
    first = next((error for error in found if error.code), found[0] if found else None)
    if first is None:
        return Said(foreign=local(root) == "html", description=_loose(root))
    named = {tn: (error.code, error.description) for error in found for tn in error.numbers}
    return Said(code=first.code or None, description=first.description, named=named)


def _loose(root: Node) -> str:
    """Return the description that stands outside every known layout, so that it is at least shown."""
    return texts.description(value(root, "description", "message", "error"))


def count(node: Node, name: str = "totalcount") -> int | None:
    """Return a number in a direct child, or None if it is missing or no number."""
    found = value(node, name)
    return int(found) if found and _COUNT.fullmatch(found) else None
