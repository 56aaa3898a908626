"""Page tokens: opaque to callers, checked when they come back."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from tnimport.web.problems import ProblemError

# The keys of the ledger's pages, in just the form in which it makes them.
IMPORTS: Final = re.compile(r"\d{1,12}(\.\d{1,9})?:\w{1,24}", re.ASCII)
INBOUND: Final = re.compile(r"\d{1,18}", re.ASCII)
NUMBERS: Final = re.compile(r"n:\d{1,15}\.\d{1,9}|r:\d{1,9}", re.ASCII)


def token_of(key: str | None) -> str:
    """The token for the ledger's key of the next page; the empty string where there is none."""
    return urlsafe_b64encode(key.encode()).rstrip(b"=").decode() if key else ""


def key_of(token: str | None, form: re.Pattern[str]) -> str | None:
    """The key in a token, None for no token; ProblemError for a token that is not one of ours."""
    if not token:
        return None
    try:
        key = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)).decode("ascii")
    except (UnicodeError, binascii.Error):
        key = ""
    if form.fullmatch(key):
        return key
    raise ProblemError(
        "malformed-request",
        "The page_token is not one of ours; take next_page_token as it was given, with the same filters.",
        [{"parameter": "page_token", "detail": "is not a page token", "code": "bad_page_token"}],
    )
