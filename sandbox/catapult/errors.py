"""errors: what went wrong after a call was accepted."""

from sandbox.call import Call
from sandbox.catapult.json_out import answer
from sandbox.catapult.paging import listed, page_of
from sandbox.catapult.problems import not_found
from sandbox.catapult.state import CatapultUser, now, stamp
from sandbox.ids import resource_id
from sandbox.wire.message import Response


def add(user: CatapultUser, category: str, code: str, message: str, **details: str) -> None:
    """Note an error for the user to find; the newest comes first."""
    user.errors.appendleft(
        {
            "id": resource_id("ue"),
            "time": stamp(now()),
            "category": category,
            "code": code,
            "message": message,
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }
    )


def index(call: Call) -> Response:
    """GET errors."""
    items, link = page_of(call, list(call.carrier.users[call.account.user_id].errors))
    return listed(list(items), link)


def fetch(call: Call) -> Response:
    """GET errors/{id}."""
    wanted = call.params["error"]
    for error in call.carrier.users[call.account.user_id].errors:
        if error["id"] == wanted:
            return answer(error)
    raise not_found("error", wanted)
