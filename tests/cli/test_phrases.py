from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.cli import phrases
from tnimport.cli.causes import gather
from tnimport.cli.meter import WINDOW, Meter


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0, "0 s"), (59, "59 s"), (365, "6 min 5 s"), (60_000, "16 h 40 min"), (183_600, "2 d 3 h")],
)
def test_durations_are_said_in_their_two_largest_parts(seconds: float, words: str | None) -> None:
    assert phrases.duration(seconds) == words


@pytest.mark.parametrize(("rate", "words"), [(12.5, "12.5/s"), (1.0, "1.0/s"), (0.5, "30.0/min")])
def test_a_slow_pace_is_said_by_the_minute(rate: float, words: str | None) -> None:
    assert phrases.pace(rate) == words


@pytest.mark.parametrize("text", [None, 7, "soon", ""])
def test_what_is_no_instant_is_none(text: bytes) -> None:
    assert phrases.moment(text) is None


def test_an_instant_without_a_zone_is_utc() -> None:
    assert phrases.moment("2026-11-23T10:00:00") == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_another_day_is_named() -> None:
    assert len(phrases.clock(datetime.now(UTC) + timedelta(days=3))) > len("10:00")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (None, None),
        ("", None),
        ({}, None),
        ("a limit", "a limit"),
        ({"what": "worker"}, "worker"),
        ({"what": "pace", "text": "the pace"}, "the pace"),
    ],
)
def test_what_it_waits_for_is_said_whatever_its_shape(what: object, words: str | None) -> None:
    assert phrases.waiting({"waiting_on": what}) == words


def test_how_long_it_waits_is_said() -> None:
    now = datetime.now(UTC)
    since = {"text": "an order", "since": (now - timedelta(minutes=5)).isoformat()}
    assert phrases.waiting({"waiting_on": since}) == "an order, since 5 min 0 s"
    until = {"text": "a limit", "until": (now + timedelta(seconds=60.2)).isoformat()}
    assert phrases.waiting({"waiting_on": until}) == "a limit, for another 1 min 0 s"
    pace = until | {"what": "pace", "text": "the pace"}
    assert phrases.waiting({"waiting_on": pace}) == "the pace, for at least another 1 min 0 s"


def test_what_has_finished_takes_no_more_time() -> None:
    soon = "2099-01-01T00:00:00Z"
    assert phrases.time_left({"finished_at": soon, "eta": soon, "counts": {}}, Meter()) is None
    assert phrases.time_left({"finished_at": None, "eta": soon, "counts": {}}, Meter()) is not None


def test_no_rows_are_all_rows() -> None:
    assert phrases.share({"counts": {"rows": 0}}) == "0 of 0 rows (100 %)"


@given(rate=st.floats(0.1, 1000), looks=st.integers(2, 300))
def test_a_steady_pace_is_measured_as_it_is(rate: float, looks: int) -> None:
    meter = Meter()
    for second in range(looks):
        meter.see(float(second), int(1000 * rate) * second)
    assert meter.per_second == pytest.approx(int(1000 * rate))


def test_only_the_last_minute_counts() -> None:
    meter = Meter()
    meter.see(0, 0)
    meter.see(1, 1000)
    for second in range(2, int(3 * WINDOW)):
        meter.see(second, 1000 + second)
    assert meter.per_second == pytest.approx(1)
    assert meter.seconds_left(1000 + int(3 * WINDOW) - 1 + 50) == pytest.approx(50)


def test_nothing_done_has_no_pace() -> None:
    meter = Meter()
    assert meter.per_second is None
    assert meter.seconds_left(9) is None
    meter.see(0, 5)
    meter.see(9, 5)
    assert meter.per_second is None


def test_a_cause_speaks_for_all_its_rows_or_says_that_it_quotes_one() -> None:
    rows = [{"state": "failed", "stage": "import", "code": code, "description": text} for code, text in CAUSES]
    assert [cause.headline for cause in gather(iter(rows))] == [
        "2 x import same: Alike",
        "2 x import other: for instance: Number 1 is taken",
    ]


CAUSES = [("same", "Alike"), ("other", "Number 1 is taken"), ("same", "Alike"), ("other", "Number 2 is taken")]
