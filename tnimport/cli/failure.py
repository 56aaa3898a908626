"""The one exception by which a command ends early."""

from dataclasses import dataclass

from tnimport.cli.exits import Exit


@dataclass
class Failure(Exception):
    """Ends the command: `message` goes to standard error as it is, `exit_code` to the caller."""

    message: str
    exit_code: Exit
