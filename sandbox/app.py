"""The sandbox as one function from a request to an answer."""

from collections.abc import Callable
from typing import Final

from sandbox.accounts import Account
from sandbox.call import Call, Route
from sandbox.carrier import Carrier
from sandbox.catapult import door as catapult_door
from sandbox.catapult.routes import ROUTES as CATAPULT_ROUTES
from sandbox.control import door as control_door
from sandbox.dashboard import door as dashboard_door
from sandbox.dashboard.routes import ROUTES as DASHBOARD_ROUTES
from sandbox.faults import apply
from sandbox.routing import find, segments, tree_of
from sandbox.wire.message import Delivery, Request, Response

_DASHBOARD: Final = tree_of(DASHBOARD_ROUTES)
_CATAPULT: Final = tree_of(CATAPULT_ROUTES)
# What may stand before /accounts: the bases that the guide, the documents and the known clients use.
_DASHBOARD_BASES: Final = (["api"], ["v1.0"], ["api", "v1"], ["api", "v1.0"], list[str]())


class Sandbox:
    """Answers requests for the carrier it is given."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def answer(self, request: Request) -> Response:
        """The answer to any request, by the part of the sandbox that its path names."""
        parts = segments(request.path)
        lower = [part.lower() for part in parts[:3]]
        if "accounts" in lower and lower[: lower.index("accounts")] in _DASHBOARD_BASES:
            return self._dashboard(request, parts[lower.index("accounts") + 1 :])
        if lower[:2] == ["v1", "users"]:
            return self._catapult(request, parts[2:])
        return control_door.enter(self.carrier, request)

    def _dashboard(self, request: Request, parts: list[str]) -> Response:
        routes, params = find(_DASHBOARD, parts[1:])
        account = self.carrier.account_named(parts[0]) if parts else None
        if account and request.method in routes:
            return self._call(request, routes[request.method], params, account, dashboard_door.enter)
        name = next(iter(routes.values())).name if routes else "dashboard.unknown"
        refused = dashboard_door.refused(self.carrier, request, parts[0] if parts else None, name)
        if refused or not routes:
            return self._noted("dashboard.unknown", request, refused or dashboard_door.no_such_path())
        return self._wrong_method(request, routes)

    def _catapult(self, request: Request, parts: list[str]) -> Response:
        routes, params = find(_CATAPULT, parts[1:])
        account = next((one for one in self.carrier.accounts if parts and one.user_id == parts[0]), None)
        if account and request.method in routes:
            return self._call(request, routes[request.method], params, account, catapult_door.enter)
        if account is None or not catapult_door.is_caller(account, request):
            # A user that does not exist is answered like wrong credentials.
            return self._noted("catapult.unknown", request, catapult_door.unauthorized(request))
        if not routes:
            return self._noted("catapult.unknown", request, catapult_door.no_such_path(request))
        return self._wrong_method(request, routes)

    def _call(
        self,
        request: Request,
        route: Route,
        params: dict[str, str],
        account: Account,
        enter: Callable[[Call], Response],
    ) -> Response:
        call = Call(carrier=self.carrier, request=request, route=route, account=account, params=params)
        rule = self.carrier.faults.pick(route.name) if self.carrier.faults.rules else None
        if rule is None:
            return self._noted(route.name, request, enter(call))
        response = apply.before(rule, call) or apply.after(rule, call, enter(call))
        return self._noted(route.name, request, response, fault=rule.kind)

    def _wrong_method(self, request: Request, routes: dict[str, Route]) -> Response:
        headers = {"Allow": ", ".join(sorted(routes))}
        return self._noted("wrong-method", request, Response(status=405, headers=headers))

    def _noted(self, endpoint: str, request: Request, response: Response, *, fault: str = "") -> Response:
        cut = response.delivery is not None and response.delivery.cut
        status = 0 if cut else response.status
        self.carrier.journal.note(endpoint, request, status, fault)
        if self.carrier.switches.latency and not cut:
            response.delivery = response.delivery or Delivery()
            response.delivery.delay += self.carrier.switches.latency
        return response
