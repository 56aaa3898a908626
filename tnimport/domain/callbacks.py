"""Where the carrier calls us: the addresses, and the secret that goes into them on the wire and nowhere else."""

import re
from typing import Final
from urllib.parse import quote

USER: Final = "tnimport"  # any user name is taken; the password is what counts
MESSAGES: Final = "/messages"
ORDERS: Final = "/orders"
MESSAGE: Final = "message"  # the parameter that names a message of ours to us
_USER_INFO: Final = re.compile(r"\A([^:/?#@]*://)[^/?#]*@")  # of the host's part, which a "?" or "#" ends as "/" does


def about_message(message_id: str) -> str:
    """Where we are told of one message of ours, by its own id: word may come where an answer does not."""
    return f"{MESSAGES}?{MESSAGE}={quote(message_id, safe='')}"


def without_userinfo(url: str) -> str:
    """The URL as it is kept and compared: all but user name and password; any text may be given."""
    return _USER_INFO.sub(r"\1", url, count=1)


def with_secret(url: str, secret: str) -> str:
    """The URL as it is sent to the carrier, which then presents user name and password when it calls."""
    scheme, _, rest = without_userinfo(url).partition("://")
    return f"{scheme}://{USER}:{quote(secret, safe='')}@{rest}"
