"""A ledger that is away is waited for, and asked no more often than every now and then."""

import pytest
import sqlalchemy as sa

from tasks import patience


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait, on a clock that moves by waiting only."""
    waits: list[float] = []
    monkeypatch.setattr(patience, "LEDGER_AWAY", 0.25)
    monkeypatch.setattr(patience, "sleep", waits.append)
    monkeypatch.setattr(patience, "monotonic", lambda: sum(waits))
    return waits


def test_it_is_asked_again_after_a_wait_until_it_takes_the_result(waits: list[float]) -> None:
    attempts = iter([away, away, lambda: "recorded"])

    def record() -> str:
        attempt = next(attempts)
        return attempt()

    assert patience.recorded(record, deadline=100) == "recorded"
    assert waits == [0.25, 0.25]


def test_one_that_stays_away_is_waited_for_until_the_claim_ends(waits: list[float]) -> None:
    with pytest.raises(sa.exc.OperationalError):
        patience.recorded(away, deadline=1)
    assert waits == [0.25, 0.25, 0.25]


def away() -> str:
    raise sa.exc.OperationalError("", {}, OSError())
