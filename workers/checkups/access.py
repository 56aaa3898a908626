"""Who is let in to the HTTP API?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tnimport.web.access.keyring import Keyring
from tnimport.web.access.keys import KeysUnreadableError
from workers.checkups.finding import Finding, misset, ok, warning

AREA: Final = "keys"
CREATE: Final = "tnimport keys create NAME"


def check(path: Path | None) -> Iterator[Finding]:
    """Whether the file of keys is usable and lets anybody in."""
    if path is None:
        yield ok(AREA, "none are set: the HTTP API listens on loopback only, and asks for none")
        return
    try:
        keys = Keyring(path).keys().values()
    except KeysUnreadableError as error:
        yield misset(AREA, f"{path} is not usable: {error}", f"mend it, or remove it and make new keys: {CREATE}")
        return
    valid = sum(not key.expired(datetime.now(UTC)) for key in keys)
    if valid:
        yield ok(AREA, f"{valid} valid, {len(keys) - valid} expired")
    else:
        yield warning(AREA, f"{path} has no valid key: nobody is let in", CREATE)
