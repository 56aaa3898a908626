"""Flower's options, read by `celery -A workers.app flower --conf=config/flower.py`: look, do not touch."""

import ast
import os
import re
from typing import TYPE_CHECKING, Any

from config.settings import load

if TYPE_CHECKING:
    from celery.events.state import Task

_settings = load(os.environ, accounts_needed=False)

address, port = _settings.flower_address
basic_auth = [_settings.flower_auth.get_secret_value()] if _settings.flower_auth else []
# Through its write API anyone could send tasks or stop workers.
read_only = True
# kwargs and results hold ids and counts, and are what one looks for; the default hides them.
tasks_columns = "name,state,retries,kwargs,result,runtime,received,started,worker,uuid"
# About 4 KB each. Flower shows the present; history is the ledger's.
max_tasks = 20_000
persistent = False
# As the event of a retry writes the reason that tasks/claims.py gives.
WAITS = re.compile(r"""Waits\((['"])(.*?)\1\)""")


def format_task(task: "Task") -> "Task":
    """Make the texts of a row short enough to be read there; what one searches for stays as it was sent."""
    task.kwargs = _read(task.kwargs, bare={"import_id"})
    # While something is waited for, the reason is worth more than an empty cell.
    waits = WAITS.search(task.exception or "") if task.state == "RETRY" else None
    task.result = waits[2] if waits else _read(task.result)
    return task


def _read(text: str | None, bare: "set[str] | frozenset[str]" = frozenset()) -> str | None:
    """The text of a dictionary as words, without what is empty; any other text as it is."""
    try:
        values: dict[str, Any] = dict(ast.literal_eval(text or ""))
    except (ValueError, SyntaxError, TypeError):
        return text
    return ", ".join(
        str(value) if name in bare else f"{name} {value}" for name, value in values.items() if value not in (None, "")
    )
