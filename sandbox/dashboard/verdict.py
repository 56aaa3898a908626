"""Decides how an order ends: what its numbers, its site and the switches say."""

from dataclasses import dataclass
from typing import Final

from sandbox.carrier import Carrier
from sandbox.dashboard.order_request import site_problem
from sandbox.dashboard.state import DashboardAccount, Order, OrderError
from sandbox.scenarios import fate_of

_TEXTS: Final = {
    "5008": "All telephone numbers of the order are invalid.",
    "5012": "The account is locked.",
    "5086": "The request timed out. Please submit it again.",
    "7201": "Not a valid number of the North American Numbering Plan.",
    "13552": "Telephone numbers already exist.",
    "25030": "The telephone number is not on this account.",
    "25040": "Unable to remove the telephone number.",
    "25060": "The telephone number belongs to Bandwidth and cannot be imported.",
    "25070": "The carrier of the telephone number cannot be determined.",
    "25080": "Unable to provision the telephone number.",
    "25090": "Unable to import the telephone number.",
    "25120": "The telephone number is not an external number.",
}
_IMPORT_FAILS: Final = {
    "bandwidth-owned": "25060",
    "carrier-unknown": "25070",
    "unable-to-import": "25090",
    "unable-to-provision": "25080",
    "already-exists": "13552",
    "errors-only": "25060",
}
_REMOVE_FAILS: Final = {"unable-to-remove": "25040", "not-external": "25120"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of an order."""

    status: str
    good: tuple[str, ...]
    listed: tuple[str, ...]
    errors: tuple[OrderError, ...] = ()


def judge(carrier: Carrier, dashboard: DashboardAccount, order: Order) -> Verdict:
    """The verdict on a whole order, first for reasons of the order, then number by number."""
    fates = {fate_of(number) for number in order.numbers}
    if carrier.switches.order_outcome == "exception" or "order-exception" in fates:
        return Verdict("EXCEPTION", (), order.numbers)
    if carrier.switches.order_outcome == "failed" or "order-fails" in fates:
        return _whole(order, "25090", _TEXTS["25090"], order.numbers)
    if "order-fails-bare" in fates:
        return _whole(order, "5012", _TEXTS["5012"], ())
    problem = site_problem(dashboard.account, order.site_id, order.sip_peer_id) if order.site_id else None
    if problem:
        return _whole(order, *problem, order.numbers)
    return _by_number(carrier, dashboard, order)


def _whole(order: Order, code: str, text: str, named: tuple[str, ...]) -> Verdict:
    return Verdict("FAILED", (), order.numbers, (OrderError(code, text, named),))


def _by_number(carrier: Carrier, dashboard: DashboardAccount, order: Order) -> Verdict:
    failed: dict[str, str] = {}
    hidden: set[str] = set()
    for number in order.numbers:
        fate = fate_of(number) if order.action == "IMPORT" else ""
        code = _code(carrier, dashboard, order, number)
        if code:
            failed[number] = code
            if fate == "errors-only" or not carrier.switches.failed_numbers_listed:
                hidden.add(number)
        elif fate == "unaccounted":
            hidden.add(number)
    good = tuple(one for one in order.numbers if one not in failed and one not in hidden)
    listed = tuple(one for one in order.numbers if one not in hidden)
    # Our choice: an order all of whose numbers failed is FAILED, one of unaccounted numbers only is COMPLETE.
    status = ("PARTIAL" if len(failed) < len(order.numbers) else "FAILED") if failed else "COMPLETE"
    return Verdict(status, good, listed, _grouped(failed))


def _code(carrier: Carrier, dashboard: DashboardAccount, order: Order, number: str) -> str | None:
    fate = fate_of(number)
    if order.action == "REMOVE":
        # Our choice: of the codes for a number that is not on the account, the one of this endpoint's family.
        return _REMOVE_FAILS.get(fate) or (None if number in dashboard.in_service else "25030")
    if not _is_north_american(number):
        # Our choice: ten digits that no numbering plan could issue fail one by one and not the request.
        return "7201"
    if fate == "fails-once" and carrier.journal.times(fate, number) == 1:
        return "5086"
    return _IMPORT_FAILS.get(fate)


def _is_north_american(number: str) -> bool:
    return number[0] not in "01" and number[3] not in "01" and number[1:3] != "11" and number[4:6] != "11"


def _grouped(failed: dict[str, str]) -> tuple[OrderError, ...]:
    by_code: dict[str, list[str]] = {}
    for number, code in failed.items():
        by_code.setdefault(code, []).append(number)
    return tuple(OrderError(code, _TEXTS[code], tuple(numbers)) for code, numbers in by_code.items())
