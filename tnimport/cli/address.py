"""Where the API is and how one presents oneself there: the only reading of the environment."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tnimport.cli.exits import Exit
from tnimport.cli.failure import Failure

DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Address:
    """The base of the API, taken apart, and the key, which no repr shows."""

    secure: bool
    host: str
    port: int | None
    prefix: str
    api_key: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The base as a person would write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{'https' if self.secure else 'http'}://{host}{port}{self.prefix}"


def from_environment() -> Address:
    """Read TNIMPORT_URL and TNIMPORT_API_KEY; what cannot be used ends the command with code 2."""
    url = os.environ.get("TNIMPORT_URL") or DEFAULT_URL
    key = os.environ.get("TNIMPORT_API_KEY") or None
    if key is not None and not (key.isascii() and key.isprintable()):
        raise Failure("TNIMPORT_API_KEY has characters that no key has; copy it again.", Exit.USAGE)
    return _taken_apart(url, key)


def _taken_apart(url: str, key: str | None) -> Address:
    wrong = Failure(
        f"TNIMPORT_URL is not the address of an API; it should look like {DEFAULT_URL}.",
        Exit.USAGE,
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    usable = parts.scheme in {"http", "https"} and parts.hostname and not (parts.username or parts.query)
    if not usable or not url.isprintable() or " " in url:
        raise wrong
    return Address(parts.scheme == "https", parts.hostname or "", port, parts.path.rstrip("/"), key)
