"""(i) Looks spent on an order of 2 s to 1 h, against a geometric schedule of factor 1.2. Decisions only, no clock."""

from bench.record import record
from tnimport.domain.accounts import Account
from tnimport.domain.backoff import poll_delay

DURATIONS = (2, 5, 15, 60, 300, 900, 3_600)
FACTOR = 1.2


def looks(duration: float, account: Account) -> int:
    """How often we look at an order that takes so long."""
    age, count = account.poll_first, 1
    while age < duration:
        age += poll_delay(age, account.poll_first, account.poll_max)
        count += 1
    return count


def geometric(duration: float, first: float) -> int:
    """How often a schedule looks whose every look comes 1.2 times as late as the one before."""
    age, count = first, 1
    while age < duration:
        age, count = age * FACTOR, count + 1
    return count


def main() -> None:
    """The worst of all durations."""
    account = Account(name="default", account_id="9999999")
    ratios = {one: looks(one, account) / geometric(one, account.poll_first) for one in DURATIONS}
    print("  ".join(f"{one} s: {looks(one, account)} looks, {ratio:.2f}" for one, ratio in ratios.items()))
    record("polls", max(ratios.values()), goal="<= 1.5", unit="ratio", yardstick="a geometric schedule of factor 1.2")


if __name__ == "__main__":
    main()
