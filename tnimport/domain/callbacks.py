"""Where the carrier calls us: the addresses, and the secret that goes into them on the wire and nowhere else."""

from typing import Final
from urllib.parse import quote

USER: Final = "tnimport"  # any user name is taken; the password is what counts
MESSAGES: Final = "/messages"
ORDERS: Final = "/orders"


def without_userinfo(url: str) -> str:
    """The URL as it is kept and compared."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def with_secret(url: str, secret: str) -> str:
    """The URL as it is sent to the carrier, which then presents user name and password when it calls."""
    scheme, _, rest = without_userinfo(url).partition("://")
    return f"{scheme}://{USER}:{quote(secret, safe='')}@{rest}"
