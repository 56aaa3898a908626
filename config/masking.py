"""What may never be logged, taken out of text: secrets, Authorization values, telephone numbers, user-info in URLs."""

import re
from collections.abc import Callable, Iterable

REMOVED = "[removed]"
SHORT = 8
"""Secrets shorter than this are removed only as whole words: `s-1` must not eat the middle of `orders-12`."""

AUTHORIZATION = re.compile(
    r"""(?ix) (authorization ['"]? \s* [:=,] \s* b?['"]?)
    (?!\[removed\]) (?:(?:basic|bearer|digest)\s+)? [^\s'",}\])]+ """
)
SCHEME = re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/_.~-]{6,}={0,2}")
USER_INFO = re.compile(r"(?<=://)[^/\s@'\"]+@")
# E.164 of any country, also percent-encoded, and North American numbers with or without the 1 and separators.
# A decimal fraction is none, and neither is a longer run of digits.
NUMBER = re.compile(
    r"""(?x) (?<!\d) (?<!\d\.)
    (?: (?P<plus>\+|%2[Bb]) (?P<e164>\d{8,15})
      | (?P<country>1[-. ]?)? \(? (?P<area>[2-9]\d{2}) \)? [-. ]? (?P<exchange>[2-9]\d{2}) [-. ]? (?P<line>\d{4}) )
    (?!\d)"""
)


def mask_numbers(text: str) -> str:
    """Return the text with the middle of every telephone number starred: `+1919***1234`."""
    return NUMBER.sub(_star, text)


def _star(found: re.Match[str]) -> str:
    digits = found["e164"] or f"{(found['country'] or '')[:1]}{found['area']}{found['exchange']}{found['line']}"
    return f"{'+' if found['plus'] else ''}{digits[:-7] or digits[:1]}***{digits[-4:]}"


def secret_remover(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that takes these secrets, Authorization values and user-info out of a text."""
    ordered = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    words = "|".join(_pattern(secret) for secret in ordered)
    known = re.compile(words) if words else None

    def remove(text: str) -> str:
        if known:
            text = known.sub(REMOVED, text)
        text = USER_INFO.sub("", text)
        text = SCHEME.sub(rf"\1 {REMOVED}", text)
        return AUTHORIZATION.sub(rf"\1{REMOVED}", text)

    return remove


def _pattern(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= SHORT else rf"(?<![\w-]){escaped}(?![\w-])"
