"""What a step answers: it is through, or it is to be looked at again. Steps do not call Celery; the wrapper does."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Done:
    """Nothing more to do in this step; the counts are shown in Flower's result column."""

    counts: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """The ledger starts the step again in so many seconds; Flower shows RETRY and the message."""

    message: str
    seconds: float


Result = Done | Later
