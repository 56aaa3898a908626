"""Units as systemd reads them."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
COMMON = UNITS / "tnimport-.service.d" / "common.conf"


def settings_in(*paths: Path) -> dict[str, list[str]]:
    """Every setting of a unit, or of a file of variables, with all its values: systemd allows several."""
    found: dict[str, list[str]] = {}
    for path in paths:
        for line in path.read_text().splitlines():
            if re.match(r"[A-Z]\w+=", line):
                name, value = line.split("=", 1)
                found.setdefault(name, []).append(value)
    return found


class Unit:
    """A service as systemd would start it, with this checkout for /opt/tnimport."""

    def __init__(self, name: str, credentials: Path, variables: Path) -> None:
        prefix, _, instance = name.partition("@")
        file = UNITS / f"tnimport-{prefix}{'@' if instance else ''}.service"
        self._settings = settings_in(COMMON, file)
        given = dict(value.split("=", 1) for value in self._settings["Environment"])
        group = UNITS / f"worker-{instance}.env"
        files = [variables, *([group] if group.exists() else [])]
        given |= {key: values[-1] for key, values in settings_in(*files).items()}
        names = {"%d": str(credentials), "%i": instance, "%%": "%", "/opt/tnimport/.venv/bin": str(_programs())}
        self.environment = {key: _replaced(value, names) for key, value in given.items()}
        command = re.sub(r"\$\{(\w+)\}", lambda found: self.environment[found[1]], self._settings["ExecStart"][0])
        self.command = shlex.split(_replaced(command, names))

    @property
    def credentials(self) -> set[str]:
        """The names under which secrets are handed over."""
        return {value.partition(":")[0] for value in self._settings["LoadCredential"]}


def _programs() -> Path:
    return Path(sys.executable).parent


def _replaced(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, names)), lambda found: names[found[0]], text)


@pytest.fixture
def settings_of() -> Callable[..., dict[str, list[str]]]:
    """Read settings of units and files of variables."""
    return settings_in


@pytest.fixture
def unit() -> Callable[[str, Path, Path], Unit]:
    """A service by name, as systemd starts it with these folders of credentials and this file of variables."""
    return Unit
