"""What the web process is handed, and how a request reaches it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, cast

from fastapi import Depends, Request

from tnimport.domain.accounts import Account, Paces
from tnimport.ledger.engine import Ledger
from tnimport.web.access.door import ACCOUNTS
from tnimport.web.access.keyring import Keyring

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
        callback_secrets: what the carrier presents when it calls us, by account.
        keyring: the keys that let callers in; None = whoever reaches the process may do everything.
        visible: the accounts whose imports this caller may see, None = all; `accounts` are then only these.
        version: what the OpenAPI document says of itself.
    """

    ledger: Ledger
    accounts: Mapping[str, Account]
    max_body: int = 256 * MIB
    max_rows: int = 2_000_000
    hosts: frozenset[str] | None = LOOPBACK
    callback_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    keyring: Keyring | None = None
    visible: frozenset[str] | None = None
    version: str = "1"

    @property
    def paces(self) -> Mapping[str, Paces]:
        """The paces of the accounts."""
        return {name: account.paces for name, account in self.accounts.items()}

    def may_see(self, account: str) -> bool:
        """Whether the caller may know of the imports of an account."""
        return self.visible is None or account in self.visible


async def deps_of(request: Request) -> WebDeps:  # async: it waits for nothing, and needs no thread of its own
    """The dependencies of the app that serves this request, as far as the caller's key reaches."""
    deps = cast("WebDeps", request.app.state.deps)
    visible: frozenset[str] | None = request.scope.get(ACCOUNTS)
    if visible is None:
        return deps
    accounts = {name: account for name, account in deps.accounts.items() if name in visible}
    return replace(deps, accounts=accounts, visible=visible)


Deps = Annotated[WebDeps, Depends(deps_of)]
