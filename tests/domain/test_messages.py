import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.life import IllegalMove
from tnimport.domain.messages import (
    FINAL,
    MESSAGE_MOVES,
    SEND_AGAIN,
    MessageMove,
    MessageState,
    fix_of,
    move_message,
    sources,
)
from tnimport.domain.reasons import all_reasons, reason_for

S, M = MessageState, MessageMove
PAGE = (Path(__file__).parents[2] / "docs" / "states.md").read_text().split("## Messages\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(("state", "happened"), list(product(MessageState, MessageMove)))
def test_a_final_state_stays_and_any_other_moves_legally_or_not_at_all(
    state: MessageState, happened: MessageMove
) -> None:
    try:
        after = move_message(state, happened)
    except IllegalMove:
        assert state not in FINAL
        assert (state, happened) not in MESSAGE_MOVES
        return
    known = MESSAGE_MOVES.get((state, happened))
    assert after is (known or state)
    assert known is None or known is not state


@pytest.mark.parametrize("state", sorted(FINAL))
def test_the_one_way_out_of_an_end_is_word_of_a_message_whose_answer_was_unclear(state: MessageState) -> None:
    ways = {happened: after for (before, happened), after in MESSAGE_MOVES.items() if before is state}
    assert ways == ({M.HEARD: S.SENT} if state is S.UNKNOWN else {})


def test_nobody_is_told_that_a_message_is_tried_again_which_is_not() -> None:
    for code in (*(reason.code for reason in all_reasons()), "http_503", "never-seen"):
        assert fix_of(S.UNKNOWN, code) == reason_for("run_vanished").fix, code
        assert (fix_of(S.FAILED, code) == SEND_AGAIN) is (reason_for(code).kind == "transient"), code
        assert fix_of(S.FAILED, code), code
        assert fix_of(S.QUEUED, code) == reason_for(code).fix, code
    assert (fix_of(S.UNKNOWN, None), fix_of(S.FAILED, None)) == (reason_for("run_vanished").fix, None)


@given(st.lists(st.sampled_from(list(MessageMove)), max_size=12))
def test_no_message_is_called_for_again_once_the_carrier_may_have_it(happening: list[MessageMove]) -> None:
    state, doubtful = S.QUEUED, False
    for happened in happening:
        before = state
        try:
            state = move_message(state, happened)
        except IllegalMove:
            continue
        if state is S.SENDING and before is not state:
            assert not doubtful
        doubtful |= before is S.SENDING and happened in {M.TAKEN, M.UNANSWERED}


def test_everything_happens_in_one_state_only_and_every_state_is_reached() -> None:
    assert all(len(sources(happened)) == 1 for happened in MessageMove)
    assert {*MESSAGE_MOVES.values(), S.QUEUED} == set(MessageState)


def test_the_page_draws_every_move_and_explains_every_state_once() -> None:
    drawn = re.findall(r"^ +(\w+) --> (\w+): (\w+)$", PAGE, re.MULTILINE)
    moves = {(state.value, after.value, happened.value) for (state, happened), after in MESSAGE_MOVES.items()}
    assert set(drawn) == moves
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [state.value for state in MessageState]
