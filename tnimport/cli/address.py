"""Where the API is and how one presents oneself there: the only reader of the client's `TNIMPORT_*` variables."""

import os
from dataclasses import dataclass, field
from pathlib import Path
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
    """Read TNIMPORT_URL and TNIMPORT_API_KEY, or its file; what cannot be used ends the command with code 2."""
    url = os.environ.get("TNIMPORT_URL") or DEFAULT_URL
    key = os.environ.get("TNIMPORT_API_KEY") or None
    path = os.environ.get("TNIMPORT_API_KEY_FILE") or None
    if key is not None and path is not None:
        raise Failure("TNIMPORT_API_KEY and TNIMPORT_API_KEY_FILE are both set: set one of them.", Exit.USAGE)
    if path is not None:
        key = _kept_in(path)
    if key is not None and not (key.isascii() and key.isprintable()):
        raise Failure("TNIMPORT_API_KEY has characters that no key has; copy it again.", Exit.USAGE)
    return _taken_apart(url, key)


def _kept_in(path: str) -> str:
    try:
        key = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise Failure(f"TNIMPORT_API_KEY_FILE: {path} cannot be read ({why}).", Exit.USAGE) from None
    if not key:
        raise Failure(f"TNIMPORT_API_KEY_FILE: {path} is empty: write the key into it.", Exit.USAGE)
    return key


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
