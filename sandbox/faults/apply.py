"""Carries a fault out: instead of the effect, or on the answer after it."""

from collections.abc import Callable
from http import HTTPStatus
from time import time
from typing import Final

from sandbox.call import Call
from sandbox.catapult import door as catapult_door
from sandbox.dashboard import door as dashboard_door
from sandbox.faults import mangle
from sandbox.faults.rules import BEFORE, Rule
from sandbox.wire.message import Delivery, Response

_HTML: Final = b"<html><head><title>Error</title></head><body><h1>The server cannot answer now</h1></body></html>\n"
_LIMIT_SECONDS: Final = 1.0


def before(rule: Rule, call: Call) -> Response | None:
    """The answer of a fault that keeps the effect from happening; None for the others."""
    return _BEFORE[rule.kind](rule, call) if rule.kind in BEFORE else None


def after(rule: Rule, call: Call, response: Response) -> Response:
    """The answer as a fault of the other kind leaves it; where there is none any more, there stays none."""
    cut = response.delivery is not None and response.delivery.cut
    return response if cut else _AFTER[rule.kind](rule, call, response)


def instead_by_name(kind: str, call: Call, status: int = 503) -> Response:
    """As `before`, for what a reserved number provokes."""
    return _BEFORE[kind](Rule(rule=0, endpoint="", kind=kind, status=status), call)


def after_by_name(kind: str, call: Call, response: Response) -> Response:
    """As `after`, for what a reserved number provokes."""
    return _AFTER[kind](Rule(rule=0, endpoint="", kind=kind), call, response)


def _cut(_rule: Rule, _call: Call, _response: Response | None = None) -> Response:
    return Response(status=0, delivery=Delivery(cut=True))


def _error(rule: Rule, _call: Call, _response: Response | None = None) -> Response:
    return Response(status=rule.status, headers={"Content-Type": "text/html"}, body=_HTML)


def _limited(rule: Rule, call: Call) -> Response:
    reset = time() + (_LIMIT_SECONDS if rule.seconds is None else rule.seconds)
    with_header = rule.kind == "rate-limited"
    if call.route.name.startswith("dashboard."):
        return dashboard_door.limited(call, reset, with_header=with_header)
    return catapult_door.limited(call, reset, with_header=with_header)


def _unauthorized(_rule: Rule, call: Call) -> Response:
    if call.route.name.startswith("dashboard."):
        return dashboard_door.unauthorized()
    return catapult_door.unauthorized(call.request)


def _given(rule: Rule, _call: Call) -> Response:
    return Response(status=rule.status, headers=dict(rule.headers), body=rule.body.encode("utf-8", "replace"))


def _slow(rule: Rule, call: Call, response: Response) -> Response:
    seconds = call.carrier.switches.slow_seconds if rule.seconds is None else rule.seconds
    response.delivery = Delivery(delay=seconds)
    return response


def _drip(rule: Rule, _call: Call, response: Response) -> Response:
    response.delivery = Delivery(drip=0.05 if rule.seconds is None else rule.seconds)
    return response


def _have_body(response: Response, body: bytes) -> Response:
    """A 204 can have no body, so that it becomes a 200."""
    response.body = body
    response.status = 200 if response.status == HTTPStatus.NO_CONTENT else response.status
    return response


def _truncated(_rule: Rule, _call: Call, response: Response) -> Response:
    if not response.body:
        # An empty body cannot be torn; the head then promises one that never comes.
        _have_body(response, b" ")
    response.delivery = Delivery(keep=0.5)
    return response


def _oversized(rule: Rule, _call: Call, response: Response) -> Response:
    return _have_body(response, response.body + b" " * rule.bytes)


def _wrong_type(_rule: Rule, _call: Call, response: Response) -> Response:
    response.headers["Content-Type"] = "text/plain"
    return response


def _empty(_rule: Rule, _call: Call, response: Response) -> Response:
    response.body = b""
    return response


def _html(_rule: Rule, _call: Call, response: Response) -> Response:
    response.headers["Content-Type"] = "text/html"
    return _have_body(response, _HTML)


def _mangled(change: Callable[[bytes], bytes]) -> Callable[[Rule, Call, Response], Response]:
    def apply(_rule: Rule, _call: Call, response: Response) -> Response:
        response.body = change(response.body)
        return response

    return apply


def _bomb(_rule: Rule, _call: Call, response: Response) -> Response:
    response.headers["Content-Type"] = "application/xml; charset=utf-8"
    return _have_body(response, mangle.entity_bomb())


_BEFORE: Final[dict[str, Callable[[Rule, Call], Response]]] = {
    "cut-before": _cut,
    "error": _error,
    "rate-limited": _limited,
    "rate-limited-bare": _limited,
    "unauthorized": _unauthorized,
    "answer": _given,
}
_AFTER: Final[dict[str, Callable[[Rule, Call, Response], Response]]] = {
    "cut-after": _cut,
    "error-after": _error,
    "slow": _slow,
    "drip": _drip,
    "truncated": _truncated,
    "oversized": _oversized,
    "wrong-type": _wrong_type,
    "empty": _empty,
    "html": _html,
    "junk-whitespace": _mangled(mangle.junk_whitespace),
    "shuffled": _mangled(mangle.shuffled),
    "entity-bomb": _bomb,
}
