"""Sending an input to the API so that sending it twice is one import."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tnimport.cli.api import Answer, Api, Refusal, Unreachable
from tnimport.cli.problems import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from tnimport.cli.source import Source

_PASSING = frozenset({409, 502, 503, 504})
_PAUSE = 2.0


def options_given(values: dict[str, Any]) -> dict[str, Any]:
    """Only the options that the caller has set."""
    return {name: value for name, value in values.items() if value is not None}


def submit(api: Api, source: Source, options: dict[str, Any], *, again: bool, patience: float) -> Answer:
    """Submit the input, close it and return the API's answer, trying again for `patience` seconds after a lost answer.

    The Idempotency-Key is the hash of input and options, or a fresh one with `again`. Raises Unreachable
    at once when nobody listens, since then nothing was sent. Raises Refusal.
    """
    key = _fresh_key() if again else source.key(_as_query(options))
    path = "/v1/imports"
    if source.is_bare_list or (source.format == "json" and options):
        source = source.with_options(options)
    elif options:
        path = f"{path}?{_encoded(_as_query(options))}"
    with source:
        return _sent(api, path, source, key, time.monotonic() + patience)


def submit_json(api: Api, path: str, said: dict[str, Any], *, patience: float) -> Answer:
    """POST an object under a key of its own, trying again for `patience` seconds after a lost answer.

    Raises Unreachable at once when nobody listens, since then nothing was sent. Raises Refusal.
    """
    import json  # noqa: PLC0415 - --help needs none of it
    from io import BytesIO  # noqa: PLC0415 - as above

    body, key = json.dumps(said).encode(), _fresh_key()
    headers = {"content_type": "application/json", "content_length": str(len(body)), "idempotency_key": key}
    return _asking_again(lambda: api.post(path, BytesIO(body), **headers), time.monotonic() + patience)


def through_outages(ask: Callable[[], Answer], patience: float) -> Answer:
    """The answer to a question that changes nothing, however often it has to be asked within `patience` seconds."""
    give_up = time.monotonic() + patience
    while True:
        try:
            return ask()
        except (Unreachable, Refusal) as fault:
            passing = isinstance(fault, Unreachable) or fault.status in _PASSING
            if not passing or time.monotonic() + _PAUSE > give_up:
                raise
            time.sleep(_PAUSE)


def _sent(api: Api, path: str, source: Source, key: str, give_up: float) -> Answer:
    return _asking_again(lambda: api.post(path, source.body, idempotency_key=key, **source.headers), give_up)


def _asking_again(ask: Callable[[], Answer], give_up: float) -> Answer:
    while True:
        try:
            return ask()
        except (Unreachable, Refusal) as fault:
            if not _passes(fault) or time.monotonic() + _PAUSE > give_up:
                raise
            note("No answer yet; asking again, which starts nothing twice.")
            time.sleep(getattr(fault, "retry_after", None) or _PAUSE)


def _passes(fault: Unreachable | Refusal) -> bool:
    return fault.sent if isinstance(fault, Unreachable) else fault.status in _PASSING


def _fresh_key() -> str:
    from uuid import uuid4  # noqa: PLC0415 - --help needs none of it

    return str(uuid4())


def _as_query(options: dict[str, Any]) -> dict[str, str]:
    return {name: _plain(value) for name, value in options.items()}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encoded(query: dict[str, str]) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - --help needs none of it

    return urlencode(query)
