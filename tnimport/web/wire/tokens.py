"""Page tokens: opaque to callers, checked when they come back."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from json import dumps
from typing import Any, Final

from pydantic_core import PydanticCustomError

from tnimport.web.wire.invalid import ours

# The keys of the ledger's pages, in just the form in which it makes them.
IMPORTS: Final = re.compile(r"\d{1,12}(\.\d{1,9})?:\w{1,24}", re.ASCII)
INBOUND: Final = re.compile(r"\d{1,18}", re.ASCII)
NUMBERS: Final = re.compile(r"n:\d{1,15}\.\d{1,9}|r:\d{1,9}", re.ASCII)


_MARK: Final = "~"  # before what tells the filters


def token_of(key: str | None, filters: Mapping[str, Any]) -> str:
    """The token for the ledger's key of the next page under these filters; the empty string where there is none."""
    return urlsafe_b64encode(f"{key}{_told(filters)}".encode()).rstrip(b"=").decode() if key else ""


def key_of(token: str | None, form: re.Pattern[str], filters: Mapping[str, Any] | None) -> str | None:
    """The key in a token, None for no token.

    Args:
        token: what the caller gave.
        form: what the keys of this listing look like.
        filters: those that are asked for now, None if they are wrong themselves.

    Raises:
        PydanticCustomError: the token is not one of ours, or was made for other filters.
    """
    if not token:
        return None
    try:
        whole = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)).decode("ascii")
    except (UnicodeError, binascii.Error):
        raise _not_ours() from None
    key, mark, rest = whole.partition(_MARK)
    if not form.fullmatch(key):
        raise _not_ours()
    if filters is not None and f"{mark}{rest}" != _told(filters):
        raise _not_ours("It was given with other filters")
    return key


def _told(filters: Mapping[str, Any]) -> str:
    """The filters in short; nothing for none."""
    given = {name: value for name, value in filters.items() if value is not None}
    return f"{_MARK}{sha256(dumps(given, sort_keys=True).encode()).hexdigest()[:8]}" if given else ""


def _not_ours(detail: str = "It is not one of ours") -> PydanticCustomError:
    return ours("bad_page_token", detail)
