"""What FastAPI finds wrong with a query or a body, in the words of the catalogue, each with its fix."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from fastapi import Request

from tnimport.domain.reasons import reason_for

_PLACES: Final = {"query": "parameter", "path": "parameter", "header": "header"}
_UNKNOWN: Final = "extra_forbidden"
_MISSING: Final = "missing"
_SENTENCES: Final[Mapping[str, str]] = {
    "int_parsing": "It must be a whole number.",
    "int_type": "It must be a whole number.",
    "greater_than_equal": "It must be at least {ge}.",
    "less_than_equal": "It must be at most {le}.",
    "string_type": "It must be a text.",
    "string_too_short": "It must have at least {min_length} characters.",
    "string_too_long": "It must have at most {max_length} characters.",
    "string_pattern_mismatch": "It has characters that it cannot have.",
}


def explained(request: Request, one: Mapping[str, Any]) -> dict[str, Any]:
    """One fault as a member of `errors`: where it is, what it is, and what to do."""
    where: Sequence[Any] = one["loc"]
    place, names = str(where[0]), [str(part)[:60] for part in where[1:]]
    at = {_PLACES[place]: ".".join(names)} if place in _PLACES else {"pointer": "".join(f"/{name}" for name in names)}
    code = {_UNKNOWN: "unknown_field", _MISSING: "required"}.get(one["type"], "invalid_value")
    reason = reason_for(code)
    fix = _nearest(names[-1], _parameters(request)) if one["type"] == _UNKNOWN and place == "query" else None
    return {**at, "detail": _detail(one) or reason.cause, "code": code, "fix": fix or reason.fix}


def _detail(one: Mapping[str, Any]) -> str | None:
    if one["type"] in {_UNKNOWN, _MISSING}:
        return None
    sentence = _SENTENCES.get(one["type"])
    return sentence.format_map(one.get("ctx", {})) if sentence else f"{str(one['msg']).rstrip('.')}."


def _nearest(name: str, known: Collection[str]) -> str | None:
    """The parameter that was probably meant, else all there are."""
    close = get_close_matches(name.lower(), known, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"The parameters here are {', '.join(sorted(known))}." if known else None


def _parameters(request: Request) -> list[str]:
    """The query parameters of the operation that was asked for, as the OpenAPI document has them."""
    path = getattr(request.scope.get("route"), "path_format", "")
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    return [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
