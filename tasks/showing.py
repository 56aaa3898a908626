"""What Flower, logs and events show of a bulk submission: its reference and how many numbers, never the numbers.

A sender's own Celery puts the first characters of the arguments into the message, to be shown. It cannot know better;
we do, and replace them before anything of ours repeats them.
"""

from collections.abc import Mapping, Sized
from typing import Any, Final

from celery.worker.request import Request

SHOWN: Final = ("client_ref", "account", "action")
LONGEST: Final = 64
"""Characters of one value that are shown; a longer one is nobody's reference."""


def shown(fields: Mapping[str, Any]) -> str:
    """Return the submission's short values of `SHOWN` and its count of numbers, as the text of a dictionary."""
    picked: dict[str, Any] = {name: value for name in SHOWN if _short(value := fields.get(name))}
    numbers = fields.get("numbers")
    listed = isinstance(numbers, Sized) and not isinstance(numbers, str)
    return repr({**picked, "numbers": len(numbers) if listed else "no list"})  # type: ignore[arg-type]  # it is Sized


def _short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


class Submission(Request):  # type: ignore[misc]  # celery publishes no types
    """A received bulk submission."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever Celery's own takes
        super().__init__(*args, **kwargs)
        fields = self._kwargs if isinstance(self._kwargs, Mapping) else {}
        self._kwargsrepr = self._request_dict["kwargsrepr"] = shown(fields)
        self._argsrepr = self._request_dict["argsrepr"] = f"({len(self._args)})" if self._args else "()"

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002 - the signature is Celery's
        """What `inspect` and Flower's page of a worker tell of a running task: as above, however it is asked for."""
        told: dict[str, Any] = super().info(safe=True)
        return told
