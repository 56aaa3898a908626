"""importTnChecker: which numbers could be imported, with nothing done."""

from typing import Final

from sandbox.call import Call
from sandbox.dashboard.order_request import checked_numbers
from sandbox.dashboard.refusals import Refusal
from sandbox.dashboard.xml_in import root_of
from sandbox.dashboard.xml_out import Element, answer, numbers_element
from sandbox.scenarios import fate_of
from sandbox.wire.message import Response

_OWNED: Final = frozenset({"bandwidth-owned", "errors-only"})
_TEXT: Final = "Bandwidth numbers cannot be imported by this account at this time."


def check(call: Call) -> Response:
    """POST importTnChecker: the good numbers in the list, the others under ImportTnErrors."""
    if call.carrier.switches.feature_off:
        raise Refusal(400, "25010", "The account is not allowed to use this endpoint.")
    root = root_of(call.request.body, "ImportTnCheckerPayload")
    wanted = checked_numbers(root, call.carrier.switches)
    bad = [number for number in wanted if fate_of(number) in _OWNED]
    good = [number for number in wanted if number not in bad]
    payload: list[Element] = [numbers_element(good)]
    if bad:
        one: Element = (
            "ImportTnError",
            [("Code", "19006"), ("Description", _TEXT), numbers_element(bad)],
        )
        payload.append(("ImportTnErrors", [one]))
    return answer(("ImportTnCheckerResponse", [("ImportTnCheckerPayload", payload)]))
