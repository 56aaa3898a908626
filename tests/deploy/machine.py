"""A folder that stands for a server, on which the commands of docs/servers.md run as they stand.

The page's absolute places are folders below it. What only a server has (systemd, other users, an editor) is played by
small programs that come first on the PATH; wherever a real tool can work in a folder, or check, they call it.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "servers.md").read_text()
PLACES = ("/opt/tnimport", "/etc", "/var/lib/tnimport")
PLAYED = {
    # Where no package lists are, the names are at least names of packages.
    "apt-get": """command -v dpkg >/dev/null || exit 0
for word; do case $word in -*|install) ;; *) dpkg --validate-pkgname "$word" ;; esac; done
! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || exec /usr/bin/apt-get --simulate "$@" """,
    "useradd": """[ "$(id -u)" != 0 ] || exec /usr/sbin/useradd --prefix "$MACHINE" "$@" """,
    "chown": "",
    "sudo": """shift 2; exec "$@" """,
    # Installed already: pip finds every pin satisfied, or would have to ask a registry, which it may not.
    "python3": """[ "$1 $2" = "-m venv" ] && ln -s "$PROGRAMS" "$3" """,
    "editor": """for file; do [ -s "$file" ] || printf %s "edited-${file##*/}" > "$file"; done""",
    "journalctl": "",
    # No engine here; Debian's docker-compose, where it is installed, judges the file with these variables and secrets.
    "docker": """! command -v docker-compose >/dev/null || exec docker-compose config --quiet""",
    "systemctl": """[ "$1" != enable ] || { shift 2; exec /usr/bin/systemctl --root="$MACHINE" enable "$@"; } """,
}


def blocks(section: str) -> list[str]:
    """The shell blocks of a section of the page."""
    text = PAGE.split(f"\n## {section}\n")[1].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@dataclass
class Machine:
    """The folder, and what was called there."""

    root: Path

    def __post_init__(self) -> None:
        for folder in ("bin", "etc/redis", "etc/systemd/system", "opt", "var/lib/tnimport"):
            (self.root / folder).mkdir(parents=True)
        for name in ("passwd", "group", "shadow", "gshadow"):
            (self.root / "etc" / name).touch()
        for name, script in PLAYED.items():
            self.play(f"bin/{name}", script)

    def play(self, place: str, script: str = "") -> str:
        """Put a program in a place, which writes down how it was called, then does this; returns its name."""
        program = self.root / place
        if program.parent.parent.is_symlink():
            program.parent.parent.unlink()
        program.parent.mkdir(parents=True, exist_ok=True)
        log = f'printf "%s\\n" "{program.name} $*" >> "$MACHINE/calls"'
        program.write_text(f"#!/bin/bash\nset -eu\n{log}\n{script}\n")
        program.chmod(0o755)
        return program.name

    def here(self, text: str) -> str:
        """The page's text with this folder's places."""
        return re.sub(rf"(?<![\w/.])(?=(?:{'|'.join(PLACES)})\b)", str(self.root), text)

    def run(self, text: str, folder: Path | None = None, entered: str = "", **environ: str) -> str:
        """Run a block of the page and return what it printed; a command that fails ends it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TNIMPORT_", "COV"))}
        own = {
            "MACHINE": str(self.root),
            "PROGRAMS": str(Path(sys.executable).parents[1]),
            "REAL": kept["PATH"],
            "PATH": f"{self.root / 'bin'}:{kept['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_DRY_RUN": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONWARNINGS": "ignore",
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(text)],
            cwd=folder or self.root,
            env=kept | own | environ,
            input=entered,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            start_new_session=True,  # no terminal: a program that asks for a password reads what was entered
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def calls(self) -> list[str]:
        """Every call of a program that is played."""
        return (self.root / "calls").read_text().splitlines()
