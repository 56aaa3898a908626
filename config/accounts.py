"""The Bandwidth accounts of a deployment: the one in the environment, and those in a file."""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING
from urllib.parse import quote

from config import kinds
from config.account_file import of_file
from config.account_table import INBOUND, LIMITS, NEEDED, PLACES, AccountTable, plain
from config.reading import Problem, variable
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.contract import Queue
from tnimport.domain.accounts import Account, Paces
from tnimport.domain.callbacks import ORDERS, USER
from tnimport.domain.telephone import to_ten

if TYPE_CHECKING:
    from config.settings import Settings

DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class AccountAccess:
    """One account with the credentials of both APIs; the secrets do not show when it is printed."""

    account: Account
    dashboard: DashboardCredentials = field(repr=False)
    catapult: CatapultCredentials = field(repr=False)
    callback_secret: str = field(repr=False)

    def secrets(self) -> frozenset[str]:
        """Every secret of the account, in each form in which it is sent."""
        calling = {self.callback_secret, quote(self.callback_secret, safe=""), self._presented()}
        own = {self.catapult.token, *calling, *kinds.secret_forms(self.account.inbound_url or "http://")}
        return frozenset(own.union(self.dashboard.secrets(), self.catapult.secrets()))

    def _presented(self) -> str:
        """What the carrier presents in its Authorization header when it calls back."""
        return b64encode(f"{USER}:{self.callback_secret}".encode()).decode()


def read_accounts(
    settings: "Settings", usable: frozenset[str], *, needed: bool = True
) -> tuple[Mapping[str, AccountAccess], list[Problem]]:
    """Return every usable account by name, and what is wrong with the others.

    Args:
        settings: the values that are fine by themselves.
        usable: the names of those; what is not among them is reported already, and not reported as missing again.
        needed: whether having no account at all is a problem.
    """
    tables, problems = of_file(settings, usable)
    own, missing = _of_environment(settings, usable)
    if missing:
        problems.append(
            Problem("account_id", f"the account `{DEFAULT}` lacks {', '.join(missing)}: set what is missing")
        )
    elif own and DEFAULT in tables:
        problems.append(Problem("accounts_file", f"the account `{DEFAULT}` is both in the environment and in the file"))
    elif own:
        tables[DEFAULT] = own
    if needed and not tables and not problems and usable >= {*NEEDED, "accounts_file"}:
        names = ", ".join(map(variable, NEEDED))
        problems.append(Problem("account_id", f"no account is set: set {names}, or {variable('accounts_file')}"))
    signed = "webhook_secret" not in usable or settings.webhook_secret is not None
    problems += [found for name, table in tables.items() for found in _inbound(name, table, signed=signed)]
    return {name: _access(settings, name, table) for name, table in tables.items()}, problems


def _inbound(name: str, table: AccountTable, *, signed: bool) -> Iterator[Problem]:
    """What is missing for messages of an account to be handed on."""
    where = f"the account `{name}`"
    if table.inbound_url and not signed:
        text = f"{where} hands messages on by webhook: set {variable('webhook_secret')}, which signs them"
        yield Problem("inbound_url", text)
    if bool(table.inbound_task) != bool(table.inbound_queue):
        text = f"{where}: set {variable('inbound_task')} and {variable('inbound_queue')}, or neither"
        yield Problem("inbound_task", text)
    elif table.inbound_queue in set(Queue):
        text = f"{where}: {variable('inbound_queue')} {table.inbound_queue!r} is a queue of our own; name another one"
        yield Problem("inbound_queue", text)


def _of_environment(settings: "Settings", usable: frozenset[str]) -> tuple[AccountTable | None, list[str]]:
    """The account of the environment if it is whole, else the variables that it still lacks."""
    given = {name: value for name in NEEDED if (value := plain(getattr(settings, name)))}
    if not given:
        return None, []
    missing = [variable(name) for name in NEEDED if name not in given and name in usable]
    if missing or len(given) < len(NEEDED):
        return None, missing
    others = {name: plain(getattr(settings, name)) for name in (*PLACES, *LIMITS, *INBOUND)}
    return AccountTable(**given, **others), []


def _access(settings: "Settings", name: str, table: AccountTable) -> AccountAccess:
    base = settings.public_url
    return AccountAccess(
        account=Account(
            name=name,
            account_id=table.account_id,
            site_id=table.site_id,
            sip_peer_id=table.sip_peer_id,
            application_id=table.application_id,
            callback_url=f"{base}/callbacks/{name}" if base else None,
            fallback_url=f"{settings.fallback_url}/callbacks/{name}" if base and settings.fallback_url else None,
            callback_timeout=settings.callback_timeout,
            orders_url=f"{base}/callbacks/{name}{ORDERS}" if base and settings.order_notifications else None,
            paces=Paces(**{pace.name: getattr(table, pace.name) for pace in fields(Paces)}),
            order_size=table.order_size,
            order_settle=table.order_settle,
            poll_first=table.poll_first,
            poll_max=table.poll_max,
            inbound_url=table.inbound_url,
            inbound_task=table.inbound_task,
            inbound_queue=table.inbound_queue,
            signs=settings.webhook_secret is not None,
            verify_seconds=table.verify_seconds,
            verify_partner=to_ten(table.verify_partner) if table.verify_partner else None,
        ),
        dashboard=DashboardCredentials(
            account_id=table.account_id, username=table.dashboard_username, password=table.dashboard_password
        ),
        catapult=CatapultCredentials(
            user_id=table.catapult_user_id, token=table.catapult_token, secret=table.catapult_secret
        ),
        callback_secret=plain(settings.callback_secret) or _derived(name, table.catapult_secret),
    )


def _derived(name: str, secret: str) -> str:
    """A callback secret that needs no setting: only who has the Catapult secret can make it."""
    return hmac.digest(secret.encode(), f"tnimport callbacks of {name}".encode(), "sha256").hex()
