"""Whether the numbers of an import can be proven as its caller asks: messages to them have to come to us."""

from collections.abc import Iterator

from tnimport.domain.accounts import Account
from tnimport.domain.callbacks import MESSAGES
from tnimport.domain.life import Action
from tnimport.domain.wishes import Verify
from tnimport.intake.options import Application, ImportOptions
from tnimport.intake.problems import Problem, problem


def proof_problems(options: ImportOptions, account: Account, application: Application | None) -> Iterator[Problem]:
    """Everything that stands against `verify`; nothing where it is not asked for."""
    wanted = Verify(options.verify)
    if options.verify_count is not None and wanted is not Verify.SAMPLE:
        yield problem("not_with_all", "/verify_count")
    if wanted is Verify.NONE:
        return
    if options.action == Action.REMOVE:
        yield problem("not_with_remove", "/verify")
        return
    if account.callback_url is None:
        yield problem("no_callback", "/verify")
    elif application is not None and not _comes_to_us(application, account):
        yield problem("callback_elsewhere", "/verify")
    if options.verify_count == 1 and account.verify_partner is None:
        yield problem("no_partner", "/verify_count")


def _comes_to_us(application: Application, account: Account) -> bool:
    """Ours by its address; of one that is named by its id only the account's own is taken at its word."""
    if application.id:
        return application.id == account.application_id
    return application.incoming_message_url in {None, f"{account.callback_url}{MESSAGES}"}
