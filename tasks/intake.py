"""The way in for other services: `tnimport.submit_import`, with the fields of the HTTP body as keyword arguments."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

import structlog
from celery import Celery, Task
from sqlalchemy.exc import OperationalError

from tasks.parts import Parts
from tasks.showing import Submission, shown
from tnimport.contract import Task as TaskName
from tnimport.domain.accounts import Account
from tnimport.intake import keys
from tnimport.intake.accept import InProgress, KeyConflict, accept
from tnimport.intake.payload import from_object
from tnimport.intake.problems import Problem, Refused, problem
from tnimport.ledger.reading import reads

_log: Final = structlog.get_logger("intake")
RETRY_SECONDS: Final = 5
KEY_ROOM: Final = 255  # a longer client_ref is refused; its refusal is kept under the task id
KEYWORDS_ONLY: Final = problem(
    "invalid_value",
    detail="The task takes keyword arguments only.",
    fix='Send kwargs={"numbers": [...]} with the options beside it, and no args.',
)
RETRIES: Final = 120  # ten minutes of a ledger that is away; then the sender's message is given up, and says so


def register_intake(app: Celery, parts: Callable[[], Parts]) -> None:
    """Make `submit_import` a task of the app."""

    @app.task(name=TaskName.SUBMIT_IMPORT.value, bind=True, shared=False, max_retries=RETRIES, Request=Submission)  # type: ignore[untyped-decorator]  # celery publishes no types
    def submit_import(self: Task, *positional: Any, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - the caller's JSON
        try:
            return submit(parts(), fields, task_id=str(self.request.id), positional=bool(positional))
        except (OperationalError, InProgress) as error:
            # The one message whose content is nowhere but in the broker: it is kept there until the ledger has it.
            away = _Away(type(error).__name__)
            raise self.retry(exc=away, countdown=RETRY_SECONDS, kwargsrepr=shown(fields)) from None


class _Away(Exception):
    """The ledger could not take the import; the text names no content."""


def submit(parts: Parts, fields: Mapping[str, Any], *, task_id: str, positional: bool = False) -> dict[str, Any]:
    """Accept the import, or keep the reasons where the sender can find them; a redelivery makes no second import.

    `positional` tells that the message holds positional arguments too, which is refused: they have no names.
    """
    client_ref = fields.get("client_ref")
    referred = isinstance(client_ref, str) and 0 < len(client_ref) <= KEY_ROOM
    key = keys.of_client_ref(str(client_ref)) if referred else keys.of_task(task_id)
    accounts: dict[str, Account] = {name: access.account for name, access in parts.accounts.items()}
    if positional:
        return _refused(parts, key, [asdict(KEYWORDS_ONLY)])
    try:
        submission = from_object(fields, accounts)
        accepted = accept(
            parts.ledger, submission.request, submission.rows, key=key, fingerprint=submission.fingerprint
        )
    except Refused as refused:
        return _refused(parts, key, [asdict(one) for one in refused.problems])
    except KeyConflict:
        conflict = Problem(
            pointer="/client_ref",
            code="key_conflict",
            detail="This client_ref was used before, for another import.",
            fix="Use a new client_ref, or send the same import again.",
        )
        return _refused(parts, key, [asdict(conflict)])
    _log.info("import_accepted", import_id=accepted.import_id, replayed=accepted.replayed)
    return {"import_id": accepted.import_id, "replayed": accepted.replayed}


def _refused(parts: Parts, key: str, problems: list[dict[str, Any]]) -> dict[str, Any]:
    reads.remember_refusal(parts.ledger, key, problems)
    _log.warning("import_refused", codes=sorted({one["code"] for one in problems}))
    return {"refused": sorted({one["code"] for one in problems})}
