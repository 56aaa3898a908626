"""Writes Catapult's answers."""

import json
from typing import Final

from sandbox.call import Call
from sandbox.wire.message import Response

_JSON: Final = "application/json"


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(
        status=status,
        body=text.encode("utf-8", "replace"),
        headers={"Content-Type": _JSON, "Cache-Control": "no-cache", **(headers or {})},
    )


def done() -> Response:
    """The answer to an update or a deletion: 200 without a body or a type."""
    return Response(status=200, headers={"Cache-Control": "no-cache"})


def created(call: Call, collection: str, resource_id: str) -> Response:
    """201 with a Location and no body."""
    headers = {"Cache-Control": "no-cache"}
    # Our choice: a recording of 2015 has a JSON type beside the empty body, yet the clients that Bandwidth published
    # from 2017 on read a body wherever they see that type. So it is left out unless the switch asks for it.
    if call.carrier.switches.created_content_type == "json":
        headers["Content-Type"] = _JSON
    where = location(call, collection, resource_id)
    if where:
        headers["Location"] = where
    return Response(status=201, headers=headers)


def location(call: Call, collection: str, resource_id: str) -> str | None:
    """Where the new resource is, in the form that the switch asks for."""
    form = call.carrier.switches.catapult_location
    if form == "none":
        return None
    path = f"/v1/users/{call.account.user_id}/{collection}/{resource_id}"
    relative = form == "relative" or (form == "guide" and collection == "applications")
    return path if relative else call.request.origin + path
