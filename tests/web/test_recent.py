from itertools import count

import pytest

from tnimport.web.operations import recent
from tnimport.web.operations.recent import Recent


def test_an_answer_is_good_for_a_second_and_then_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(recent, "monotonic", lambda: now[0])
    answer = Recent(count().__next__)
    seen = []
    for now[0] in (100.0, 100.5, 100.75, 101.0, 101.5, 102.0):
        seen.append(answer())
    assert seen == [0, 0, 0, 1, 1, 2]


def test_the_second_begins_when_the_answer_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(recent, "monotonic", lambda: now[0])

    def slowly() -> float:
        now[0] += 5
        return now[0]

    answer = Recent(slowly)
    assert answer() == answer() == 105
