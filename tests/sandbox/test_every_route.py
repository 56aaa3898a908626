"""Whatever is asked of any route of both APIs is answered on purpose: what raises here would be a 500 on the wire."""

import base64
import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from sandbox.accounts import SECOND_ACCOUNT
from sandbox.app import Sandbox
from sandbox.building import build
from sandbox.call import Route
from sandbox.catapult.routes import ROUTES as CATAPULT
from sandbox.dashboard.routes import ROUTES as DASHBOARD
from sandbox.switches import Switches
from sandbox.timers import Timers
from sandbox.wire.message import Request, Response
from tests.sandbox.anything import BODIES, QUERIES, TEXT


class AtOnce(Timers):
    """What is to come later comes at once, and calls to others never."""

    def later(self, _seconds: float, action: Callable[..., None], *args: object) -> None:
        action(*args)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


BOARD, USER = "/api/accounts/8888888", "/v1/users/u-2"
LOGINS = {BOARD: _basic("roadRunner", "beepBeep!"), USER: _basic("t-2", "s-2")}
DASHBOARD_LOGIN = {"accountId": "8888888", "userName": "roadRunner", "password": "beepBeep!"}
ONE_OF_EVERYTHING: list[tuple[str, str, str]] = [
    (
        BOARD,
        "/externalTns",
        (
            "<ExternalTnsOrder><CustomerOrderID>own</CustomerOrderID><SiteId>843</SiteId><Action>IMPORT</Action>"
            "<TelephoneNumbers><TelephoneNumber>9195550002</TelephoneNumber></TelephoneNumbers></ExternalTnsOrder>"
        ),
    ),
    (
        BOARD,
        "/subscriptions",
        (
            "<Subscription><OrderType>externalTns</OrderType><CallbackSubscription><URL>http://127.0.0.1:9/</URL>"
            "</CallbackSubscription></Subscription>"
        ),
    ),
    (USER, "/applications", json.dumps({"name": "a", "incomingMessageUrl": "http://127.0.0.1:9/"})),
    (
        USER,
        "/phoneNumbers",
        json.dumps(
            {
                "number": "+19195550002",
                "applicationId": "",
                "provider": {"providerName": "bandwidth-dashboard", "properties": DASHBOARD_LOGIN},
            }
        ),
    ),
    (USER, "/messages", json.dumps({"from": "+19195550002", "to": "+13035550961", "text": "x"})),
]


class World:
    """A sandbox without a network, with one of everything in it."""

    def __init__(self) -> None:
        carrier = build((SECOND_ACCOUNT,), Switches(rate_limits=False))
        carrier.timers = AtOnce()
        self.sandbox = Sandbox(carrier)
        for root, path, body in ONE_OF_EVERYTHING:
            assert self.ask(root, Request(method="POST", path=path, body=body.encode())).status == 201
        board, user = carrier.dashboards["8888888"], carrier.users["u-2"]
        self.known = {
            "order": next(iter(board.orders)),
            "subscription": next(iter(board.subscriptions)),
            "application": next(iter(user.applications)),
            "number": next(iter(user.numbers)),
            "message": next(iter(user.messages)),
            "error": user.errors[0]["id"],
            "site": "843",
            "peer": "403716",
            "tn": "9195550002",
        }

    def ask(self, root: str, request: Request) -> Response:
        request.path = root + request.path
        request.headers = {"authorization": LOGINS[root], "host": "x"} | request.headers
        return self.sandbox.answer(request)


def _looks_right(response: Response) -> None:
    assert response.delivery is not None or 200 <= response.status < 500
    assert response.head().endswith(b"\r\n\r\n")
    kind = response.headers.get("Content-Type", "")
    if "xml" in kind:
        etree.fromstring(response.body)
    elif "json" in kind and response.body:
        json.loads(response.body)


ROUTES = [(BOARD, route) for route in DASHBOARD] + [(USER, route) for route in CATAPULT]
LISTS = [(root, route.path) for root, route in ROUTES if route.method == "GET" and "{" not in route.path]
AUTHORIZATION = st.sampled_from([{}] * 8 + [{"authorization": one} for one in ("Basic \xe9", "Basic", "Basic gA==")])


@st.composite
def requests(draw: st.DrawFn, route: Route, known: dict[str, str]) -> Request:
    """A request to that route, below its root."""
    path = "/".join(
        quote(draw(st.just(known[part.strip("{}")]) | TEXT), safe="", errors="replace")
        if part.startswith("{")
        else part
        for part in route.path.split("/")
    )
    return Request(
        method=route.method,
        path=path,
        query=draw(QUERIES.map(lambda pairs: urlencode(pairs, errors="replace")) | TEXT),
        headers=draw(AUTHORIZATION),
        body=draw(BODIES) if route.method in {"POST", "PUT"} else b"",
    )


QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("root", "route"), ROUTES, ids=[route.name for _, route in ROUTES])
def test_no_request_breaks_a_route(root: str, route: Route) -> None:
    reads = route.method == "GET"

    @settings(QUICK, max_examples=5 if reads else 14)
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        world = World()
        _looks_right(world.ask(root, data.draw(requests(route, world.known))))
        for other, path in () if reads else LISTS:  # what was taken in can be shown, too
            _looks_right(world.ask(other, Request(method="GET", path=path)))

    ask()
