"""What POST /v1/imports takes, for the OpenAPI document."""

from typing import Any, Final

from tnimport.intake.options import READING, Application, ImportOptions

_APPLICATION: Final = "application"
_EXAMPLE: Final = {
    "numbers": ["919-555-1234", "+19195551235"],
    "site_id": 743,
    "sip_peer_id": 303716,
    "customer_order_id": "ICPA123ABC",
    "application": {"id": "a-1a2b3c"},
    "client_ref": "crm-4711",
}
_WORDS: Final = {
    "numbers": "telephone numbers in any usual way of writing",
    "account": "name of the account; `default` if there are several and none is named",
    "action": "IMPORT or REMOVE",
    "site_id": "site that gets the numbers; the account's own by default",
    "sip_peer_id": "SIP peer that gets the numbers; the account's own by default",
    "customer_order_id": "the caller's own name for the order, at most 40 letters, digits, blanks and dashes",
    "client_ref": "the caller's own key; the same again, with the same request, is the same import",
    "max_per_minute": "import at most this many numbers a minute",
    "on_present": "what to do with a number that is there already",
    "strict": "refuse the whole request for one row that is no number",
    "verify": "prove numbers that were imported by messages from one to the next: a sample of them, or all",
    "verify_count": "with `verify=sample`: how many numbers (10)",
    "notify_url": "address that is told when the import has ended",
    "column": "of CSV: heading or position (from 1) of the column with the numbers",
    "charset": "what the text is encoded in",
}


def _schema_of(model: type[Application | ImportOptions]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {name: _plain(name, shape) for name, shape in schema["properties"].items() if name != _APPLICATION}


def _plain(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    """The shape without null, title and default, which a query cannot say, and with its description."""
    first = next((one for one in shape.get("anyOf", [shape]) if one.get("type") != "null"), shape)
    kept = {key: value for key, value in first.items() if key not in {"title", "default"}}
    return kept | ({"description": _WORDS[name]} if name in _WORDS else {})


_OPTIONS: Final = _schema_of(ImportOptions)
_PARTS: Final = _schema_of(Application)
_ROW: Final = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "object"}, {"type": "null"}]}
_BODY: Final = {
    "type": "object",
    "required": ["numbers"],
    "additionalProperties": False,
    "properties": {
        "numbers": {"type": "array", "items": _ROW, "description": _WORDS["numbers"]},
        _APPLICATION: {"type": "object", "additionalProperties": False, "properties": _PARTS},
        **_OPTIONS,
    },
}
_IN_QUERY: Final = {
    **_OPTIONS,
    **{f"{_APPLICATION}_{name}": shape for name, shape in _PARTS.items()},
    **{name: {"type": "string", "description": _WORDS[name]} for name in READING},
}

KEY_HEADER: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 200 printable ASCII characters; repeating a request with it is harmless",
    "schema": {"type": "string"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
OPENAPI: Final[dict[str, Any]] = {
    "parameters": [
        KEY_HEADER,
        *(
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": shape,
                "description": "for bodies other than JSON, which has it as a member"
                if name not in READING
                else _WORDS[name],
            }
            for name, shape in _IN_QUERY.items()
        ),
    ],
    "requestBody": {
        "required": True,
        "description": "The numbers; each type also with Content-Encoding: gzip.",
        "content": {
            "application/json": {"schema": _BODY, "example": _EXAMPLE},
            "text/csv": {"schema": {"type": "string"}, "example": "number,name\n919-555-1234,Ann\n"},
            "text/plain": {"schema": {"type": "string"}, "example": "919-555-1234\n919-555-1235\n"},
            "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"number": "919-555-1234"}\n'},
        },
    },
}
