"""Reads the JSON of a request; a property that is null counts as absent."""

import json
from typing import Any

from sandbox.catapult.problems import blank, invalid, missing
from sandbox.wire.message import Request


def read(request: Request) -> Any:  # noqa: ANN401 - JSON is of any type
    """The value of the body, or a 400."""
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as problem:
        # Our choice: the answer to a body that is not JSON is not documented.
        raise invalid("The request body is not valid JSON.") from problem


def read_object(request: Request) -> dict[str, Any]:
    """The body, which must be one object."""
    return as_object(read(request))


def as_object(value: object) -> dict[str, Any]:
    """That value without its nulls, if it is an object."""
    if not isinstance(value, dict):
        raise invalid("The request body must be a JSON object.")
    return {name: one for name, one in value.items() if one is not None}


def text(fields: dict[str, Any], resource: str, name: str) -> str:
    """A property that must be there and hold something."""
    value = optional_text(fields, name)
    if value is None:
        raise missing(resource, name)
    if not value.strip():
        raise blank(resource, name)
    return value


def optional_text(fields: dict[str, Any], name: str) -> str | None:
    """A property that may be absent."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"The property '{name}' must be a string.")
    return value
