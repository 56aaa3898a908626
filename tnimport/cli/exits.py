"""The exit codes of `tnimport`, a promise to scripts, and how an answer or an import maps to one."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """What the process says at its end."""

    DONE = 0
    OUR_ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    ACCOUNT_FAULT = 4
    STILL_RUNNING = 5
    RATE_LIMITED = 7
    SOME_FAILED = 8
    REFUSED = 9


FINISHED = frozenset({"complete", "partial", "failed", "cancelled"})

_BY_STATUS = {
    400: Exit.REFUSED,
    401: Exit.ACCOUNT_FAULT,
    403: Exit.ACCOUNT_FAULT,
    404: Exit.NOT_FOUND,
    413: Exit.REFUSED,
    415: Exit.REFUSED,
    422: Exit.REFUSED,
    429: Exit.RATE_LIMITED,
}


def for_status(status: int) -> Exit:
    """The exit code for an HTTP answer that is no success."""
    return _BY_STATUS.get(status, Exit.OUR_ERROR)


def for_message(view: Mapping[str, Any]) -> Exit:
    """The exit code for a message as it stands: 0 only if it was sent, and nobody says that it was not delivered."""
    if view["state"] in {"queued", "sending"}:
        return Exit.STILL_RUNNING
    delivered = view.get("delivery_state") in {None, "waiting", "delivered"}
    return Exit.DONE if view["state"] == "sent" and delivered else Exit.SOME_FAILED


def for_import(view: Mapping[str, Any], *, unproven: bool = False) -> Exit:
    """The exit code for an import as it stands: 0 only if every row that should be a number is done, and proven.

    `unproven` tells of proofs that were asked for and are missing.
    """
    state = view["state"]
    if state == "held":
        return Exit.ACCOUNT_FAULT
    if state not in FINISHED:
        return Exit.STILL_RUNNING
    if state == "complete" and not view["counts"].get("rejected") and not unproven:
        return Exit.DONE
    return Exit.SOME_FAILED
