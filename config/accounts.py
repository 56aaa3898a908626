"""The Bandwidth accounts of a deployment: the one in the environment, and those in a file."""

import hmac
import re
import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from config import kinds
from config.reading import Problem, explain, read_value, variable
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.contract import Queue
from tnimport.domain.accounts import Account, Paces
from tnimport.domain.callbacks import ORDERS, USER
from tnimport.domain.telephone import to_ten

if TYPE_CHECKING:
    from config.settings import Settings

DEFAULT = "default"
NEEDED = (
    "account_id",
    "dashboard_username",
    "dashboard_password",
    "catapult_user_id",
    "catapult_token",
    "catapult_secret",
)
SECRET = frozenset({"dashboard_password", "catapult_token", "catapult_secret"})
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


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


class AccountTable(BaseModel):
    """One `[accounts.<name>]` of the accounts file, secrets already read; limits left out follow the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    account_id: Annotated[str, Field(min_length=1)]
    dashboard_username: Annotated[str, Field(min_length=1)]
    dashboard_password: Annotated[str, Field(min_length=1, repr=False)]
    catapult_user_id: Annotated[str, Field(min_length=1)]
    catapult_token: Annotated[str, Field(min_length=1, repr=False)]
    catapult_secret: Annotated[str, Field(min_length=1, repr=False)]
    site_id: str | None
    sip_peer_id: str | None
    application_id: str | None
    numbers_per_minute: Annotated[float, Field(ge=0)]
    numbers_burst: Annotated[float, Field(ge=0)]
    messages_per_second: Annotated[float, Field(ge=0)]
    applications_per_second: Annotated[float, Field(ge=0)]
    lookups_per_second: Annotated[float, Field(ge=0)]
    dashboard_per_second: Annotated[float, Field(ge=0)]
    order_size: Annotated[int, Field(ge=1, le=5000)]
    order_settle: Annotated[float, Field(gt=0)]
    poll_first: Annotated[float, Field(gt=0)]
    poll_max: Annotated[float, Field(gt=0)]
    inbound_url: Annotated[Annotated[str, AfterValidator(kinds.receiver_url)] | None, Field(repr=False)]
    inbound_task: str | None
    inbound_queue: str | None
    verify_seconds: Annotated[float, Field(gt=0)]
    verify_partner: kinds.OwnNumber | None


PLACES = ("site_id", "sip_peer_id", "application_id", "verify_partner")
INBOUND = ("inbound_url", "inbound_task", "inbound_queue")
LIMITS = tuple(name for name in AccountTable.model_fields if name not in {*NEEDED, *PLACES, *INBOUND})


def read_accounts(
    settings: "Settings", usable: frozenset[str], *, needed: bool = True
) -> tuple[Mapping[str, AccountAccess], list[Problem]]:
    """Return every usable account by name, and what is wrong with the others.

    Args:
        settings: the values that are fine by themselves.
        usable: the names of those; what is not among them is reported already, and not reported as missing again.
        needed: whether having no account at all is a problem.
    """
    tables, problems = _of_file(settings)
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
    if not problems:
        problems += [problem for name, table in tables.items() for problem in _inbound(settings, name, table)]
    return {name: _access(settings, name, table) for name, table in tables.items()}, problems


def _inbound(settings: "Settings", name: str, table: AccountTable) -> Iterator[Problem]:
    """What is missing for messages of an account to be handed on."""
    where = f"the account `{name}`"
    if table.inbound_url and settings.webhook_secret is None:
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
    given = {name: plain for name in NEEDED if (plain := _plain(getattr(settings, name)))}
    if not given:
        return None, []
    missing = [variable(name) for name in NEEDED if name not in given and name in usable]
    if missing or len(given) < len(NEEDED):
        return None, missing
    others = {name: _plain(getattr(settings, name)) for name in (*PLACES, *LIMITS, *INBOUND)}
    return AccountTable(**given, **others), []


def _of_file(settings: "Settings") -> tuple[dict[str, AccountTable], list[Problem]]:
    path = settings.accounts_file
    if path is None:
        return {}, []
    try:
        named = tomllib.loads(path.read_text()).get("accounts")
    except OSError as error:
        return {}, [_file_problem(f"{path} cannot be read ({error.strerror}): mend the path or its permissions")]
    except ValueError as error:
        return {}, [_file_problem(f"{path} is no TOML ({error})")]
    if not isinstance(named, dict) or not named:
        return {}, [_file_problem(f"{path} names no account: write a table [accounts.<name>] for each")]
    tables: dict[str, AccountTable] = {}
    problems: list[Problem] = []
    for name, raw in named.items():
        table, wrong = _of_table(settings, path, name, raw)
        problems += wrong
        if table:
            tables[name] = table
    return tables, problems


def _of_table(settings: "Settings", path: Path, name: str, raw: object) -> tuple[AccountTable | None, list[Problem]]:
    where = f"{path.name} [accounts.{name}] "
    if not NAME.fullmatch(name) or not isinstance(raw, dict):
        return None, [_file_problem(f"{where}is not usable: a table, with a name of letters, digits, - and _")]
    usual = {name: _plain(getattr(settings, name)) for name in (*LIMITS, *INBOUND)}
    values: dict[str, Any] = {**dict.fromkeys(PLACES), **usual, **raw}
    values |= {name: values[name] or None for name in INBOUND}  # "" is how an account has none though others do
    problems = []
    for secret in sorted(SECRET):
        beside = values.pop(f"{secret}_file", None)
        file = path.parent / str(beside) if beside else None
        value, problem = read_value(
            (secret, where + secret, f"{where}{secret}_file"), str(values.get(secret, "")), file
        )
        problems += [problem] if problem else []
        if value or problem:
            values[secret] = value or "unreadable"
    try:
        table = AccountTable(**values)
    except ValidationError as error:
        return None, problems + explain(error, SECRET, where)
    return (None if problems else table), problems


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
        callback_secret=_plain(settings.callback_secret) or _derived(name, table.catapult_secret),
    )


def _derived(name: str, secret: str) -> str:
    """A callback secret that needs no setting: only who has the Catapult secret can make it."""
    return hmac.digest(secret.encode(), f"tnimport callbacks of {name}".encode(), "sha256").hex()


def _plain(value: SecretStr | str | None) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _file_problem(text: str) -> Problem:
    return Problem("accounts_file", f"{variable('accounts_file')}: {text}")
