"""Which call gets which fault: rules by endpoint, with a count or a probability."""

from collections.abc import Mapping
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
    "truncated": "done, and the connection ends after half of the promised body",
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

    def add(self, wanted: Mapping[str, Any]) -> Rule:
        """Put a rule in force; ValueError says what is wrong with it."""
        settable = Rule.__dataclass_fields__.keys() - {"rule", "met"}
        unknown = wanted.keys() - settable
        if unknown:
            raise ValueError(f"a rule has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(settable))}")
        if wanted.get("kind") not in BEFORE | AFTER:
            raise ValueError(f"kind must be one of {', '.join(BEFORE | AFTER)}")
        _check_types(wanted)
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


def _check_types(wanted: Mapping[str, Any]) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        "endpoint": (str,),
        "body": (str,),
        "headers": (dict,),
        "count": (int, type(None)),
        "skip": (int,),
        "status": (int,),
        "bytes": (int,),
        "probability": (int, float),
        "seconds": (int, float, type(None)),
    }
    wrong = [name for name, kind in kinds.items() if name in wanted and not isinstance(wanted[name], kind)]
    if wrong:
        raise ValueError(f"of a wrong type: {', '.join(wrong)}")
