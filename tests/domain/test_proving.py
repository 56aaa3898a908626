import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.messages import MessageState
from tnimport.domain.proving import Link, Proof, Sight, gives_up_at, link_of, proof_of, takes_part
from tnimport.domain.reasons import is_known

S, L, P = MessageState, Link, Proof


@given(st.integers(1, 400), st.data())
def test_a_sample_has_its_size_and_is_spread_evenly(eligible: int, data: st.DataObject) -> None:
    chosen = data.draw(st.integers(1, eligible))
    taken = [index for index in range(eligible) if takes_part(index, eligible, chosen)]
    assert len(taken) == chosen
    gaps = {after - before for before, after in zip(taken, [*taken[1:], taken[0] + eligible], strict=True)}
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("state", "sent_at", "arrived", "link"),
    [
        (None, None, False, L.PENDING),
        (S.QUEUED, None, False, L.PENDING),
        (S.SENDING, 0.0, False, L.PENDING),
        (S.SENT, 91.0, False, L.PENDING),
        (S.SENT, 90.0, False, L.MISSING),
        (S.SENT, 0.0, True, L.ARRIVED),
        (S.UNKNOWN, 91.0, False, L.PENDING),
        (S.UNKNOWN, 90.0, False, L.MISSING),
        (S.UNKNOWN, 0.0, True, L.ARRIVED),
        (S.FAILED, 99.0, False, L.MISSING),
        (S.CANCELLED, None, False, L.MISSING),
        (S.SENDING, 0.0, True, L.ARRIVED),
    ],
)
def test_what_has_become_of_a_message_after_a_hundred_seconds_when_it_has_ten(
    state: MessageState | None, sent_at: float | None, arrived: bool, link: Link
) -> None:
    seen = Sight(state, sent_at, arrived)
    assert link_of(seen, 100.0, 10.0) is link
    end = gives_up_at(seen, 10.0)
    if link is L.PENDING and end is not None:
        assert link_of(seen, end, 10.0) is L.MISSING


@pytest.mark.parametrize(
    ("out", "into", "proof"),
    [
        (L.ARRIVED, L.ARRIVED, P.VERIFIED),
        (L.MISSING, L.ARRIVED, P.SENT_NOTHING),
        (L.ARRIVED, L.MISSING, P.RECEIVED_NOTHING),
        (L.MISSING, L.MISSING, P.NEITHER),
        (L.PENDING, L.MISSING, None),
        (L.MISSING, L.PENDING, None),
        (L.PENDING, L.ARRIVED, None),
        (L.ARRIVED, L.PENDING, None),
        (L.PENDING, L.PENDING, None),
    ],
)
def test_what_two_messages_prove_of_a_number(out: Link, into: Link, proof: Proof | None) -> None:
    assert proof_of(out, into) is proof


@pytest.mark.parametrize("proof", [proof for proof in Proof if proof is not P.VERIFIED])
def test_what_is_not_proven_has_a_reason(proof: Proof) -> None:
    assert is_known(proof)
