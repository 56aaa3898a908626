"""The control endpoints and the page; they need no credentials and are in no log."""

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

from sandbox.building import empty
from sandbox.carrier import Carrier
from sandbox.control import actions, state
from sandbox.control.page import page
from sandbox.scenarios import SCENARIOS
from sandbox.wire.message import Request, Response

Action = Callable[[Carrier, Request], Any]


def enter(carrier: Carrier, request: Request) -> Response:
    """Answer a request below /control, or show the page."""
    path = request.path.rstrip("/") or "/"
    if path == "/":
        return Response(status=200, headers={"Content-Type": "text/html; charset=utf-8"}, body=page(carrier))
    action = _ACTIONS.get((request.method, path))
    if action is None:
        known = path in {name for _, name in _ACTIONS}
        return _json({"error": "no such method here" if known else "no such page"}, 405 if known else 404)
    try:
        return _json(action(carrier, request))
    except (ValueError, TypeError, RecursionError) as problem:
        return _json({"error": str(problem)}, 400)


def _json(body: object, status: int = 200) -> Response:
    text = json.dumps(body, indent=1) + "\n"
    return Response(status=status, headers={"Content-Type": "application/json"}, body=text.encode())


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.query).items()}


def _object(request: Request) -> dict[str, Any]:
    body = json.loads(request.body or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


def _get_switches(carrier: Carrier, _request: Request) -> object:
    return carrier.switches.as_json()


def _put_switches(carrier: Carrier, request: Request) -> object:
    carrier.switches.change(_object(request))
    carrier.limits.clear()
    return carrier.switches.as_json()


def _reset(carrier: Carrier, _request: Request) -> object:
    empty(carrier)
    return {"reset": True}


def _state(carrier: Carrier, request: Request) -> object:
    return state.everything(carrier, _query(request).get("parts", ""))


def _calls(carrier: Carrier, request: Request) -> object:
    query = _query(request)
    status = int(query["status"]) if "status" in query else None
    return list(carrier.journal.select(query.get("endpoint", ""), status, int(query.get("after", "0"))))


def _get_faults(carrier: Carrier, _request: Request) -> object:
    return carrier.faults.as_json()


def _add_faults(carrier: Carrier, request: Request) -> object:
    body = json.loads(request.body or b"{}")
    for wanted in body if isinstance(body, list) else [body]:
        carrier.faults.add(wanted)
    return carrier.faults.as_json()


def _clear_faults(carrier: Carrier, _request: Request) -> object:
    carrier.faults.clear(carrier.switches.seed)
    return []


def _scenarios(_carrier: Carrier, _request: Request) -> object:
    return {line: scenario._asdict() for line, scenario in SCENARIOS.items()}


_ACTIONS: Final[dict[tuple[str, str], Action]] = {
    ("GET", "/control/switches"): _get_switches,
    ("PUT", "/control/switches"): _put_switches,
    ("POST", "/control/reset"): _reset,
    ("GET", "/control/state"): _state,
    ("GET", "/control/calls"): _calls,
    ("GET", "/control/faults"): _get_faults,
    ("POST", "/control/faults"): _add_faults,
    ("DELETE", "/control/faults"): _clear_faults,
    ("GET", "/control/scenarios"): _scenarios,
    ("POST", "/control/release"): lambda carrier, _request: actions.release(carrier),
    ("POST", "/control/in-service"): lambda carrier, request: actions.put_in_service(carrier, _object(request)),
    ("POST", "/control/inbound"): lambda carrier, request: actions.inbound(carrier, _object(request), request.origin),
}
