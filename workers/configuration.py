"""The settings of a process, or all their problems at once and exit code 4. Loads nothing that only some need."""

import os
import sys
from typing import Final, NoReturn

from config.reading import SettingsProblem
from config.settings import Settings, load

EXIT_CONFIGURATION: Final = 4


def settings_or_exit(*, accounts_needed: bool = True) -> Settings:
    """The settings; a process with wrong or missing ones prints every problem and does not start."""
    try:
        return load(os.environ, accounts_needed=accounts_needed)
    except SettingsProblem as problem:
        refuse_to_start(str(problem))


def refuse_to_start(why: str) -> NoReturn:
    """Say why, and exit with the code of what a person must mend first."""
    sys.stderr.write(f"{why}\n")
    raise SystemExit(EXIT_CONFIGURATION)
