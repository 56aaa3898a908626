"""What pydantic finds wrong with a value, in our words: what it must be, and so what to do."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic_core.core_schema import ErrorType

_THEIRS: Final = frozenset(get_args(ErrorType))
_WHOLE: Final = "It must be a whole number."
_NUMBER: Final = "It must be a number."
_TRUTH: Final = "It must be true or false."
_ONE_OF: Final = "It must be {expected}."
_SENTENCES: Final[Mapping[str, str]] = {
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "bool_parsing": _TRUTH,
    "bool_type": _TRUTH,
    "greater_than": "It must be more than {gt}.",
    "greater_than_equal": "It must be at least {ge}.",
    "less_than_equal": "It must be at most {le}.",
    "string_type": "It must be a text.",
    "string_too_short": "It must have at least {min_length} characters.",
    "string_too_long": "It must have at most {max_length} characters.",
    "string_pattern_mismatch": "It has characters that it cannot have.",
    "list_type": "It must be a list.",
    "model_type": "It must be an object.",
    "literal_error": _ONE_OF,
    "enum": _ONE_OF,
}
_TOO_LONG: Final = "It has {actual_length} {things}, and may have {max_length} at most."


def sentence(error: Mapping[str, Any]) -> str | None:
    """What a value must be, by what pydantic says of it; None where nothing better is known than that it is wrong.

    What a validator of ours said stands as it is. Pydantic's own words are never passed on.
    """
    kind = str(error["type"])
    if kind not in _THEIRS:
        return f"{str(error['msg']).rstrip('.')}."
    facts = {name: _shown(value) for name, value in (error.get("ctx") or {}).items()}
    if kind == "too_long":
        return _TOO_LONG.format_map(facts | {"things": "entries" if facts["field_type"] == "List" else "characters"})
    known = _SENTENCES.get(kind)
    return known.format_map(facts) if known else None


def _shown(value: object) -> str:
    """A bound as people write it; of the words to choose from, the bare ones."""
    if isinstance(value, int | float):
        return f"{value:,.15g}"
    return str(value).replace("'", "")
