"""What both clients share: send, read, and let no secret out with an error."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.hiding import Secrets, hiding

Value = TypeVar("Value")


class Sender(Protocol):
    """What a client needs of a transport."""

    def send(self, request: Request, timeout: float) -> Reply:
        """Return the whole answer, or raise a CarrierError."""


class Caller:
    """Sends through a transport, and hides the secrets of the account from whatever reads the answers."""

    def __init__(self, transport: Sender, secrets: tuple[str, ...]) -> None:
        self._transport = transport
        self._secrets = secrets
        self._hidden = Secrets(secrets)

    def also_hiding(self, *secrets: str) -> "Caller":
        """Return a caller that hides these as well."""
        return Caller(self._transport, (*secrets, *self._secrets))

    def call(self, request: Request, timeout: float, read: Callable[[Reply], Value]) -> Value:
        """Return what `read` makes of the answer; every failure is a CarrierError."""
        reply = self._transport.send(request, timeout)
        with hiding(self._hidden):
            return read(reply)
