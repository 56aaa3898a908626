"""Reads the whole numbers that requests bring as text."""

from typing import Final

LARGEST: Final = 10**18


def whole(text: str) -> int | None:
    """The number that `text` writes in the digits 0 to 9, or None; all above LARGEST count as LARGEST.

    Python's own int() also takes signs, underlines and the digits of other scripts, and fails on thousands of digits.
    """
    if not (text.isascii() and text.isdecimal()):
        return None
    significant = text.lstrip("0")
    return LARGEST if len(significant) >= len(str(LARGEST)) else int(significant or "0")
