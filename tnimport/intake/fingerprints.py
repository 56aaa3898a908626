"""What a request says, as one short text: two requests are the same if theirs are equal."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

_CHUNK: Final = 2**20


def of_fields(fields: Mapping[str, Any]) -> str:
    """The fingerprint of a JSON object with numbers and options; the order of its fields does not matter."""
    told = json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def of_body(parameters: Mapping[str, str], media_type: str, body: BinaryIO) -> str:
    """The fingerprint of query parameters and a body, which is read and wound back to where it stood."""
    told = hashlib.sha256(json.dumps([dict(parameters), media_type], sort_keys=True).encode())
    start = body.tell()
    while piece := body.read(_CHUNK):
        told.update(piece)
    body.seek(start)
    return told.hexdigest()
