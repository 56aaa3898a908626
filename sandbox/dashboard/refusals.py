"""How the Dashboard says no."""

from typing import Final

from sandbox.dashboard.xml_out import Element, answer
from sandbox.wire.message import Response

_ROOTS: Final = {
    "orders": "ExternalTnsOrderResponse",
    "importtnorders": "ImportTnOrdersResponse",
    "removeorders": "RemoveImportedTnOrdersResponse",
    "checker": "ImportTnCheckerResponse",
    "subscriptions": "SubscriptionsResponse",
    "sites": "SiteResponse",
    "sippeers": "SipPeerResponse",
    "inservice": "TNsResponse",
}


class Refusal(Exception):
    """The Dashboard will not do it: an HTTP status, perhaps a code, a description."""

    def __init__(self, status: int, code: str | None, description: str, *, repeated: bool = False) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description
        self.repeated = repeated  # the layout with repeated Errors and no Error


def no_such_resource() -> Refusal:
    """A 404, which has no ErrorCode."""
    return Refusal(404, None, "The resource does not exist")


def render(refusal: Refusal, route_name: str) -> Response:
    """The answer to a refused call of that route."""
    root = _ROOTS.get(route_name.split(".")[1], "ErrorResponse")
    if refusal.repeated:
        one: Element = ("Errors", _code_and_text(refusal))
        return answer((root, [("ProcessingStatus", "FAILED"), one, one]), refusal.status)
    return answer((root, [("ResponseStatus", _code_and_text(refusal, "ErrorCode"))]), refusal.status)


def _code_and_text(refusal: Refusal, code_name: str = "Code") -> list[Element]:
    code: list[Element] = [(code_name, refusal.code)] if refusal.code else []
    return [*code, ("Description", refusal.description)]
