"""What is a URL that can be called, and what of it may be shown."""

from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_UNREADABLE: Final = "(not a URL)"


def is_callable(url: object) -> bool:
    """Whether it is an http or https URL with a host, a port that exists, and neither blanks nor control characters."""
    if not isinstance(url, str) or any(one <= " " or one == "\x7f" for one in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def without_userinfo(url: str) -> str:
    """The URL as it may be shown; nothing of one that cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _UNREADABLE
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
