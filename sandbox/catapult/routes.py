"""The endpoints of Catapult below /v1/users/{user}."""

from typing import Final

from sandbox import limits
from sandbox.call import Handler, Route
from sandbox.catapult import applications, errors, messages, numbers


def _resource(name: str, path: str, key: str, lane: str, **handlers: Handler) -> list[Route]:
    shapes = {
        "create": ("POST", path),
        "index": ("GET", path),
        "fetch": ("GET", f"{path}/{{{key}}}"),
        "update": ("POST", f"{path}/{{{key}}}"),
        "delete": ("DELETE", f"{path}/{{{key}}}"),
    }
    names = {"index": "list", "fetch": "get"}
    return [
        Route(f"catapult.{name}.{names.get(verb, verb)}", *shapes[verb], handler, lane)
        for verb, handler in handlers.items()
    ]


ROUTES: Final[list[Route]] = [
    *_resource(
        "applications",
        "/applications",
        "application",
        limits.APPLICATIONS,
        create=applications.create,
        index=applications.index,
        fetch=applications.fetch,
        update=applications.update,
        delete=applications.delete,
    ),
    *_resource("numbers", "/phoneNumbers", "number", limits.ORDER_NUMBERS, create=numbers.create),
    *_resource(
        "numbers",
        "/phoneNumbers",
        "number",
        limits.MANAGE_NUMBERS,
        index=numbers.index,
        fetch=numbers.fetch,
        update=numbers.update,
        delete=numbers.delete,
    ),
    *_resource("messages", "/messages", "message", limits.SEND_MESSAGES, create=messages.create),
    *_resource("messages", "/messages", "message", limits.READ_MESSAGES, index=messages.index, fetch=messages.fetch),
    *_resource("errors", "/errors", "error", limits.ERRORS, index=errors.index, fetch=errors.fetch),
]
