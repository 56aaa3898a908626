"""Lets a call into Catapult: credentials, the user in the path, the limit, then the handler."""

from sandbox.accounts import Account, basic
from sandbox.call import Call
from sandbox.catapult.json_out import answer
from sandbox.catapult.problems import Problem, details_of, render
from sandbox.limits import SEND_MESSAGES
from sandbox.wire.message import Request, Response


def unauthorized(request: Request) -> Response:
    """401 for missing or wrong credentials, or those of another user."""
    message = "Authentication is required to access this resource."
    response = render(Problem(401, "authorization", "access-denied", message), request)
    response.headers["WWW-Authenticate"] = 'Basic realm="catapult"'
    return response


def limited(call: Call, reset: float, *, with_header: bool) -> Response:
    """429 with the reset in epoch milliseconds and no message; for POST messages 403 of category limit."""
    call.carrier.journal.limited += 1
    if call.route.lane == SEND_MESSAGES:
        return render(_too_many_messages(call), call.request)
    milliseconds = str(int(reset * 1000) + 1)
    body = {
        "category": "too-many-requests",
        "code": "rate-limit-reached",
        "details": details_of(call.request, ("rateLimitResetTime", milliseconds)),
    }
    return answer(body, 429, {"X-RateLimit-Reset": milliseconds} if with_header else {})


def _too_many_messages(call: Call) -> Problem:
    rate = call.carrier.switches.messages_per_second
    return Problem(403, "limit", "message-rate-limit", f"You can send {rate:g} messages per 1 seconds.")


def is_caller(account: Account, request: Request) -> bool:
    """Whether the request carries the token and secret of the account's user."""
    return basic(request.headers.get("authorization", "")) == (account.token, account.secret)


def enter(call: Call) -> Response:
    """Answer the call, or say why not."""
    if not is_caller(call.account, call.request):
        return unauthorized(call.request)
    reset = call.carrier.limits.refusal(call.account.user_id, call.route.lane)
    if reset is not None:
        return limited(call, reset, with_header=call.carrier.switches.limit_headers)
    try:
        return call.route.handler(call)
    except Problem as problem:
        return render(problem, call.request)


def no_such_path(request: Request) -> Response:
    """404 for a path that Catapult does not have."""
    # Our choice: the code for a path without a resource is not documented.
    return render(Problem(404, "not-found", "resource-not-found", "There is no such resource."), request)
