"""Watching one import to its end and giving the final account of it."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from tnimport.cli import exits
from tnimport.cli.causes import gather, rows_to_explain, rows_unproven
from tnimport.cli.exits import Exit
from tnimport.cli.failure import Failure
from tnimport.cli.follow import follow
from tnimport.cli.lines import Lines
from tnimport.cli.problems import note
from tnimport.cli.report import balances, report
from tnimport.cli.topcauses import TopCauses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tnimport.cli.api import Api
    from tnimport.cli.live import Screen


def watch_to_the_end(
    api: Api,
    import_id: str,
    *,
    as_json: bool,
    patience: float,
    timeout: float | None,
) -> Exit:
    """Show progress until the import ends, print the account of it, and tell the exit code.

    An interrupt or the end of `timeout` (seconds) stops the watching only, with the command to come back.
    """
    try:
        view = _watched(api, import_id, patience, timeout)
    except KeyboardInterrupt:
        raise Failure(f"Stopped watching; the import goes on. {_way_back(import_id)}", Exit.STILL_RUNNING) from None
    except Failure as failure:
        raise Failure(f"{failure.message} {_way_back(import_id)}", failure.exit_code, failure.problem) from None
    return conclude(api, view, as_json=as_json)


def conclude(api: Api, view: Mapping[str, Any], *, as_json: bool) -> Exit:
    """Print the account of an import that has ended or is held; the exit code says how."""
    if as_json:
        click.echo(json.dumps(view))
    elif view["state"] == "held":
        click.echo(_held(view))
    else:
        click.echo(report(view, gather(rows_to_explain(api, view))))
    if not balances(view):
        return Exit.OUR_ERROR
    unproven = view["state"] == "complete" and next(rows_unproven(api, view), None) is not None
    return exits.for_import(view, unproven=unproven)


def _watched(api: Api, import_id: str, patience: float, timeout: float | None) -> Mapping[str, Any]:
    deadline = None if timeout is None else time.monotonic() + timeout
    view: Mapping[str, Any] = {}
    with _progress(api) as progress:
        for sight in follow(api, import_id, patience=patience, deadline=deadline):
            progress.show(sight)
            view = sight.view
    return view


def _progress(api: Api) -> Lines | Screen:
    if not sys.stderr.isatty() or os.environ.get("TERM") in {None, "dumb"}:
        return Lines()
    from tnimport.cli.live import Screen  # noqa: PLC0415 - 60 ms of rich that only a terminal needs

    return Screen(TopCauses(api))


def _way_back(import_id: str) -> str:
    return f"Come back with: tnimport watch {import_id}"


def _held(view: Mapping[str, Any]) -> str:
    held = view.get("held") or {}
    return (
        f"Import {view['id']} is held: {held.get('code', 'account fault')}\n"
        f"  {held.get('instruction', 'The account needs a person.')}\n"
        f"When that is done: tnimport resume {view['id']}"
    )


def announce(view: Mapping[str, Any], *, replayed: bool) -> None:
    """Say on standard error what was accepted, or that it had been accepted before."""
    if replayed:
        note(
            f"This input was submitted before as import {view['id']} ({view['state']}); "
            "nothing new was started. --again submits it anew.",
        )
    else:
        note(f"Accepted as import {view['id']}.")
