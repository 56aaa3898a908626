"""What both clients share: send, read, and let no secret out with an error."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from tnimport.bandwidth import texts
from tnimport.bandwidth.errors import CarrierError
from tnimport.bandwidth.exchange import Reply, Request

Value = TypeVar("Value")


class Sender(Protocol):
    """What a client needs of a transport."""

    def send(self, request: Request, timeout: float) -> Reply:
        """Return the whole answer, or raise a CarrierError."""


class Caller:
    """Sends through a transport, and removes the secrets from whatever the carrier echoes into an error."""

    def __init__(self, transport: Sender, secrets: tuple[str, ...]) -> None:
        self._transport = transport
        self._secrets = secrets

    def also_hiding(self, *secrets: str) -> "Caller":
        """Return a caller that removes these as well."""
        return Caller(self._transport, (*secrets, *self._secrets))

    def call(self, request: Request, timeout: float, read: Callable[[Reply], Value]) -> Value:
        """Return what `read` makes of the answer; every failure is a CarrierError."""
        reply = self._transport.send(request, timeout)
        try:
            return read(reply)
        except CarrierError as error:
            self.hide(error)
            raise

    def hide(self, error: CarrierError) -> None:
        """Remove the secrets from an error, in place."""
        error.code = self.scrub(error.code)
        error.description = self.scrub(error.description)
        error.named = {tn: (self.scrub(code), self.scrub(text)) for tn, (code, text) in error.named.items()}
        error.args = (error.code, error.description)

    def scrub(self, text: str) -> str:
        """Return the text without any of the account's secrets."""
        return texts.scrub(text, self._secrets)
