"""`tnimport import` and `tnimport remove`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from tnimport.cli.exits import FINISHED, Exit, for_import
from tnimport.cli.failure import Failure
from tnimport.cli.options import import_options, json_option, removal_options, wait_options
from tnimport.cli.problems import note
from tnimport.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Mapping

_HARMLESS = "The same command again starts nothing twice."
_UNKNOWN = "See `tnimport status` whether it was accepted before you submit it again."
FORMATS = click.Choice(["csv", "txt", "json", "ndjson"])


def _input_options(command: Any) -> Any:  # noqa: ANN401 - a decorator of click commands
    for decorate in (
        click.option("--again", is_flag=True, help="Submit anew what was submitted before."),
        click.option("--wait", is_flag=True, help="Watch it to its end and print the report."),
        click.option("--format", "given_format", type=FORMATS, help="What the input is, if its name does not tell."),
        wait_options,
        json_option,
        click.argument("file", type=click.Path(allow_dash=True)),
    ):
        command = decorate(command)
    return command


@click.command("import")
@import_options
@_input_options
def import_(**values: Any) -> None:  # noqa: ANN401 - click hands over one value per option
    """Import the numbers in FILE (`-` is standard input; csv, txt, json, ndjson, each also gzipped)."""
    sys.exit(_submitted(values, {}))


@click.command()
@removal_options
@_input_options
def remove(**values: Any) -> None:  # noqa: ANN401 - as in import_
    """Remove the numbers in FILE: the same as import, the other way round."""
    sys.exit(_submitted(values, {"action": "REMOVE"}))


def _submitted(values: dict[str, Any], fixed: dict[str, str]) -> int:
    from tnimport.cli.source import opened  # noqa: PLC0415 - --help needs none of it
    from tnimport.cli.submitting import options_given, submit  # noqa: PLC0415 - as above
    from tnimport.cli.watching import announce, watch_to_the_end  # noqa: PLC0415 - as above

    file, as_json, wait = values.pop("file"), values.pop("as_json"), values.pop("wait")
    again, patience, timeout = values.pop("again"), values.pop("patience"), values.pop("timeout")
    given_format = values.pop("given_format")
    with session(as_json=as_json, submitting=True) as api, opened(file, given_format) as source:
        if sys.stderr.isatty():
            note(f"Sending {file} to {api.address.url} …")
        try:
            answer = submit(api, source, options_given(values) | fixed, again=again, patience=patience)
        except KeyboardInterrupt:
            raise Failure(f"Interrupted. {_HARMLESS if not again else _UNKNOWN}", Exit.OUR_ERROR) from None
        view = answer.view()
        announce(view, replayed=answer.headers.get("idempotent-replayed") == "true")
    with session(as_json=as_json) as api:
        if wait:
            return watch_to_the_end(api, view["id"], as_json=as_json, patience=patience, timeout=timeout)
    click.echo(json.dumps(view) if as_json else view["id"])
    code = _so_far(view)
    if code is Exit.SOME_FAILED:
        note(f"It has ended ({view['state']}), and not all of its rows work. Why: tnimport failures {view['id']}")
    elif code is Exit.REFUSED:
        note("There was no row in it: nothing was to be done.")
    elif not as_json:
        note(f"See it: tnimport watch {view['id']}")
    return code


def _so_far(view: Mapping[str, Any]) -> Exit:
    """How an import stands that was just accepted: it may have ended at once, or was submitted before."""
    if view["state"] not in FINISHED:
        return Exit.DONE
    return for_import(view) if view["counts"]["rows"] else Exit.REFUSED
