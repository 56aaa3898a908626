"""phoneNumbers: import, list, fetch, update, delete."""

import re
from typing import Any, Final

from sandbox.call import Call
from sandbox.catapult.json_in import optional_text, read_object, text
from sandbox.catapult.json_out import answer, created, done
from sandbox.catapult.number_scenarios import after_delete, after_import, before_delete, before_import
from sandbox.catapult.paging import listed, page_of
from sandbox.catapult.places import place_of
from sandbox.catapult.problems import Problem, invalid, missing, not_found
from sandbox.catapult.provider import check_provider
from sandbox.catapult.registry import add, remove
from sandbox.catapult.state import CatapultUser, PhoneNumber, stamp
from sandbox.scenarios import fate_of
from sandbox.wire.message import Response

_E164: Final = re.compile(r"\+1[0-9]{10}")


def create(call: Call) -> Response:
    """POST phoneNumbers: imports one number that is in service on the dashboard."""
    fields = read_object(call.request)
    number = text(fields, "phoneNumber", "number")
    if not _E164.fullmatch(number):
        raise invalid(f"Invalid phone number: {number[:40]}")
    name, fallback_number = optional_text(fields, "name"), optional_text(fields, "fallbackNumber")
    application_id = _application(call, fields)
    check_provider(call, fields, number)
    trouble = before_import(call, number, application_id)
    if trouble:
        return trouble
    _refuse_second(call, number)
    resource = add(
        call.carrier,
        call.carrier.users[call.account.user_id],
        number,
        application_id,
        name=name,
        fallback_number=fallback_number,
    )
    return after_import(call, resource, created(call, "phoneNumbers", resource.number_id))


def _application(call: Call, fields: dict[str, Any]) -> str | None:
    """The application asked for, which must exist and be the caller's."""
    wanted = optional_text(fields, "applicationId")
    if not wanted:
        if call.carrier.switches.require_application and wanted is None:
            # Our choice: the guide calls applicationId mandatory, the reference does not; the guide wins.
            raise missing("phoneNumber", "applicationId")
        return None
    if wanted in call.carrier.users[call.account.user_id].applications:
        return wanted
    if any(wanted in user.applications for user in call.carrier.users.values()):
        text = f"The application {wanted} may not be used by this user"
        raise Problem(403, "forbidden", "application-access-denied", text, ("applicationId", wanted))
    raise not_found("application", wanted)


def _refuse_second(call: Call, number: str) -> None:
    """A number has one resource, whoever has it."""
    if number in call.carrier.number_owners:
        raise duplicate(call, number)


def duplicate(call: Call, number: str) -> Problem:
    """409 for a number that has a resource; counted."""
    call.carrier.journal.of(number[2:]).conflicts += 1
    text = f"Cannot create another instance of number resource for number {number}"
    return Problem(409, "conflict", "duplicate-number", text, ("number", number))


def index(call: Call) -> Response:
    """GET phoneNumbers, oldest first."""
    query = call.query()
    user = call.carrier.users[call.account.user_id]
    if query.keys() & _FILTERS:
        chosen = [one for one in user.numbers.values() if _passes(one, query)]
    else:
        chosen = list(user.numbers.values())
    items, link = page_of(call, chosen)
    return listed([as_json(call, one) for one in items], link)


_FILTERS: Final = {"applicationId", "state", "name", "city", "numberState"}


def _passes(resource: PhoneNumber, query: dict[str, str]) -> bool:
    city, state = place_of(resource.number)
    facts = {
        "applicationId": resource.application_id,
        "name": resource.name,
        "city": city,
        "state": state,
        "numberState": "enabled",
    }
    # Our choice: filters compare whole values; place and state of a number in any letter case.
    return all(
        (facts[name] or "") == query[name]
        if name in {"applicationId", "name"}
        else (facts[name] or "").lower() == query[name].lower()
        for name in _FILTERS & query.keys()
    )


def fetch(call: Call) -> Response:
    """GET phoneNumbers/{id or escaped E.164}."""
    return answer(as_json(call, find(call)))


def update(call: Call) -> Response:
    """POST phoneNumbers/{id}: what is not given stays; an empty applicationId detaches."""
    resource = find(call)
    fields = read_object(call.request)
    name, fallback_number = optional_text(fields, "name"), optional_text(fields, "fallbackNumber")
    if "applicationId" in fields:
        resource.application_id = _application(call, fields)
    resource.name = name or resource.name
    resource.fallback_number = fallback_number or resource.fallback_number
    return done()


def delete(call: Call) -> Response:
    """DELETE phoneNumbers/{id}: afterwards it is unknown and may be imported again."""
    resource = find(call)
    trouble = before_delete(call, resource.number)
    if trouble:
        return trouble
    remove(call.carrier, call.carrier.users[call.account.user_id], resource)
    return after_delete(call, resource.number, done())


def find(call: Call) -> PhoneNumber:
    """The resource of the path, by its id or its number."""
    wanted = call.params["number"]
    user: CatapultUser = call.carrier.users[call.account.user_id]
    resource = user.numbers.get(wanted) or user.by_number.get(wanted)
    if resource is None or (call.request.method == "GET" and fate_of(resource.number) == "vanishes"):
        raise not_found("number", wanted)
    return resource


def as_json(call: Call, resource: PhoneNumber) -> dict[str, Any]:
    """The resource as it is shown; nothing of the provider is among it."""
    digits = resource.number[2:]
    city, state = place_of(resource.number)
    application_id = None if fate_of(digits) == "wrong-application" else resource.application_id
    users = f"{call.request.origin}/v1/users/{call.account.user_id}"
    fields = {
        "id": resource.number_id,
        "name": resource.name,
        "number": resource.number,
        "nationalNumber": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
        "city": city,
        "state": state,
        "application": f"{users}/applications/{application_id}" if application_id else None,
        "applicationId": application_id,
        "fallbackNumber": resource.fallback_number,
        "price": "0.60",
        "createdTime": stamp(resource.created),
        "numberState": "enabled",
    }
    return {name: value for name, value in fields.items() if value is not None}
