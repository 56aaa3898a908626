"""Writes deploy/demo/numbers.csv: about a thousand rows in which some fail at each stage, the same ones every time.

The sandbox decides a number's fate by its last four digits, 0900 to 0999; every other number works.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).with_name("numbers.csv")
GOOD = 950
AREAS = ("919", "206", "415", "312", "617", "512", "303", "404")
EXCHANGE = "238"

FATES = {
    "order": ("0900", "0901", "0902", "0903", "0904", "0905", "0906", "0907", "0917"),
    "import": (
        *("0930", "0931", "0932", "0933", "0934", "0935", "0936", "0937", "0938"),
        *("0941", "0943", "0944", "0945"),
    ),
    "verify": ("0908", "0946", "0947"),
}
NO_NUMBERS = (
    ("12345", "too short"),
    ("+442071838750", "not in North America"),
    ("9192380", "a digit is missing"),
    ("call me", "no number at all"),
    ("+19190001234", "no exchange starts with 0"),
)


def rows() -> Iterator[tuple[str, str]]:
    """Yield every row after the head: the number as people write it, and a note that the report gives back."""
    written = [f"{AREAS[index % len(AREAS)]}{EXCHANGE}{1000 + index:04d}" for index in range(GOOD)]
    for index, number in enumerate(written):
        yield _as_written(number, index), "works"
    for area in AREAS[:2]:
        for stage, endings in FATES.items():
            yield from ((f"+1{area}{EXCHANGE}{ending}", f"fate at {stage}: {ending}") for ending in endings)
    yield "8002381234", "toll-free, works"
    yield from NO_NUMBERS
    yield from ((f"+1{number}", "stands above already") for number in written[:12])
    yield from (("", "") for _ in range(4))


def _as_written(number: str, index: int) -> str:
    area, exchange, line = number[:3], number[3:6], number[6:]
    styles = (f"+1{number}", number, f"({area}) {exchange}-{line}", f"1-{area}-{exchange}-{line}")
    return styles[index % len(styles)]


def main() -> None:
    """Write the file."""
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("number", "note"))
        writer.writerows(rows())


if __name__ == "__main__":
    main()
