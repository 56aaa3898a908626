"""What FastAPI finds wrong with a query or a body, in the words of the catalogue, each with its fix."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from fastapi import Request
from pydantic_core import PydanticCustomError

from tnimport.domain.reasons import reason_for
from tnimport.intake.sentences import sentence

_PLACES: Final = {"query": "parameter", "path": "parameter", "header": "header"}
_UNKNOWN: Final = "extra_forbidden"
_MISSING: Final = "missing"
_OURS: Final = "of_ours"


def explained(request: Request, one: Mapping[str, Any]) -> dict[str, Any]:
    """One fault as a member of `errors`: where it is, what it is, and what to do."""
    where: Sequence[Any] = one["loc"]
    place, names = str(where[0]), [str(part)[:60] for part in where[1:]]
    at = {_PLACES[place]: ".".join(names)} if place in _PLACES else {"pointer": "".join(f"/{name}" for name in names)}
    told = one["ctx"] if one["type"] == _OURS else {}
    code = told.get("code") or {_UNKNOWN: "unknown_field", _MISSING: "required"}.get(one["type"], "invalid_value")
    reason = reason_for(code)
    detail = None if one["type"] in {_UNKNOWN, _MISSING} else sentence(one)
    near = _nearest(names[-1], _parameters(request)) if one["type"] == _UNKNOWN and place == "query" else None
    return {**at, "detail": detail or reason.cause, "code": code, "fix": told.get("fix") or near or reason.fix}


def ours(code: str, detail: str, fix: str | None = None) -> PydanticCustomError:
    """What a validator of ours raises: a code of the catalogue with what was seen, and perhaps a better fix."""
    return PydanticCustomError(_OURS, "{text}", {"text": detail, "code": code, "fix": fix})


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
