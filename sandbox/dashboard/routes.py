"""The endpoints of the Dashboard below /accounts/{account}."""

from typing import Final

from sandbox.call import Handler, Route
from sandbox.dashboard import checker, inservice, orders, sites, subscriptions, successor
from sandbox.limits import DASHBOARD


def _route(name: str, method: str, path: str, handler: Handler) -> Route:
    return Route(f"dashboard.{name}", method, path, handler, DASHBOARD)


def _successor(name: str, kind: str) -> list[Route]:
    handlers = successor.HANDLERS[kind]
    return [
        _route(f"{name}.create", "POST", f"/{kind}", handlers["create"]),
        _route(f"{name}.list", "GET", f"/{kind}", handlers["list"]),
        _route(f"{name}.get", "GET", f"/{kind}/{{order}}", handlers["get"]),
        _route(f"{name}.history", "GET", f"/{kind}/{{order}}/history", handlers["history"]),
    ]


ROUTES: Final[list[Route]] = [
    _route("orders.create", "POST", "/externalTns", orders.create),
    _route("orders.list", "GET", "/externalTns", orders.index),
    _route("orders.get", "GET", "/externalTns/{order}", orders.fetch),
    _route("inservice.list", "GET", "/inserviceNumbers", inservice.index),
    _route("inservice.totals", "GET", "/inserviceNumbers/totals", inservice.totals),
    _route("inservice.get", "GET", "/inserviceNumbers/{tn}", inservice.fetch),
    _route("sites.list", "GET", "/sites", sites.index),
    _route("sites.get", "GET", "/sites/{site}", sites.fetch),
    _route("sippeers.list", "GET", "/sites/{site}/sippeers", sites.peers),
    _route("sippeers.get", "GET", "/sites/{site}/sippeers/{peer}", sites.fetch_peer),
    _route("subscriptions.create", "POST", "/subscriptions", subscriptions.create),
    _route("subscriptions.list", "GET", "/subscriptions", subscriptions.index),
    _route("subscriptions.get", "GET", "/subscriptions/{subscription}", subscriptions.fetch),
    _route("subscriptions.update", "PUT", "/subscriptions/{subscription}", subscriptions.update),
    _route("subscriptions.delete", "DELETE", "/subscriptions/{subscription}", subscriptions.delete),
    _route("checker.check", "POST", "/importTnChecker", checker.check),
    *_successor("importtnorders", "importTnOrders"),
    *_successor("removeorders", "removeImportedTnOrders"),
]
