"""Each folder in `replies` is one answer of the carrier, and its `status.json` says what must become of it."""

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tnimport.bandwidth import errors
from tnimport.bandwidth.errors import CarrierError

if TYPE_CHECKING:
    from conftest import Recorded


def plain(value: object) -> object:
    """Turn dataclasses, tuples and errors into what JSON can say."""
    if isinstance(value, CarrierError):
        return [type(value).__name__, value.code]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def only_what_is_expected(value: object, expected: object) -> object:
    """Leave out the fields that a case does not speak of."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return {key: only_what_is_expected(value[key], wanted) for key, wanted in expected.items()}
    if isinstance(expected, list) and isinstance(value, list) and len(expected) == len(value):
        return [only_what_is_expected(item, wanted) for item, wanted in zip(value, expected, strict=True)]
    return value


def test_a_reply_has_the_one_fate_that_is_right_and_an_error_shows_no_other_exception(recorded: "Recorded") -> None:
    fate = dict(recorded.fate)
    if "error" not in fate:
        assert only_what_is_expected(plain(recorded.read()), fate["value"]) == fate["value"]
        return
    with pytest.raises(CarrierError) as caught:
        recorded.read()
    assert type(caught.value) is getattr(errors, fate.pop("error"))
    for name, expected in fate.items():
        assert plain(getattr(caught.value, name)) == expected, name
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
