"""applications: create, list, fetch, update, delete."""

from typing import Any, Final

from sandbox.call import Call
from sandbox.catapult.callback_fields import LONGEST_TIMEOUT, check_method, check_timeout, check_url
from sandbox.catapult.json_in import read_object, text
from sandbox.catapult.json_out import answer, created, done
from sandbox.catapult.paging import listed, page_of
from sandbox.catapult.problems import invalid, not_found
from sandbox.catapult.state import Application
from sandbox.ids import resource_id
from sandbox.wire.message import Response

_ALIASES: Final = {
    "incomingSmsUrl": "incomingMessageUrl",
    "incomingSmsUrlCallbackTimeout": "incomingMessageUrlCallbackTimeout",
    "incomingSmsFallbackUrl": "incomingMessageFallbackUrl",
}
_URLS: Final = (
    "incomingCallUrl",
    "incomingCallFallbackUrl",
    "incomingMessageUrl",
    "incomingMessageFallbackUrl",
)
_TIMEOUTS: Final = ("incomingCallUrlCallbackTimeout", "incomingMessageUrlCallbackTimeout")
_KNOWN: Final = {"name", "callbackHttpMethod", "autoAnswer", *_URLS, *_TIMEOUTS}
_DEFAULTS: Final = {"callbackHttpMethod": "post", "autoAnswer": True} | dict.fromkeys(_TIMEOUTS, LONGEST_TIMEOUT)


def create(call: Call) -> Response:
    """POST applications."""
    fields = _read(call)
    text(fields, "application", "name")
    _require_a_url(fields)
    application = Application(resource_id("a"), _DEFAULTS | fields)
    call.carrier.users[call.account.user_id].applications[application.application_id] = application
    return created(call, "applications", application.application_id)


def index(call: Call) -> Response:
    """GET applications."""
    applications = list(call.carrier.users[call.account.user_id].applications.values())
    items, link = page_of(call, applications)
    return listed([as_json(one) for one in items], link)


def fetch(call: Call) -> Response:
    """GET applications/{id}."""
    return answer(as_json(_find(call)))


def update(call: Call) -> Response:
    """POST applications/{id}: what is not given stays."""
    application = _find(call)
    fields = application.fields | _read(call)
    text(fields, "application", "name")
    _require_a_url(fields)
    application.fields = fields
    return done()


def delete(call: Call) -> Response:
    """DELETE applications/{id}."""
    user = call.carrier.users[call.account.user_id]
    gone = _find(call).application_id
    del user.applications[gone]
    # Our choice: numbers of a deleted application stay, without an application.
    for number in user.numbers.values():
        if number.application_id == gone:
            number.application_id = None
    return done()


def as_json(application: Application) -> dict[str, Any]:
    """The application as it is shown, with the older names beside the present ones."""
    older = {old: application.fields[new] for old, new in _ALIASES.items() if new in application.fields}
    return {"id": application.application_id, **application.fields, **older}


def _find(call: Call) -> Application:
    wanted = call.params["application"]
    application = call.carrier.users[call.account.user_id].applications.get(wanted)
    if application is None:
        raise not_found("application", wanted)
    return application


def _read(call: Call) -> dict[str, Any]:
    """The properties given, under their present names, each checked alone."""
    given = read_object(call.request)
    renamed = {_ALIASES.get(name, name): value for name, value in given.items()}
    fields = {name: value for name, value in renamed.items() if name in _KNOWN}
    for name in _URLS:
        check_url(fields, name)
    for name in _TIMEOUTS:
        check_timeout(fields, name)
    check_method(fields, "callbackHttpMethod")
    if "autoAnswer" in fields:
        fields["autoAnswer"] = _flag(fields["autoAnswer"])
    return fields


def _require_a_url(fields: dict[str, Any]) -> None:
    if not (fields.get("incomingCallUrl") or fields.get("incomingMessageUrl")):
        raise invalid("Your application must have a least one callback URL.")


def _flag(value: object) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise invalid("The property 'autoAnswer' must be true or false.")
    return str(value).lower() == "true"
