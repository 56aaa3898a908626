"""What each reserved telephone number provokes: the last four digits decide, 0900 to 0999; every other number works.

The block is our own invention, as is every fate in it that no document describes.
"""

from typing import Final, NamedTuple


class Scenario(NamedTuple):
    """One fate of a number."""

    name: str
    stage: str
    meaning: str


def _table(stage: str, *rows: tuple[str, str, str]) -> dict[str, Scenario]:
    return {line: Scenario(name, stage, meaning) for line, name, meaning in rows}


SCENARIOS: Final[dict[str, Scenario]] = (
    _table(
        "number in an order",
        ("0900", "bandwidth-owned", "fails with 25060; stands in the list and in Errors"),
        ("0901", "carrier-unknown", "fails with 25070"),
        ("0902", "unable-to-import", "fails with 25090"),
        ("0903", "unable-to-provision", "fails with 25080"),
        ("0904", "already-exists", "fails with 13552"),
        ("0905", "errors-only", "fails with 25060 and is missing from the order's list"),
        ("0906", "unaccounted", "stands in neither the list nor Errors of the finished order"),
        ("0907", "fails-once", "fails with 5086 in its first order, works in the next"),
        ("0908", "not-provisioned", "listed as good, yet never in service: the import at Catapult is refused"),
    )
    | _table(
        "whole order",
        ("0910", "slow-order", "takes `slow_order_delay` seconds (30)"),
        ("0911", "stuck-received", "stays RECEIVED until POST /control/release"),
        ("0912", "stuck-processing", "stays PROCESSING until POST /control/release"),
        ("0913", "order-fails-bare", "FAILED with 5012 and an Error that names no number"),
        ("0914", "order-exception", "ends in the status EXCEPTION"),
        ("0915", "order-fails", "FAILED with 25090 naming every number"),
        ("0916", "order-refused", "the POST is answered 400 in the layout with repeated Errors"),
        ("0917", "order-cut-after", "the order is taken, then the connection is cut; once"),
        ("0918", "order-503-twice", "the POST is answered 503 with an HTML page twice, then works"),
        ("0919", "order-cut-before", "the connection is cut before the order is taken; once"),
    )
    | _table(
        "POST phoneNumbers",
        ("0930", "foreign-duplicate", "409 duplicate-number; someone else has it: a look-up gives 404"),
        ("0931", "other-application", "409 duplicate-number; ours already, on another application"),
        ("0932", "present", "409 duplicate-number; ours already, on the application asked for"),
        ("0933", "503-twice", "503 twice, then works"),
        ("0934", "html-500-once", "500 with an HTML page once, then works"),
        ("0935", "invalid", "400 validation-error, always"),
        ("0936", "cut-after", "imported, then the connection is cut; once"),
        ("0937", "cut-before", "the connection is cut before the import; once"),
        ("0938", "restricted", "403 restricted-number, always"),
        ("0939", "no-provider", "404 service-provider-not-found, always"),
        ("0940", "503-always", "503, always"),
        ("0941", "limited-once", "429 with X-RateLimit-Reset once, then works"),
        ("0942", "limited-bare-once", "429 without X-RateLimit-Reset once, then works"),
        ("0943", "slow", "works after `slow_seconds` (5)"),
        ("0944", "no-location", "201 without a Location"),
        ("0945", "503-after", "imported, then answered 503; once"),
        ("0946", "vanishes", "201, but a look-up gives 404 ever after"),
        ("0947", "wrong-application", "201, but a look-up shows no application"),
        ("0948", "401-once", "401 once, then works"),
    )
    | _table(
        "taking a number away",
        ("0950", "delete-503-twice", "DELETE is answered 503 twice, then works"),
        ("0951", "delete-cut-after", "DELETE is done, then the connection is cut; once"),
        ("0952", "delete-refused", "DELETE is answered 403, always"),
        ("0953", "unable-to-remove", "a REMOVE order fails it with 25040"),
        ("0954", "not-external", "a REMOVE order fails it with 25120"),
    )
    | _table(
        "messages to the number",
        ("0960", "not-delivered", "sent, then not-delivered with code 750"),
        ("0961", "message-error", "accepted, ends in state error; the reason is in /errors"),
        ("0962", "message-refused", "400 validation-error, always"),
        ("0963", "message-limited-once", "403 of category limit once, then works"),
        ("0964", "message-503-after", "sent, but answered 503; once"),
        ("0965", "message-cut-after", "sent, then the connection is cut; once"),
        ("0966", "callback-twice", "its inbound callback comes twice"),
        ("0967", "callback-lost", "its inbound callback never comes"),
        ("0968", "callback-late", "its inbound callback comes `slow_seconds` (5) late"),
    )
)


def fate_of(number: str) -> str:
    """The name of the scenario of `number` (10 digits or E.164); empty for an ordinary number."""
    scenario = SCENARIOS.get(number[-4:])
    return scenario.name if scenario else ""
