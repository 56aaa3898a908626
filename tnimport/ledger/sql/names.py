"""Names that the ledger makes for what it holds."""

import secrets
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # 32 of them, so that a byte chooses fairly


def identifier(length: int) -> str:
    """A random name of five bits a character."""
    return "".join(_ALPHABET[byte % 32] for byte in secrets.token_bytes(length))
