"""Sockets on which one deadline covers everything: names, connect, every byte out and every byte in.

urllib3's time-outs are per read, so an answer that drips a byte a second is never late. Here each operation on the
socket is given what is left of the call, so no watchdog thread is needed. The same place knows whether the first
byte of a request has left, which is what tells NOT_SENT from UNANSWERED.
"""

import io
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_RECEIVED: Final = 1 << 16

_Address = tuple[Any, ...]


class AddressRefused(OSError):
    """None of the addresses that a host has may be called."""


class Call:
    """One call in progress: when it must be over, whether any of it has been sent, and which addresses it may reach.

    `permits` is asked about every address that is about to be connected to, None = all are fine.
    """

    __slots__ = ("deadline", "permits", "sent")

    def __init__(self, timeout: float, permits: "Callable[[str], bool] | None" = None) -> None:
        self.deadline = time.monotonic() + timeout
        self.permits = permits
        self.sent = False

    def remaining(self) -> float:
        """Return the seconds left, or raise TimeoutError."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call is out of time")
        return left


class _Current(threading.local):
    call: Call


current: Final = _Current()  # the call that this thread is making


class TimedSocket:
    """A connected socket, plain or TLS, whose every operation ends with the current call."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self._seen = b""
        self.ended = False  # whether the other side has closed its half
        self.used = time.monotonic()

    def sendall(self, data: bytes) -> None:
        """Send all of it before the deadline, or raise TimeoutError."""
        call = current.call
        rest = memoryview(data)
        while rest:
            self._real.settimeout(call.remaining())
            call.sent = True
            rest = rest[self._real.send(rest) :]
        self.used = time.monotonic()

    def receive(self) -> bytes:
        """Return the next bytes to come, or none if the other side has closed its half."""
        self.limit()
        seen: bytes = self._real.recv(_RECEIVED)
        self.ended = not seen
        return seen

    def unread(self, seen: bytes) -> None:
        """Have the next reader begin with bytes that were received already."""
        self._seen = seen

    def seen(self, most: int) -> bytes:
        """Return as much of those bytes."""
        first, self._seen = self._seen[:most], self._seen[most:]
        return first

    def makefile(self, *_: object) -> io.BufferedReader:
        """Return a reader (http.client asks for nothing else) that stops at the deadline."""
        return io.BufferedReader(_TimedReader(self, self._real.makefile("rb", buffering=0)))

    def limit(self) -> None:
        """Give the next operation what is left of the call, or raise TimeoutError."""
        self._real.settimeout(current.call.remaining())

    def settimeout(self, _: float | None) -> None:
        """Ignore the time-outs per operation that urllib3 and http.client would set."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a socket has
        return getattr(self._real, name)


class _TimedReader(io.RawIOBase):
    def __init__(self, timed: TimedSocket, raw: Any) -> None:  # noqa: ANN401 - socket.SocketIO has no public type
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:  # noqa: ANN401 - any writable buffer
        if first := self._timed.seen(len(into)):
            into[: len(first)] = first
            return len(first)
        self._timed.limit()
        count: int | None = self._raw.readinto(into)
        self._timed.ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def connect(host: str, port: int | None, call: Call) -> socket.socket:
    """Return a connected socket that still has the time-out of the rest of the call."""
    addresses = _resolve(host.strip("[]"), port, call)
    problem: OSError = OSError("no address")
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        if call.permits is not None and not call.permits(address[0]):
            problem = AddressRefused("not an address to call")
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            # A dead first address must not eat the time of a living second one.
            sock.settimeout(call.remaining() / (len(addresses) - place))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            sock.settimeout(call.remaining())
        except OSError as caught:
            sock.close()
            problem = caught.with_traceback(None)  # which would hold this frame, and so the socket, in a circle
        else:
            return sock
    raise problem


def _resolve(host: str, port: int | None, call: Call) -> "list[_Address]":
    """Return the addresses of a host. The resolver knows no time-out, so a name is looked up on the side."""
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except socket.gaierror:
        pass
    except UnicodeError:  # a label that IDNA refuses
        raise socket.gaierror("not a host name") from None
    answer: queue.SimpleQueue[Iterable[_Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answer), daemon=True).start()
    try:
        found = answer.get(timeout=call.remaining())
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(found, OSError):
        raise found
    return list(found)


def _look_up(host: str, port: int | None, answer: "queue.SimpleQueue[Iterable[_Address] | OSError]") -> None:
    try:
        answer.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError as problem:
        answer.put(problem)
