"""A command's talk with the API, in which every fault ends the command with its code and its words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tnimport.cli import address
from tnimport.cli.api import Api, Refusal, Unreachable
from tnimport.cli.failure import Failure
from tnimport.cli.problems import end_refused, end_unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tnimport.cli.address import Address


@contextmanager
def session(*, as_json: bool = False, submitting: bool = False) -> Iterator[Api]:
    """Yield the API of the environment; Refusal and Unreachable inside become the command's end, in JSON if wanted."""
    try:
        with _ended(address.from_environment(), submitting=submitting) as api:
            yield api
    except Failure as failure:
        failure.as_json = as_json
        raise


@contextmanager
def _ended(where: Address, *, submitting: bool) -> Iterator[Api]:
    try:
        yield Api(where)
    except Refusal as refusal:
        end_refused(refusal, submitting=submitting)
    except Unreachable as fault:
        end_unreachable(fault, where)
