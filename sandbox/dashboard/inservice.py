"""inserviceNumbers: which numbers are on the account."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from sandbox.call import Call
from sandbox.dashboard.refusals import Refusal
from sandbox.dashboard.xml_out import answer
from sandbox.digits import whole
from sandbox.wire.message import Response

_DEFAULT_SIZE: Final = 300


def index(call: Call) -> Response:
    """GET inserviceNumbers, pages from 1; 204 when there is nothing to show."""
    query = call.query()
    page, size = _count(query, "page", 1), _count(query, "size", _DEFAULT_SIZE)
    prefix = query.get("npanxx") or query.get("areacode") or ""
    held = call.carrier.dashboards[call.account.account_id].in_service
    found = [number for number in held if number.startswith(prefix)]
    shown = found[(page - 1) * size : page * size]
    if not shown:
        return Response(status=204)
    links = [("first", _link(call, 1, size))]
    if len(found) > page * size:
        links.append(("next", _link(call, page + 1, size)))
    numbers = [("TelephoneNumber", number) for number in shown]
    return answer(
        (
            "TNs",
            [
                ("TotalCount", str(len(found))),
                ("Links", links),
                ("TelephoneNumbers", [("Count", str(len(shown))), *numbers]),
            ],
        )
    )


def totals(call: Call) -> Response:
    """GET inserviceNumbers/totals."""
    held = call.carrier.dashboards[call.account.account_id].in_service
    return answer(("Quantity", [("Count", str(len(held)))]))


def fetch(call: Call) -> Response:
    """GET inserviceNumbers/{tn}: 200 or 404, and no body either way."""
    held = call.carrier.dashboards[call.account.account_id].in_service
    return Response(status=200 if call.params["tn"] in held else 404)


def _count(query: dict[str, str], name: str, default: int) -> int:
    given = whole(query[name]) if name in query else default
    if given is None:
        raise Refusal(400, "1010", f"{name} must be a number.")
    # Our choice: the first page of some old clients is called 0 and means the same as 1.
    return max(1, given)


def _link(call: Call, page: int, size: int) -> str:
    path = f"{call.request.origin}/api/accounts/{call.account.account_id}/inserviceNumbers"
    others = [pair for pair in parse_qsl(call.request.query) if pair[0] not in {"page", "size"}]
    query = urlencode([*others, ("page", page), ("size", size)])
    return f'Link=<{path}?{query}>;rel="{"first" if page == 1 else "next"}";'
