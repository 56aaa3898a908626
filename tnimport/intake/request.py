"""From options and the account's defaults to a request in which nothing is left open."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from tnimport.domain.accounts import Account
from tnimport.domain.callbacks import MESSAGES
from tnimport.domain.life import Action
from tnimport.intake.options import Application, ImportOptions, read_options
from tnimport.intake.problems import Problem, Refused, problem
from tnimport.intake.proofs import proof_problems

DEFAULT_ACCOUNT: Final = "default"
OUR_APPLICATION: Final = "tnimport"  # the name of one that nobody has named


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """An import as it will be done: options, with the account's defaults where the caller said nothing.

    `application` is None for action REMOVE only; it has an id, or a name and an incoming message URL.
    """

    account: Account
    action: Action
    site_id: str
    sip_peer_id: str | None
    customer_order_id: str | None
    application: Application | None
    client_ref: str | None
    max_per_minute: float | None
    on_present: str
    strict: bool
    notify_url: str | None
    verify: str = "none"
    verify_count: int | None = None


def request_from(fields: Mapping[str, Any], accounts: Mapping[str, Account]) -> ImportRequest:
    """The request that the fields make; Refused with everything wrong in them, read and resolved, at once."""
    options, problems = read_options(fields)
    return resolve(options, accounts, problems)


def resolve(
    options: ImportOptions, accounts: Mapping[str, Account], problems: tuple[Problem, ...] = ()
) -> ImportRequest:
    """The options with the account's defaults filled in.

    Args:
        options: what the caller said.
        accounts: the configured accounts by name.
        problems: what was wrong already; fields named in them are not complained of twice.

    Raises:
        Refused: with all problems, the given ones first.
    """
    account = account_of(options.account, accounts)
    if isinstance(account, Problem):
        raise Refused([*problems, *([] if _told("/account", problems) else [account])])
    application = _application(options, account)
    site_id = options.site_id or account.site_id
    found = [
        *_site(site_id),
        *_application_problems(options, application),
        *_twice(options),
        *_unsigned(options, account),
        *proof_problems(options, account, application),
    ]
    wrong = [*problems, *(one for one in found if not _told(one.pointer, problems))]
    if wrong or site_id is None:
        raise Refused(wrong)
    return ImportRequest(
        account=account,
        action=Action(options.action),
        site_id=site_id,
        sip_peer_id=options.sip_peer_id or _peer(options, account, site_id),
        customer_order_id=options.customer_order_id,
        application=application,
        client_ref=options.client_ref,
        max_per_minute=options.max_per_minute,
        on_present=options.on_present,
        strict=options.strict,
        notify_url=options.notify_url,
        verify=options.verify,
        verify_count=options.verify_count,
    )


def account_of(name: str | None, accounts: Mapping[str, Account]) -> Account | Problem:
    """The account of this name, the usual one where none is named, or what is wrong with it."""
    wanted = name or _usual(accounts)
    account = accounts.get(wanted)
    return account or _unknown_account(wanted, accounts)


def _usual(accounts: Mapping[str, Account]) -> str:
    """The account meant when none is named: `default`, or the only one there is."""
    if DEFAULT_ACCOUNT not in accounts and len(accounts) == 1:
        return next(iter(accounts))
    return DEFAULT_ACCOUNT


def _unknown_account(name: str, accounts: Mapping[str, Account]) -> Problem:
    close = get_close_matches(name, accounts, n=1)
    fix = f"Did you mean {close[0]}?" if close else None
    return problem("unknown_account", "/account", f"There is no account {name!r}.", fix)


def _peer(options: ImportOptions, account: Account, site_id: str) -> str | None:
    """The account's peer belongs to the account's site; on another site, that site's default peer is right."""
    return account.sip_peer_id if options.site_id is None or site_id == account.site_id else None


def _application(options: ImportOptions, account: Account) -> Application | None:
    """The application wished, the account's own if none is; our callback is where its messages go by default."""
    if options.action == Action.REMOVE:
        return None
    given = options.application
    if given is None:
        if account.application_id:
            return Application(id=account.application_id)
        return _calling_us(Application(name=OUR_APPLICATION), account) if account.callback_url else None
    if given.id or given.incoming_message_url or account.callback_url is None:
        return given
    return _calling_us(given, account)


def _calling_us(given: Application, account: Account) -> Application:
    """With our callback, and the settings' fallback and time-out where the caller names none."""
    fallback = f"{account.fallback_url}{MESSAGES}" if account.fallback_url else None
    patience = round(account.callback_timeout * 1000) if account.callback_timeout else None
    ours = {
        "incoming_message_url": f"{account.callback_url}{MESSAGES}",
        "incoming_message_fallback_url": given.incoming_message_fallback_url or fallback,
        "incoming_message_url_callback_timeout": given.incoming_message_url_callback_timeout or patience,
    }
    return given.model_copy(update=ours)


def _site(site_id: str | None) -> list[Problem]:
    return [] if site_id else [problem("required", "/site_id")]


def _application_problems(options: ImportOptions, application: Application | None) -> list[Problem]:
    if options.action == Action.REMOVE:
        given = options.application is not None
        return [problem("not_with_remove", "/application")] if given else []
    if application is None:
        return [problem("required", "/application")]
    if application.id:
        return []
    wanted = ("name", "incoming_message_url")
    return [problem("required", f"/application/{name}") for name in wanted if not getattr(application, name)]


def _twice(options: ImportOptions) -> list[Problem]:
    given = options.application
    if given is None or not given.id or len(given.model_dump(exclude_none=True)) == 1:
        return []
    return [problem("ambiguous_application", "/application")]


def _unsigned(options: ImportOptions, account: Account) -> list[Problem]:
    """Nobody is told without a signature: a receiver could not know that it is us."""
    return [problem("not_signed", "/notify_url")] if options.notify_url and not account.signs else []


def _told(pointer: str, problems: tuple[Problem, ...]) -> bool:
    """Whether a problem names this field already, a part of it, or the object that it stands in."""
    told = [one.pointer for one in problems]
    return any(f"{one}/".startswith(f"{pointer}/") or f"{pointer}/".startswith(f"{one}/") for one in told)
