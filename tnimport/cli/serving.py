"""The commands that run where the service runs: they belong to its checkout and are started there.

This client knows HTTP only; it reads none of the service's settings and imports none of its parts.
"""

import os
import sys
from pathlib import Path

import click

from tnimport.cli.exits import Exit
from tnimport.cli.failure import Failure

_PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(context_settings=_PASSED_ON, short_help="Make, list and revoke keys of the HTTP API.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def keys(arguments: tuple[str, ...]) -> None:
    """Make, list and revoke keys of the HTTP API, where the service runs: `tnimport keys --help`."""
    _become("workers.keys", arguments)


@click.command(context_settings=_PASSED_ON, short_help="Check everything that an import needs.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def doctor(arguments: tuple[str, ...]) -> None:
    """Check everything that an import needs, where the service runs: `tnimport doctor --help`."""
    _become("workers.doctor", arguments)


def _become(module: str, arguments: tuple[str, ...]) -> None:
    """Go on as a module of the service; its exit code is ours."""
    checkout = _checkout(module)
    if sys.stderr.isatty():
        click.echo("Looking …", err=True)  # loading the service takes a second or two
    os.chdir(checkout)  # paths in its settings are meant from there
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell is wanted


def _checkout(module: str) -> Path:
    """The checkout we stand in, else the one that this client was installed from."""
    own = Path(__file__).resolve().parents[2]
    for folder in (*_here_and_above(), own):
        if _holds(folder, module):
            return folder
    raise Failure(
        "This command runs where the service runs: go to its checkout, with its settings in the environment.",
        Exit.USAGE,
    )


def _here_and_above() -> list[Path]:
    try:
        here = Path.cwd()
    except OSError:  # it is gone
        return []
    return [here, *here.parents]


def _holds(folder: Path, module: str) -> bool:
    """Whether the service is in this folder; one that we may not look into does not hold it for us."""
    try:
        return folder.joinpath(*module.split(".")).with_suffix(".py").is_file() and (folder / "config").is_dir()
    except OSError:
        return False
