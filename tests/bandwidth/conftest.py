import dataclasses
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tnimport.bandwidth import applications, externaltns, inventory, messages, phone_numbers, subscriptions
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.catapult_replies import read_created, read_done, read_one, read_page
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.bandwidth.errors import CarrierError
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.transport import Transport

REPLIES = Path(__file__).parent / "replies"
NEW_YEAR = 1767225600.0  # 2026-01-01T00:00:00Z: our clock whenever a recorded reply arrives

# Every decipherer of the package, by the name used in status.json; `asked` is what the request asked for.
READERS: dict[str, Callable[[Reply, Any], object]] = {
    "order_created": lambda reply, _: externaltns.read_created(reply),
    "order": externaltns.read_order,
    "orders": lambda reply, _: externaltns.read_orders(reply),
    "in_service": lambda reply, _: inventory.read_in_service(reply),
    "in_service_page": lambda reply, _: inventory.read_numbers(reply),
    "site": lambda reply, _: inventory.read_site(reply),
    "sites": lambda reply, _: inventory.read_sites(reply),
    "sip_peer": lambda reply, _: inventory.read_sip_peer(reply),
    "sip_peers": lambda reply, _: inventory.read_sip_peers(reply),
    "subscription_created": lambda reply, _: subscriptions.read_created(reply),
    "subscription": lambda reply, _: subscriptions.read_subscription(reply),
    "subscriptions": lambda reply, _: subscriptions.read_subscriptions(reply),
    "subscription_deleted": lambda reply, _: subscriptions.read_done(reply),
    "application_created": lambda reply, _: read_created(reply, "applications"),
    "application": lambda reply, _: read_one(reply, "application", applications.read_application),
    "applications": lambda reply, _: read_page(reply, applications.read_application),
    "number_created": lambda reply, _: read_created(reply, "phoneNumbers"),
    "number": phone_numbers.read_asked,
    "numbers": lambda reply, _: read_page(reply, phone_numbers.read_phone_number),
    "number_done": lambda reply, _: read_done(reply, "number"),
    "message_created": lambda reply, _: read_created(reply, "messages"),
    "message": lambda reply, _: read_one(reply, "message", messages.read_message),
    "messages": lambda reply, _: read_page(reply, messages.read_message),
    "batch": lambda reply, asked: messages.read_batch(reply, asked or 0),
}


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One reply on disk: how it arrived, which decipherer reads it, and the one fate that is right."""

    name: str
    call: str
    asked: Any
    reply: Reply
    fate: dict[str, Any]

    def read(self) -> object:
        return READERS[self.call](self.reply, self.asked)


def _recorded(folder: Path) -> Recorded:
    said = json.loads((folder / "status.json").read_text())
    reply = Reply(said["status"], said["headers"], (folder / "body").read_bytes(), NEW_YEAR)
    return Recorded(folder.name, said["call"], said.get("asked"), reply, said["fate"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recorded" in metafunc.fixturenames:
        cases = [_recorded(folder) for folder in sorted(REPLIES.iterdir())]
        metafunc.parametrize("recorded", cases, ids=lambda case: case.name)
    if "reader" in metafunc.fixturenames:
        metafunc.parametrize("reader", READERS.values(), ids=READERS.keys())


Script = Callable[[socket.socket], None]


class Played:
    """A carrier that plays one script for each connection, and remembers what it was sent."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts: list[Script] = []
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.port = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1/things?secret=no"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            if self._over.is_set() or not self._scripts:
                peer.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(peer, self._scripts.pop(0)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _play(self, peer: socket.socket, script: Script) -> None:
        with suppress(OSError):
            if self._tls:
                peer = self._tls.wrap_socket(peer, server_side=True)
            script(peer)
        with suppress(OSError):
            peer.close()

    def get(self, cap: int = 1000) -> Request:
        return Request(method="GET", url=self.url, headers={"Authorization": "Basic c2VjcmV0"}, cap=cap)

    def post(self, body: bytes = b"<x/>", cap: int = 1000) -> Request:
        headers = {"Authorization": "Basic c2VjcmV0", "Content-Type": "application/xml"}
        return Request(method="POST", url=self.url, headers=headers, body=body, cap=cap, effect=True)

    def receive(self, peer: socket.socket) -> bytes:
        """Read one whole request."""
        data = b""
        while True:
            head, end, rest = data.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if end and len(rest) >= length:
                self.requests.append(data)
                return data
            more = peer.recv(65536)
            if not more:
                raise ConnectionAbortedError
            data += more

    def answers(self, *answers: bytes, then: Script | None = None) -> Script:
        """Make a script that answers as many requests on one connection."""

        def script(peer: socket.socket) -> None:
            for answer in answers:
                self.receive(peer)
                peer.sendall(answer)
            if then is not None:
                then(peer)
            else:
                self.wait_for_end(peer)

        return script

    @staticmethod
    def wait_for_end(peer: socket.socket) -> None:
        while peer.recv(65536):
            pass

    def drip(self, start: bytes, piece: bytes, pause: float = 0.02) -> Script:
        """Make a script that answers with a start, and then with a piece every now and then without end."""

        def script(peer: socket.socket) -> None:
            self.receive(peer)
            peer.sendall(start)
            while not self._over.wait(pause):
                peer.sendall(piece)

        return script

    def hang(self, _: socket.socket) -> None:
        self._over.wait()

    def play(self, *scripts: Script) -> None:
        self._scripts += scripts

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def play() -> Iterator[Callable[..., Played]]:
    """Make a carrier of scripts; a script is given the carrier and returns what to do with a connection."""
    made: list[Played] = []

    def make(*scripts: Callable[[Played], Script], tls: ssl.SSLContext | None = None) -> Played:
        carrier = Played(tls=tls)
        carrier.play(*[script(carrier) for script in scripts])
        made.append(carrier)
        return carrier

    yield make
    for carrier in made:
        carrier.close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


@pytest.fixture
def failure_of() -> Callable[..., CarrierError]:
    """Send a request that must fail, and return the error: one that holds on to no exception of a library."""

    def fail(transport: Transport, request: Request, timeout: float = 5) -> CarrierError:
        with pytest.raises(CarrierError) as caught:
            transport.send(request, timeout)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None, "a library's exception holds the request with its credentials"
        return caught.value

    return fail


class Canned:
    """A transport that answers from a list and remembers what it was asked to send."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[Request] = []
        self.timeouts: list[float] = []

    def send(self, request: Request, timeout: float) -> Reply:
        self.requests.append(request)
        self.timeouts.append(timeout)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


DASHBOARD = DashboardCredentials(account_id="9999999", username="wileCoyote", password="canaryDash/1")
CATAPULT = CatapultCredentials(user_id="u-1", token="t-1", secret="canaryCata/1")


@pytest.fixture
def dashboard() -> Callable[..., tuple[Dashboard, Canned]]:
    """Make a Dashboard client of replies, and return it with what it sends through."""

    def make(*replies: Reply) -> tuple[Dashboard, Canned]:
        canned = Canned(*replies)
        return Dashboard("https://dashboard.bandwidth.com/api/", DASHBOARD, canned), canned

    return make


@pytest.fixture
def catapult() -> Callable[..., tuple[Catapult, Canned]]:
    """Make a Catapult client of replies, and return it with what it sends through."""

    def make(*replies: Reply) -> tuple[Catapult, Canned]:
        canned = Canned(*replies)
        return Catapult("https://api.catapult.inetwork.com/v1", CATAPULT, DASHBOARD, canned), canned

    return make
