"""What the web process is handed, and how a request reaches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from tnimport.domain.accounts import Account
from tnimport.ledger.engine import Ledger

LOOPBACK = frozenset({"localhost"})  # besides the addresses of this machine
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class WebDeps:
    """Everything that the web process needs.

    Attributes:
        ledger: the ledger that is read and written.
        accounts: the accounts that imports may name.
        max_body: most bytes of a request body, counted as sent and again as unpacked.
        max_rows: most rows of one import.
        hosts: names under which browsers may address an API without keys; None = any (keys protect it).
        version: what the OpenAPI document says of itself.
    """

    ledger: Ledger
    accounts: Mapping[str, Account]
    max_body: int = 256 * MIB
    max_rows: int = 2_000_000
    hosts: frozenset[str] | None = LOOPBACK
    version: str = "1"


def deps_of(request: Request) -> WebDeps:
    """The dependencies of the app that serves this request."""
    return cast("WebDeps", request.app.state.deps)


Deps = Annotated[WebDeps, Depends(deps_of)]
