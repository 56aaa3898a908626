"""What POST /v1/messages takes, for the OpenAPI document."""

from typing import Any, Final

from tnimport.domain.messages import BATCH_MOST, MEDIA_MOST, TEXT_MOST
from tnimport.web.imports.requests import KEY_HEADER

_MESSAGE: Final = {
    "type": "object",
    "required": ["from", "to"],
    "additionalProperties": False,
    "properties": {
        "from": {"type": "string", "description": "one of our imported numbers, in any usual way of writing"},
        "to": {"type": "string", "description": "E.164; +1 numbers in any usual way of writing"},
        "text": {"type": "string", "maxLength": TEXT_MOST, "description": "needed where there is no media"},
        "media": {
            "type": "array",
            "maxItems": MEDIA_MOST,
            "items": {"type": "string"},
            "description": "http or https addresses of pictures and the like",
        },
        "tag": {"type": "string", "maxLength": 255, "description": "the caller's own, repeated by Bandwidth"},
        "receipt_requested": {
            "type": "string",
            "enum": ["none", "all", "error"],
            "description": "whether Bandwidth tells of the delivery; not with media",
        },
        "account": {"type": "string", "description": "name of the account that has the number"},
    },
}
_EXAMPLE: Final = {"from": "+14352154439", "to": "+13233326955", "text": "Good morning", "receipt_requested": "all"}
OPENAPI: Final[dict[str, Any]] = {
    "parameters": [KEY_HEADER],
    "requestBody": {
        "required": True,
        "description": f"One message, or a list of 1 to {BATCH_MOST}.",
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [_MESSAGE, {"type": "array", "minItems": 1, "maxItems": BATCH_MOST, "items": _MESSAGE}]
                },
                "example": _EXAMPLE,
            }
        },
    },
}
