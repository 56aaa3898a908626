"""The OpenAPI document: FastAPI's, without its own error shapes, which this API never answers."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tnimport.web.access.door import METRICS
from tnimport.web.wire.schemas import OneProblem, ProblemDocument, problems

_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key that `tnimport keys create` made: `tni_<id>_<secret>`. A deployment without keys listens on "
    "loopback only and asks for none.",
}


def install(app: FastAPI) -> None:
    """Let the app serve this document at /openapi.json."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas: dict[str, Any] = made["components"]["schemas"]
    for foreign in ("HTTPValidationError", "ValidationError"):
        schemas.pop(foreign, None)
    made["components"]["securitySchemes"] = {"key": _KEY}
    for path, operations in made["paths"].items():
        for operation in operations.values() if path.startswith("/v1/") or path == METRICS else ():
            operation["security"] = [{"key": []}]
            common = {str(status): told for status, told in problems(401, 403, 503).items()}
            operation["responses"] = common | operation["responses"]
    for operation in (one for path in made["paths"].values() for one in path.values()):
        # FastAPI adds its 422 where only a text stands in the path, which no text can fail.
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
    for model in (OneProblem, ProblemDocument):
        shape = model.model_json_schema(ref_template="#/components/schemas/{model}")
        shape.pop("$defs", None)
        schemas[model.__name__] = shape
    return made
