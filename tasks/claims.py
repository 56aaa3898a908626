"""The one place where steps meet Celery: takes the claim, runs the step, turns its answer into Celery's words.

Nothing is re-queued here. A step that is to run again is due again in the ledger, and the dispatcher publishes it under
the same task id; Celery's RETRY is how Flower shows it, one row for all looks at one order.
"""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final, Unpack

import structlog
from celery import Celery, Task
from celery.exceptions import Retry
from sqlalchemy.exc import OperationalError

from tasks.parts import Access, Job, Parts
from tasks.results import Later, Result
from tnimport.contract import Payload
from tnimport.contract import Task as TaskName
from tnimport.ledger.claims import work
from tnimport.ledger.claims.work import ClaimLost, Run

Step = Callable[[Job], Result]

_log: Final = structlog.get_logger("tasks")
NOT_OURS: Final = {"skipped": "the claim is not there to be taken"}
NO_WORK: Final = {"skipped": "the message names no work"}
LOST: Final = {"skipped": "the claim ran out"}
LEDGER_AWAY: Final = {"skipped": "the ledger cannot be reached"}
NO_ACCOUNT: Final = "account_not_configured"
NO_ACCOUNT_SECONDS: Final = 5.0


class Waits(Exception):
    """Why a step is looked at again later: the one text of a retry that Celery's events, and so Flower, carry."""


def register(app: Celery, parts: Callable[[], Parts], name: TaskName, step: Step) -> None:
    """Make a step a Celery task; `parts` is asked for when the first message arrives."""

    # Not shared: another app of this process has tasks of its own, with parts of its own.
    @app.task(name=name.value, bind=True, shared=False)  # type: ignore[untyped-decorator]  # celery publishes no types
    def run(self: Task, *_: object, **payload: Unpack[Payload]) -> dict[str, Any]:
        if not _names_work(payload):
            _log.warning("message_without_work", task=self.name)
            return NO_WORK
        return _run(self, parts(), step, payload)


def _names_work(payload: Mapping[str, object]) -> bool:
    """Whether the message is one of the dispatcher's; what else comes under such a name is nobody's."""
    return isinstance(payload.get("work"), int) and isinstance(payload.get("serial"), int)


def _run(task: Task, parts: Parts, step: Step, payload: Payload) -> dict[str, Any]:
    began = monotonic()
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in payload.items() if v is not None}):
        try:
            taken = work.take(parts.ledger, payload["work"], payload["serial"], parts.claim_seconds)
            if taken is None:
                return NOT_OURS
            access = parts.accounts.get(taken.account)
            if access is None:
                return _answer(task, _postponed(task, parts, taken))
            return _answer(task, step(_job(task, parts, taken, access, began)))
        except ClaimLost:
            _log.warning("claim_lost", task=task.name)
            return LOST
        except OperationalError as error:
            # The claim expires and the work is started again; what the carrier did is found out then.
            _log.warning("ledger_unreachable", task=task.name, error=type(error.orig).__name__)
            return LEDGER_AWAY


def _postponed(task: Task, parts: Parts, run: Run) -> Result:
    """The dispatcher has an account that we lack: while accounts change, the work is for a worker that has it."""
    work.postpone(parts.ledger, run, NO_ACCOUNT_SECONDS)
    _log.warning(NO_ACCOUNT, task=task.name, account=run.account)
    return Later(NO_ACCOUNT, NO_ACCOUNT_SECONDS)


def _job(task: Task, parts: Parts, run: Run, access: Access, began: float) -> Job:
    def progress(text: str) -> None:
        task.send_event("task-progress", result=text)

    deadline = began + parts.claim_seconds
    return Job(parts=parts, run=run, access=access, deadline=deadline, progress=progress)


def _answer(task: Task, result: Result) -> dict[str, Any]:
    if isinstance(result, Later):
        _log.info("step_waits", task=task.name, why=result.message, seconds=round(result.seconds, 3))
        raise Retry(result.message, exc=Waits(result.message), when=result.seconds)
    _log.info("step_done", task=task.name, **result.counts)
    return dict(result.counts)
