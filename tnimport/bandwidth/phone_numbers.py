"""Catapult phoneNumbers: the import of one number of the Dashboard (Bandwidth guide, step 4)."""

import json
from dataclasses import dataclass
from typing import Any, Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.catapult_replies import read_one
from tnimport.bandwidth.credentials import DashboardCredentials
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.json_body import string
from tnimport.bandwidth.location import last_segment
from tnimport.bandwidth.refusals import unreadable

COLLECTION: Final = "phoneNumbers"
SUBJECT: Final = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A number as Catapult tells it (ap-docs methods/phoneNumbers).

    `number` is E.164; `state` is the carrier's numberState in lower case (enabled, released, available), not the
    `region` (US state); `application_id` is None when it belongs to no application.
    """

    number_id: str
    number: str
    application_id: str | None = None
    state: str | None = None
    created_at: str | None = None
    name: str | None = None
    national_number: str | None = None
    city: str | None = None
    region: str | None = None
    fallback_number: str | None = None
    price: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumberChange:
    """What to change of a number; None = leave it. An empty application_id detaches it (ap-docs)."""

    application_id: str | None = None
    name: str | None = None
    fallback_number: str | None = None


class ImportBody:
    """Builds the JSON of Bandwidth guide, step 4; the part that never changes is built once."""

    __slots__ = ("_provider",)

    def __init__(self, credentials: DashboardCredentials) -> None:
        provider = {
            "providerName": "bandwidth-dashboard",  # "Always use this provider" (guide, step 4)
            "properties": {
                "accountId": credentials.account_id,
                "userName": credentials.username,
                "password": credentials.password,
            },
        }
        self._provider = f', "provider": {json.dumps(provider)}}}'.encode()

    def build(self, number_e164: str, application_id: str, name: str | None = None) -> bytes:
        """Return the body for one number, which is made E.164."""
        value = {"number": texts.e164(number_e164), "applicationId": application_id}
        if name is not None:
            value["name"] = name
        return json.dumps(value).encode()[:-1] + self._provider


def change_body(change: PhoneNumberChange) -> bytes:
    """Return the JSON of an update; what is None is left out."""
    values = {
        "applicationId": change.application_id,
        "name": change.name,
        "fallbackNumber": change.fallback_number,
    }
    return json.dumps({name: value for name, value in values.items() if value is not None}).encode()


def read_asked(reply: Reply, asked: str | None = None) -> PhoneNumber:
    """Return the number asked for, by id or in E.164; an answer about another is refused, code `wrong_answer`."""
    found = read_one(reply, SUBJECT, read_phone_number)
    if asked is not None and asked.strip() not in {found.number_id, found.number}:
        raise unreadable(reply, "wrong_answer", "the answer is about another number")
    return found


def read_phone_number(value: dict[str, Any]) -> PhoneNumber | None:
    """Return the number in an object, or None if it holds none."""
    named, number = string(value, "id"), string(value, "number")
    if named is None or number is None:
        return None
    state = string(value, "numberState")
    return PhoneNumber(
        number_id=named,
        number=texts.e164(number),
        application_id=_application_id(string(value, "applicationId")) or _application_id(string(value, "application")),
        state=state.lower() if state else None,
        created_at=string(value, "createdTime"),
        name=string(value, "name"),
        national_number=string(value, "nationalNumber"),
        city=string(value, "city"),
        region=string(value, "state"),
        fallback_number=string(value, "fallbackNumber"),
        price=string(value, "price"),
    )


def _application_id(told: str | None) -> str | None:
    """The id, told bare or as the full URL of the application."""
    return last_segment(told, "applications") if told and "/" in told else told
