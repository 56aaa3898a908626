"""Names that the ledger makes for what it holds."""

import secrets
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def identifier(length: int) -> str:
    """A random name of five bits a character."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
