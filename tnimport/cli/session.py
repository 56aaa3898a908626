"""A command's talk with the API, in which every fault ends the command with its code and its words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tnimport.cli import address
from tnimport.cli.api import Api, Refusal, Unreachable
from tnimport.cli.problems import end_refused, end_unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def session(*, as_json: bool = False, submitting: bool = False) -> Iterator[Api]:
    """Yield the API of the environment; Refusal and Unreachable inside become the command's end."""
    where = address.from_environment()
    try:
        yield Api(where)
    except Refusal as refusal:
        end_refused(refusal, as_json=as_json, submitting=submitting)
    except Unreachable as fault:
        end_unreachable(fault, where)
