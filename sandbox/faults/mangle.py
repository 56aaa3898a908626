"""Changes the look of a body and not its meaning, and makes bodies that bite."""

import json
from random import Random
from typing import Any, Final

from lxml import etree

_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_LEVELS: Final = 9  # of ten entities each: a billion words when expanded


def junk_whitespace(body: bytes) -> bytes:
    """The same document with white space wherever it may stand, also inside the texts of elements."""
    if _is_xml(body):
        root = _parse(body)
        for element in root.iter():
            element.text = f"\n\t  {(element.text or '').strip()}  \n"
            element.tail = "\n\n   "
        return _DECLARATION + etree.tostring(root).strip() + b"\n  \n"
    if not body:
        return body
    return b" \n\t" + json.dumps(json.loads(body), indent=9, separators=(" , ", " :   ")).encode() + b"\n \n"


def shuffled(body: bytes) -> bytes:
    """The same document with the children of every element, or the keys of every object, in another order.

    Lists of telephone numbers keep theirs; the order is the same each time.
    """
    dice = Random(len(body))  # noqa: S311 - any order will do
    if _is_xml(body):
        root = _parse(body)
        for element in root.iter():
            children = list(element)
            dice.shuffle(children)
            element[:] = children
        return _DECLARATION + etree.tostring(root)
    return json.dumps(_shuffled_keys(json.loads(body), dice)).encode() if body else body


def entity_bomb() -> bytes:
    """A small document that a naive reader expands to gigabytes."""
    entities = ['<!ENTITY a0 "lol">']
    entities += [f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, _LEVELS + 1)]
    text = f"<!DOCTYPE ExternalTnsOrder [{''.join(entities)}]>"
    return _DECLARATION + f"{text}<ExternalTnsOrder><OrderId>&a{_LEVELS};</OrderId></ExternalTnsOrder>".encode()


def _is_xml(body: bytes) -> bool:
    return body.lstrip().startswith(b"<")


def _parse(body: bytes) -> etree._Element:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))


def _shuffled_keys(value: Any, dice: Random) -> Any:  # noqa: ANN401 - JSON is of any type
    if isinstance(value, list):
        return [_shuffled_keys(one, dice) for one in value]
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: _shuffled_keys(value[name], dice) for name in names}
    return value
