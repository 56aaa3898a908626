"""`tnimport`: bulk imports of telephone numbers from the command line."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

import click

from tnimport.cli import acting, completing, explaining, importing, looking, sending, serving, webhooks
from tnimport.cli.exits import Exit
from tnimport.cli.failure import Failure


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "The API is looked for at TNIMPORT_URL (http://127.0.0.1:8080), with the key in TNIMPORT_API_KEY. "
        "Exit codes: 0 all done, 1 our error, 2 usage, 3 not found, 4 account or configuration fault, "
        "5 still running, 7 rate limited, 8 finished but some numbers failed or were not proven, 9 input refused."
    ),
)
@click.version_option(package_name="tnimport")
def cli() -> None:
    """Import telephone numbers in bulk and see what became of every single one."""


for command in (
    importing.import_,
    importing.remove,
    looking.watch,
    looking.status,
    explaining.failures,
    acting.pause,
    acting.resume,
    acting.cancel,
    sending.send,
    webhooks.webhooks,
    webhooks.replay,
    serving.doctor,
    serving.keys,
    completing.completion,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; never returns."""
    # An encoding that lacks a character must not end a report.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        cli(prog_name="tnimport")
    except Failure as failure:
        sys.exit(_told(failure))
    except OSError as fault:
        sys.exit(_broken(fault))


def _told(failure: Failure) -> int:
    """Say why it ends; the exit code."""
    try:
        click.echo(failure.message, err=True)
        if failure.as_json:
            click.echo(json.dumps(failure.document()))
    except OSError as fault:
        return _broken(fault)
    return failure.exit_code


def _broken(fault: OSError) -> int:
    """Say that an output or a file failed us, as a full disk does; the exit code."""
    with suppress(OSError):
        click.echo(f"Reading or writing failed: {fault.strerror or fault}.", err=True)
    # What is still in the buffers cannot be written either, and would be complained of once more at the end.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return Exit.OUR_ERROR
