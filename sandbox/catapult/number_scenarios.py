"""What the reserved numbers do to POST and DELETE phoneNumbers."""

from collections.abc import Callable
from typing import Final

from sandbox.call import Call
from sandbox.catapult.problems import Problem, invalid
from sandbox.catapult.provider import service_provider_not_found
from sandbox.catapult.registry import add
from sandbox.catapult.state import Application, CatapultUser, PhoneNumber
from sandbox.faults.apply import after_by_name, instead_by_name
from sandbox.ids import resource_id
from sandbox.scenarios import fate_of
from sandbox.wire.message import Delivery, Response

_TWICE: Final = 2
_ALWAYS: Final = 10**9
_ELSEWHERE: Final = "http://127.0.0.1:9/elsewhere"

# How often, and what instead of the effect.
_IMPORT_TROUBLE: Final[dict[str, tuple[int, Callable[[Call], Response]]]] = {
    "503-twice": (_TWICE, lambda _call: _unavailable()),
    "503-always": (_ALWAYS, lambda _call: _unavailable()),
    "html-500-once": (1, lambda call: instead_by_name("error", call, status=500)),
    "invalid": (_ALWAYS, lambda _call: _raise(invalid("Invalid phone number"))),
    "cut-before": (1, lambda call: instead_by_name("cut-before", call)),
    "restricted": (_ALWAYS, lambda _call: _raise(_restricted())),
    "no-provider": (_ALWAYS, lambda _call: _raise(service_provider_not_found("bandwidth-dashboard"))),
    "limited-once": (1, lambda call: instead_by_name("rate-limited", call)),
    "limited-bare-once": (1, lambda call: instead_by_name("rate-limited-bare", call)),
    "401-once": (1, lambda call: instead_by_name("unauthorized", call)),
}


def before_import(call: Call, number: str, application_id: str | None) -> Response | None:
    """The answer to a number with trouble before its import; None lets it pass."""
    fate = fate_of(number)
    if not fate:
        return None
    _take_beforehand(call, fate, number, application_id)
    trouble = _IMPORT_TROUBLE.get(fate)
    if trouble and call.carrier.journal.times(f"import {fate}", number) <= trouble[0]:
        return trouble[1](call)
    return None


def _take_beforehand(call: Call, fate: str, number: str, application_id: str | None) -> None:
    """Let the number have a resource before the first import, so that this one is a duplicate."""
    if fate not in {"foreign-duplicate", "other-application", "present"}:
        return
    if call.carrier.journal.times(f"taken {fate}", number) > 1:
        return
    own = call.carrier.users[call.account.user_id]
    others = [user for user in call.carrier.users.values() if user is not own]
    owner = others[0] if fate == "foreign-duplicate" and others else own
    if number not in call.carrier.number_owners:
        add(call.carrier, owner, number, application_id if fate == "present" else _other_application(owner))


def _other_application(user: CatapultUser) -> str:
    """An application of the user that the caller did not ask for."""
    application = Application(resource_id("a"), {"name": "Someone else's idea", "incomingMessageUrl": _ELSEWHERE})
    user.applications[application.application_id] = application
    return application.application_id


def after_import(call: Call, resource: PhoneNumber, response: Response) -> Response:
    """The answer to an import that is done, as its number would have it."""
    fate = fate_of(resource.number)
    if fate == "no-location":
        response.headers.pop("Location", None)
    elif fate == "slow":
        response.delivery = Delivery(delay=call.carrier.switches.slow_seconds)
    elif fate in {"cut-after", "503-after"} and call.carrier.journal.times(fate, resource.number) == 1:
        return after_by_name("cut-after" if fate == "cut-after" else "error-after", call, response)
    return response


def before_delete(call: Call, number: str) -> Response | None:
    """The answer to a deletion with trouble before it; None lets it pass."""
    fate = fate_of(number)
    if fate == "delete-503-twice" and call.carrier.journal.times(fate, number) <= _TWICE:
        return _unavailable()
    if fate == "delete-refused":
        raise _restricted()
    return None


def after_delete(call: Call, number: str, response: Response) -> Response:
    """The answer to a deletion that is done, as its number would have it."""
    if fate_of(number) == "delete-cut-after" and call.carrier.journal.times("delete-cut-after", number) == 1:
        return after_by_name("cut-after", call, response)
    return response


def _unavailable() -> Response:
    return _raise(Problem(503, "unavailable", "number-allocator-unavailable", "Please try again later"))


def _restricted() -> Problem:
    return Problem(403, "forbidden", "restricted-number", "The number is restricted")


def _raise(problem: Problem) -> Response:
    raise problem
