"""Clients that speak plain HTTP to the sandbox, and a server that listens to its callbacks."""

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

PROVIDER = {
    "providerName": "bandwidth-dashboard",
    "properties": {"accountId": "9999999", "userName": "wileCoyote", "password": "catchThatBird"},
}


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def xml(self) -> etree._Element:
        return etree.fromstring(self.body)

    def text(self, path: str) -> str | None:
        return self.xml.findtext(path)


@dataclass
class Api:
    """Plain calls below one root with one user's credentials."""

    url: str
    root: str
    user: str
    password: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        sent = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
        sent = sent.encode() if isinstance(sent, str) else sent
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, self.root + path, sent, {"Authorization": f"Basic {token}", **headers})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, body: object = None) -> Answer:
        return self.call("POST", path, body)


@dataclass
class Dashboard(Api):
    def order_xml(self, *numbers: str, **fields: str | None) -> str:
        given = {"CustomerOrderID": "own-1", "SiteId": "743", "SipPeerId": "303716", "Action": "IMPORT"} | fields
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in given.items() if value is not None)
        listed = "".join(f"<TelephoneNumber>{number}</TelephoneNumber>" for number in numbers)
        return f"<ExternalTnsOrder>{inner}<TelephoneNumbers>{listed}</TelephoneNumbers></ExternalTnsOrder>"

    def order(self, *numbers: str, **fields: str | None) -> Answer:
        return self.post("/externalTns", self.order_xml(*numbers, **fields))

    def finished(self, *numbers: str, **fields: str | None) -> Answer:
        """Order and wait for the end; the GET of the finished order."""
        order_id = self.order(*numbers, **fields).text(".//OrderId")
        return self.wait(f"/externalTns/{order_id}")

    def wait(self, path: str) -> Answer:
        return until(
            lambda: self.get(path),
            lambda one: (
                b"<ProcessingStatus>RECEIVED" not in one.body and b"<ProcessingStatus>PROCESSING" not in one.body
            ),
        )


@dataclass
class Catapult(Api):
    application: str = ""

    def make_application(self, **more: object) -> str:
        wanted = {"name": "app", "incomingMessageUrl": "http://127.0.0.1:9/in"} | more
        self.application = self.post("/applications", wanted).headers["Location"].rpartition("/")[2]
        return self.application

    def import_number(self, e164: str, **more: object) -> Answer:
        application = self.application or self.make_application()
        wanted = {"number": e164, "applicationId": application, "provider": PROVIDER, **more}
        return self.post("/phoneNumbers", wanted)


def until(read: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Ask again and again until the answer is good; fail after ten seconds."""
    deadline = time.monotonic() + 60
    while not good(found := read()):
        assert time.monotonic() < deadline, f"never came about; last seen: {found}"
        time.sleep(0.01)  # looking again, not guessing
    return found


@dataclass
class Received:
    method: str
    path: str
    headers: Any
    body: bytes


@dataclass
class Listener:
    """A server for callbacks: notes them, and answers each path as told."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)

    def at(self, path: str, count: int = 1) -> list[Received]:
        """The calls on a path, when there are so many of them."""
        return until(
            lambda: [one for one in list(self.received) if one.path.partition("?")[0] == path],
            lambda found: len(found) >= count,
        )
