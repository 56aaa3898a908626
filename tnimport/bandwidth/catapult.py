"""The Bandwidth Communication API, "Catapult" (JSON): applications, phone numbers and messages of one user."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tnimport.bandwidth import applications, messages, phone_numbers
from tnimport.bandwidth.applications import Application, ApplicationSpec
from tnimport.bandwidth.caller import Caller, Sender
from tnimport.bandwidth.catapult_replies import Page, read_created, read_done, read_one, read_page
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.exchange import LARGE, SMALL, Parameters, Reply, Request, base, query, segment
from tnimport.bandwidth.messages import Message, MessageSpec, Sent
from tnimport.bandwidth.phone_numbers import ImportBody, PhoneNumber, PhoneNumberChange

Value = TypeVar("Value")


class Catapult:
    """One user of the Communication API. Safe to share between threads; every call has a total time-out in seconds.

    The Dashboard's credentials are part of every import of a number (Bandwidth guide, step 4).
    """

    def __init__(
        self,
        base_url: str,
        credentials: CatapultCredentials,
        dashboard_credentials: DashboardCredentials,
        transport: Sender,
    ) -> None:
        self._user = f"{base(base_url)}/users/{segment(credentials.user_id)}"
        self._numbers = f"{self._user}/phoneNumbers"
        self._headers = {
            "Authorization": credentials.authorization(),
            "Accept": "application/json",
            "User-Agent": "tnimport",
        }
        self._posting = self._headers | {"Content-Type": "application/json"}
        self._import = ImportBody(dashboard_credentials)
        self._caller = Caller(transport, credentials.secrets() + dashboard_credentials.secrets())

    # Applications

    def create_application(self, spec: ApplicationSpec, timeout: float) -> str:
        """Make an application and return its id; names need not be unique, so never repeat an unknown outcome."""
        # With the trailing slash of Bandwidth guide, step 3.
        return self._create("applications/", applications.application_body(spec), timeout, applications.COLLECTION)

    def list_applications(
        self, timeout: float, *, size: int = 1000, page: int = 0, after: str | None = None
    ) -> Page[Application]:
        """Return one page; `after` is the `next` of the page before, and replaces size and page."""
        return self._page("applications", after, {"page": page, "size": size}, timeout, applications.read_application)

    def get_application(self, application_id: str, timeout: float) -> Application:
        """Return the application, or raise NotFound."""
        path = f"applications/{segment(application_id)}"
        return self._one(path, applications.SUBJECT, timeout, applications.read_application)

    def update_application(self, application_id: str, spec: ApplicationSpec, timeout: float) -> None:
        """Change what the spec sets (POST to the resource: ap-docs); the same change may be repeated."""
        body = applications.application_body(spec)
        self._change(f"applications/{segment(application_id)}", body, applications.SUBJECT, timeout)

    def delete_application(self, application_id: str, timeout: float) -> None:
        """Delete the application, or raise NotFound."""
        self._delete(f"applications/{segment(application_id)}", applications.SUBJECT, timeout)

    # Numbers

    def import_number(self, number_e164: str, application_id: str, timeout: float, name: str | None = None) -> str:
        """Import one number of the Dashboard and return its id (Bandwidth guide, step 4).

        Raises Conflict (`duplicate-number`) if it is there already, and OutcomeUnknown if it may be: then
        `get_number` tells.
        """
        body = self._import.build(number_e164, application_id, name)
        request = Request(method="POST", url=self._numbers, headers=self._posting, body=body, effect=True)
        return self._caller.call(request, timeout, _read_imported)

    def get_number(self, number: str, timeout: float) -> PhoneNumber:
        """Return a number by its id or in E.164, or raise NotFound."""
        request = self._get(f"phoneNumbers/{segment(number)}", SMALL)
        return self._caller.call(request, timeout, lambda reply: phone_numbers.read_asked(reply, number))

    def list_numbers(
        self,
        timeout: float,
        *,
        size: int = 1000,
        page: int = 0,
        after: str | None = None,
        application_id: str | None = None,
        state: str | None = None,
        name: str | None = None,
        city: str | None = None,
        number_state: str | None = None,
    ) -> Page[PhoneNumber]:
        """Return one page of the numbers that match; `after` is the `next` of the page before, replacing all else."""
        filters = {
            "page": page,
            "size": size,
            "applicationId": application_id,
            "state": state,
            "name": name,
            "city": city,
            "numberState": number_state,
        }
        return self._page("phoneNumbers", after, filters, timeout, phone_numbers.read_phone_number)

    def update_number(
        self,
        number_id: str,
        timeout: float,
        *,
        application_id: str | None = None,
        name: str | None = None,
        fallback_number: str | None = None,
    ) -> None:
        """Change what is given; an empty application_id detaches the number (ap-docs)."""
        change = PhoneNumberChange(application_id=application_id, name=name, fallback_number=fallback_number)
        path = f"phoneNumbers/{segment(number_id)}"
        self._change(path, phone_numbers.change_body(change), phone_numbers.SUBJECT, timeout)

    def delete_number(self, number_id: str, timeout: float) -> None:
        """Release the number from Catapult, or raise NotFound."""
        self._delete(f"phoneNumbers/{segment(number_id)}", phone_numbers.SUBJECT, timeout)

    # Messages

    def send_message(self, spec: MessageSpec, timeout: float) -> str:
        """Send one message and return its id; after OutcomeUnknown it must not be sent again by itself."""
        return self._create("messages", messages.message_body(spec), timeout, messages.COLLECTION)

    def send_messages(self, specs: Sequence[MessageSpec], timeout: float) -> tuple[Sent, ...]:
        """Send 1 to 50 messages in one call and return the fate of each, in order."""
        request = self._post("messages", messages.batch_body(specs), effect=True)
        return self._caller.call(request, timeout, lambda reply: messages.read_batch(reply, len(specs)))

    def get_message(self, message_id: str, timeout: float) -> Message:
        """Return the message, or raise NotFound."""
        return self._one(f"messages/{segment(message_id)}", messages.SUBJECT, timeout, messages.read_message)

    def list_messages(
        self,
        timeout: float,
        *,
        size: int = 1000,
        after: str | None = None,
        sender: str | None = None,
        to: str | None = None,
        from_time: str | None = None,
        to_time: str | None = None,
        direction: str | None = None,
        state: str | None = None,
        delivery_state: str | None = None,
        sort_order: str | None = None,
    ) -> Page[Message]:
        """Return one page of the messages that match; `after` is the `next` of the page before."""
        filters = {
            "size": size,
            "from": sender,
            "to": to,
            "fromDateTime": from_time,
            "toDateTime": to_time,
            "direction": direction,
            "state": state,
            "deliveryState": delivery_state,
            "sortOrder": sort_order,
        }
        return self._page("messages", after, filters, timeout, messages.read_message)

    # The five kinds of call

    def _create(self, path: str, body: bytes, timeout: float, collection: str) -> str:
        request = self._post(path, body, effect=True)
        return self._caller.call(request, timeout, lambda reply: read_created(reply, collection))

    def _change(self, path: str, body: bytes, subject: str, timeout: float) -> None:
        self._caller.call(self._post(path, body), timeout, lambda reply: read_done(reply, subject))

    def _delete(self, path: str, subject: str, timeout: float) -> None:
        request = Request(method="DELETE", url=f"{self._user}/{path}", headers=self._headers)
        self._caller.call(request, timeout, lambda reply: read_done(reply, subject))

    def _one(
        self, path: str, subject: str, timeout: float, reader: Callable[[dict[str, object]], Value | None]
    ) -> Value:
        request = self._get(path, SMALL)
        return self._caller.call(request, timeout, lambda reply: read_one(reply, subject, reader))

    def _page(
        self,
        path: str,
        after: str | None,
        filters: Parameters,
        timeout: float,
        reader: Callable[[dict[str, object]], Value | None],
    ) -> Page[Value]:
        request = self._get(f"{path}{query(filters) if after is None else '?' + after}", LARGE)
        return self._caller.call(request, timeout, lambda reply: read_page(reply, reader))

    def _get(self, path: str, cap: int) -> Request:
        return Request(method="GET", url=f"{self._user}/{path}", headers=self._headers, cap=cap)

    def _post(self, path: str, body: bytes, *, effect: bool = False) -> Request:
        url = f"{self._user}/{path}"
        return Request(method="POST", url=url, headers=self._posting, body=body, effect=effect)


def _read_imported(reply: Reply) -> str:
    return read_created(reply, phone_numbers.COLLECTION)
