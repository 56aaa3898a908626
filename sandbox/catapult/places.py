"""Where a number seems to live: a few area codes are enough to have cities and states to filter by."""

from typing import Final

_PLACES: Final = {
    "201": ("JERSEY CITY", "NJ"),
    "206": ("SEATTLE", "WA"),
    "212": ("NEW YORK", "NY"),
    "213": ("LOS ANGELES", "CA"),
    "303": ("DENVER", "CO"),
    "305": ("MIAMI", "FL"),
    "312": ("CHICAGO", "IL"),
    "404": ("ATLANTA", "GA"),
    "415": ("SAN FRANCISCO", "CA"),
    "435": ("ST GEORGE", "UT"),
    "512": ("AUSTIN", "TX"),
    "602": ("PHOENIX", "AZ"),
    "617": ("BOSTON", "MA"),
    "702": ("LAS VEGAS", "NV"),
    "919": ("RALEIGH", "NC"),
}


def place_of(number: str) -> tuple[str | None, str | None]:
    """City and state of an E.164 number; unknown for most area codes."""
    return _PLACES.get(number[2:5], (None, None))
