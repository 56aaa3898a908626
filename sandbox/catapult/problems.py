"""How Catapult says no: category, code, message, and details that end with the request itself."""

from typing import Any

from sandbox.catapult.json_out import answer
from sandbox.wire.message import Request, Response


class Problem(Exception):
    """Catapult will not do it."""

    def __init__(self, status: int, category: str, code: str, message: str, *details: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.code = code
        self.message = message
        self.details = details


def not_found(kind: str, resource_id: str) -> Problem:
    """404; the id of what was sought is the first detail."""
    text = f"The {kind} {resource_id} could not be found"
    return Problem(404, "not-found", f"{kind}-not-found", text, (f"{kind}Id", resource_id))


def invalid(message: str) -> Problem:
    """400 for a value that cannot be taken."""
    return Problem(400, "bad-request", "validation-error", message)


def missing(resource: str, name: str) -> Problem:
    """400 for a property that must be there."""
    text = f"The '{resource}' resource property '{name}' is required but was not specified"
    return Problem(400, "bad-request", "missing-property", text)


def blank(resource: str, name: str) -> Problem:
    """400 for a property that must hold something."""
    text = f"The '{resource}' resource property '{name}' must contain at least one non-space character"
    return Problem(400, "bad-request", "blank-property", text)


def as_json(problem: Problem, request: Request) -> dict[str, Any]:
    """The body of the answer."""
    return {
        "category": problem.category,
        "code": problem.code,
        "message": problem.message,
        "details": details_of(request, *problem.details),
    }


def render(problem: Problem, request: Request) -> Response:
    """The answer."""
    return answer(as_json(problem, request), problem.status)


def details_of(request: Request, *first: tuple[str, str]) -> list[dict[str, str]]:
    """Details in the documented order: what is special, then method, caller, path without its root."""
    parts = [part for part in request.path.split("/") if part]
    path = "/".join(parts[1:] if [part.lower() for part in parts[:1]] == ["v1"] else parts)
    last = (("requestMethod", request.method), ("remoteAddress", request.remote), ("requestPath", path))
    return [{"name": name, "value": value} for name, value in (*first, *last)]
