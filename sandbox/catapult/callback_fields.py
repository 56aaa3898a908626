"""The properties that say where and how callbacks come: alike in applications and in messages."""

from typing import Any, Final

from sandbox.catapult.problems import invalid
from sandbox.digits import whole
from sandbox.wire.urls import is_callable

LONGEST_TIMEOUT: Final = 10_000


def check_url(fields: dict[str, Any], name: str) -> None:
    """A URL must be http or https with a host; an empty one counts as none."""
    if fields.get(name) not in (None, "") and not is_callable(fields[name]):
        raise invalid(f"The property '{name}' must be a valid URL.")


def check_timeout(fields: dict[str, Any], name: str) -> None:
    """Milliseconds; older clients send them as text, which becomes a number here."""
    if name not in fields:
        return
    value = whole(fields[name]) if isinstance(fields[name], str) else fields[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LONGEST_TIMEOUT:
        raise invalid(f"The property '{name}' must be from 1 to {LONGEST_TIMEOUT} milliseconds.")
    fields[name] = value


def check_method(fields: dict[str, Any], name: str) -> None:
    """GET or POST in any letter case; lower case afterwards."""
    if name not in fields:
        return
    fields[name] = str(fields[name]).lower()
    if fields[name] not in {"get", "post"}:
        raise invalid(f"The property '{name}' must be GET or POST.")
