"""Lets a call into the Dashboard: credentials, the account in the path, then the handler."""

from sandbox.accounts import basic
from sandbox.call import Call
from sandbox.carrier import Carrier
from sandbox.dashboard.refusals import Refusal, render
from sandbox.dashboard.xml_out import answer
from sandbox.limits import DASHBOARD
from sandbox.wire.message import Request, Response


def credentials_account(carrier: Carrier, request: Request) -> str | None:
    """The id of the account whose user name and password the request carries."""
    given = basic(request.headers.get("authorization", ""))
    for account in carrier.accounts:
        if given == (account.username, account.password):
            return account.account_id
    return None


def unauthorized() -> Response:
    """401 for missing or wrong credentials."""
    # Our choice: no document shows the body of a 401, so it has none.
    return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="dashboard"'})


def forbidden(route_name: str) -> Response:
    """403 for an account that is not the caller's."""
    # Our choice: whether a foreign account exists is not told; 403 with 1001 is documented for denied access.
    return render(Refusal(403, "1001", "Access Denied"), route_name)


def limited(call: Call, reset: float, *, with_header: bool) -> Response:
    """429: empty, the reset in epoch seconds, and the connection ends."""
    call.carrier.journal.limited += 1
    headers = {"X-RateLimit-Reset": str(int(reset) + 1)} if with_header else {}
    return Response(status=429, headers=headers, close=True)


def refused(carrier: Carrier, request: Request, account_id: str | None, route_name: str) -> Response | None:
    """The answer to a caller without credentials or with those of another account; None for one who may come in."""
    caller = credentials_account(carrier, request)
    if caller is None:
        return unauthorized()
    return forbidden(route_name) if account_id not in {None, caller} else None


def enter(call: Call) -> Response:
    """Answer the call, or say why not."""
    account_id = call.account.account_id
    no_entry = refused(call.carrier, call.request, account_id, call.route.name)
    if no_entry:
        return no_entry
    reset = call.carrier.limits.refusal(account_id, DASHBOARD)
    if reset is not None:
        return limited(call, reset, with_header=call.carrier.switches.limit_headers)
    try:
        return call.route.handler(call)
    except Refusal as refusal:
        return render(refusal, call.route.name)


def no_such_path() -> Response:
    """404 for a path that the Dashboard does not have."""
    return answer(("ErrorResponse", [("ResponseStatus", [("Description", "The resource does not exist")])]), 404)
