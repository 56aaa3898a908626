from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from tnimport.web.wire import tokens

FILTERS = {"state": "failed", "code": None}


@given(order=st.integers(0, 10**15 - 1), pos=st.integers(0, 10**9 - 1))
def test_a_token_leads_back_to_its_place(order: int, pos: int) -> None:
    for key in (f"n:{order}.{pos}", f"r:{pos}"):
        assert tokens.key_of(tokens.token_of(key, FILTERS), tokens.NUMBERS, FILTERS) == key


@given(at=st.floats(0, 1e11).map(lambda at: round(at, 6)).filter(lambda at: "e" not in repr(at)))
def test_a_token_leads_back_to_its_import(at: float) -> None:
    key = f"{at!r}:imp_7r2k9c3d1m5x8w0q"
    assert tokens.key_of(tokens.token_of(key, {}), tokens.IMPORTS, {}) == key


def test_no_token_is_the_beginning_and_no_key_the_end() -> None:
    assert tokens.key_of(None, tokens.NUMBERS, {}) is None
    assert tokens.key_of("", tokens.NUMBERS, {}) is None
    assert tokens.token_of(None, FILTERS) == ""


@given(text=st.text(min_size=1))
def test_what_is_not_ours_is_refused(text: str) -> None:
    for token in (text, urlsafe_b64encode(text.encode("utf-8", "replace")).decode()):
        with pytest.raises(PydanticCustomError):
            tokens.key_of(token, tokens.NUMBERS, None)


def test_a_token_of_another_listing_is_refused() -> None:
    with pytest.raises(PydanticCustomError):
        tokens.key_of(tokens.token_of("n:1.2", {}), tokens.IMPORTS, {})
