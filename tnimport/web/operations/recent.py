"""An answer that is good for a moment, so that whoever asks very often costs no more than who asks now and then."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Final, Generic, TypeVar

SECONDS: Final = 1.0
Answer = TypeVar("Answer")


class Recent(Generic[Answer]):
    """The answer to one question, asked again when a second has passed. For any number of threads."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._asking = Lock()
        self._known: tuple[float, Answer] | None = None

    def __call__(self) -> Answer:
        """The answer; whoever comes while it is asked for waits, and takes the same one."""
        with self._asking:
            if self._known is None or monotonic() - self._known[0] >= SECONDS:
                answer = self._ask()
                self._known = monotonic(), answer
            return self._known[1]
