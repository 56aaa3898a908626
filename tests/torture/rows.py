"""What the imports of a run are made of, and what must become of each number whatever fails meanwhile."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

# By the last four digits. All other numbers, and those whose fault passes, must end imported.
FATES = {
    "0901": ("failed", "25070"),
    "0903": ("failed", "25080"),
    "0905": ("failed", "25060"),
    "0906": ("unaccounted", "unaccounted"),
    "0935": ("failed", "validation-error"),
    "0938": ("failed", "restricted-number"),
}
PASSING = ("0933", "0934", "0936", "0937", "0941", "0942", "0943", "0944", "0945", "0948")
# Rows that never become numbers: how they are counted, and what they say; a number of the import where that is empty.
REFUSED = (("rejected", "12345"), ("duplicate", ""), ("blank", "   "), ("rejected", "call me"), ("duplicate", ""))
ORDERS = ("0910", "0911", "0912", "0917", "0918", "0919")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One import that is submitted."""

    ref: str
    numbers: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()  # kinds and texts of the other rows
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        rows = list(self.numbers)
        for place, (_, text) in enumerate(self.refused):
            rows.insert(3 * place, text)
        return {"numbers": rows, "client_ref": self.ref, **self.options}


def wishes(seed: int, total: int, most: int) -> list[Wish]:
    """Imports of mixed sizes over two accounts, with so many numbers in all."""
    dice = Random(seed)  # noqa: S311 - dice that must fall alike each time
    made: list[Wish] = []
    left = total
    while left > 0:
        index = len(made)
        size = min(left, dice.choice((1, 10, most // 2, most)))
        special = dice.sample([*FATES, *PASSING], 3) + dice.sample(ORDERS, 1) if size >= 10 else []
        block = f"919{_exchange(index)}"
        ordinary = [f"{block}{2000 + serial}" for serial in range(size - len(special))]
        account = "second" if index % 3 == 2 else "default"
        # Most imports make an application of their own, so that any of these calls may fail at any time.
        application = {"name": f"{account}-{index}" if index % 4 else account} | (
            {"incoming_message_url": "https://example.com/"} if account == "second" else {}
        )
        options = {"account": account, "application": application}
        made.append(
            Wish(
                ref=f"torture-{index}",
                numbers=(*ordinary, *(f"{block}{one}" for one in special)),
                refused=tuple((kind, text or ordinary[0]) for kind, text in (REFUSED if special else ())),
                options=options,
            )
        )
        left -= size
    return made


def _exchange(index: int) -> int:
    """One for each import; 211, 311 and their like are given to nobody."""
    return [exchange for exchange in range(200, 1000) if exchange % 100 != 11][index]


def removal(of: Wish) -> Wish:
    """The numbers of an import that must have been imported, to be taken away again."""
    good = tuple(number for number in of.numbers if number[-4:] not in FATES)
    return Wish(ref=f"{of.ref}-away", numbers=good, options={"account": of.options["account"], "action": "REMOVE"})


def fate(wish: Wish, number: str) -> tuple[str, str | None]:
    """The state and code that a number of this import must have in the end."""
    if wish.options.get("action") == "REMOVE":
        return "removed", None
    return FATES.get(number[-4:], ("imported", None))
