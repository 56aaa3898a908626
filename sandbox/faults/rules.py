"""Which call gets which fault: rules by endpoint, with a count or a probability."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from random import Random
from typing import Any, Final

BEFORE: Final = {
    "cut-before": "the connection ends, nothing is done",
    "error": "`status` (503) with an HTML page, nothing is done",
    "rate-limited": "429, or 403 of category limit for POST messages, with its header",
    "rate-limited-bare": "the same without X-RateLimit-Reset",
    "unauthorized": "401 as for wrong credentials",
    "answer": "`status`, `headers` and `body` as given, nothing is done",
}
AFTER: Final = {
    "cut-after": "done, then the connection ends without an answer",
    "error-after": "done, then `status` (503) with an HTML page",
    "slow": "done, and answered after `seconds`",
    "drip": "done, and the answer comes in pieces, `seconds` apart",
    "truncated": "done, and the connection ends after half of the promised body; a 204 becomes a 200",
    "oversized": "done, and the body is followed by `bytes` (32 MiB) of white space",
    "wrong-type": "done, and Content-Type says text/plain",
    "empty": "done, and the body is empty",
    "html": "done, and the body is an HTML page with the status of success",
    "junk-whitespace": "done, and white space surrounds every element or value",
    "shuffled": "done, and elements or keys come in another order",
    "entity-bomb": "done, and the body is an XML document with exponential entities",
}


@dataclass(slots=True, kw_only=True)
class Rule:
    """One fault to be met by calls whose endpoint matches."""

    rule: int
    endpoint: str  # a name such as catapult.numbers.create, with * and ? as wildcards
    kind: str
    count: int | None = None  # of calls it still meets; None = without end
    probability: float = 1.0
    skip: int = 0  # matching calls that pass first
    status: int = 503
    seconds: float | None = None
    bytes: int = 32 * 1024 * 1024
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    met: int = 0

    def matches(self, endpoint: str, dice: Random) -> bool:
        """Whether this call meets the fault; counts it if so."""
        if self.count == 0 or not fnmatchcase(endpoint, self.endpoint):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.probability < 1 and dice.random() >= self.probability:
            return False
        if self.count is not None:
            self.count -= 1
        self.met += 1
        return True


class Faults:
    """The rules in force; the first that matches wins."""

    def __init__(self, seed: int) -> None:
        self.rules: list[Rule] = []
        self._dice = Random(seed)  # noqa: S311 - dice that must fall alike each time
        self._serial = count(1)

    def add(self, wanted: object) -> Rule:
        """Put a rule in force; ValueError or TypeError says what is wrong with it."""
        if not isinstance(wanted, dict):
            raise TypeError("a rule must be a JSON object")
        settable = Rule.__dataclass_fields__.keys() - {"rule", "met"}
        unknown = wanted.keys() - settable
        if unknown:
            raise ValueError(f"a rule has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(settable))}")
        if wanted.get("kind") not in BEFORE | AFTER:
            raise ValueError(f"kind must be one of {', '.join(BEFORE | AFTER)}")
        _check_values(wanted)
        rule = Rule(**{"endpoint": "*", **wanted, "rule": next(self._serial)})
        self.rules.append(rule)
        return rule

    def pick(self, endpoint: str) -> Rule | None:
        """The fault that this call meets, if any."""
        return next((rule for rule in self.rules if rule.matches(endpoint, self._dice)), None)

    def clear(self, seed: int) -> None:
        """Drop every rule and begin the dice anew."""
        self.rules.clear()
        self._dice.seed(seed)

    def as_json(self) -> list[dict[str, Any]]:
        """The rules in force."""
        return [asdict(rule) for rule in self.rules]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_amount(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def _is_status(value: object) -> bool:
    return isinstance(value, int) and 200 <= value <= 599  # noqa: PLR2004 - HTTP's own numbers for a final answer


def _are_headers(value: object) -> bool:
    """Whether they can be written as they are."""
    return isinstance(value, dict) and all(
        isinstance(one, str) and one.isprintable() for header in value.items() for one in header
    )


_CHECKS: Final[dict[str, Callable[[Any], bool]]] = {
    "endpoint": lambda value: isinstance(value, str),
    "body": lambda value: isinstance(value, str),
    "headers": _are_headers,
    "count": lambda value: value is None or _is_count(value),
    "skip": _is_count,
    "status": _is_status,
    "bytes": _is_count,
    "probability": _is_amount,
    "seconds": lambda value: value is None or _is_amount(value),
}


def _check_values(wanted: Mapping[str, Any]) -> None:
    wrong = [name for name, good in _CHECKS.items() if name in wanted and not good(wanted[name])]
    if wrong:
        raise ValueError(f"cannot be taken: {', '.join(wrong)}")
