"""`tnimport`: bulk imports of telephone numbers from the command line."""

from __future__ import annotations

import sys

import click

from tnimport.cli import acting, completing, explaining, importing, looking, sending, serving, webhooks
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
        click.echo(failure.message, err=True)
        sys.exit(failure.exit_code)
