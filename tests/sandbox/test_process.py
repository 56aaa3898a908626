import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox.settings import read_settings

ROOT = Path(__file__).parents[2]


def start(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SANDBOX_PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_once_that_it_is_ready_and_ends_cleanly(number: signal.Signals) -> None:
    with start() as process:
        line = process.stdout.readline()
        assert line.startswith("sandbox ready at http://127.0.0.1:")
        connection = HTTPConnection(line.split()[3].removeprefix("http://"), timeout=60)
        connection.request("GET", "/control/switches")
        assert connection.getresponse().status == 200
        process.send_signal(number)
        assert process.wait(60) == 0
        connection.close()
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_a_port_that_is_taken_is_said() -> None:
    with start() as first:
        port = first.stdout.readline().split()[3].rpartition(":")[2]
        with start(SANDBOX_PORT=port) as second:
            assert second.wait(60) == 1
            assert f"cannot listen on 127.0.0.1:{port}" in second.stderr.read()
        first.terminate()
        first.wait(60)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SANDBOX_PORT", "many", "SANDBOX_PORT must be a number"),
        ("SANDBOX_PROT", "1", "no such setting: SANDBOX_PROT"),
        ("SANDBOX_SHAPE", "C", "shape: must be one of A, B"),
    ],
)
def test_a_setting_that_does_not_fit_is_said(name: str, value: str, problem: str) -> None:
    with start(**{name: value}) as process:
        assert process.wait(60) == 2
        assert problem in process.stderr.read()


def test_the_documented_defaults() -> None:
    settings = read_settings({})
    first = settings.accounts[0]
    assert (settings.host, settings.port) == ("127.0.0.1", 8900)
    assert (first.account_id, first.username, first.user_id, first.token) == ("9999999", "wileCoyote", "u-1", "t-1")
    assert first.site("743").default_peer.peer_id == "303716"
    assert len(first.sites) > 1
    assert "catchThatBird" not in repr(settings)
    assert "s-1" not in repr(settings)


def test_settings_come_from_the_environment() -> None:
    settings = read_settings({"SANDBOX_ACCOUNT_ID": "1", "SANDBOX_SITE_ID": "5", "SANDBOX_NUMBERS_PER_MINUTE": "0"})
    assert settings.accounts[0].account_id == "1"
    assert settings.accounts[0].site("5")
    assert settings.switches.numbers_per_minute == 0


def test_another_project_gets_a_fixture(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sandbox.pytest_plugin"]\n')
    (tmp_path / "test_it.py").write_text(
        "def test_first(sandbox):\n"
        "    sandbox.put_in_service(['9195550001'])\n"
        "    sandbox.switch(shape='B')\n"
        "def test_second(sandbox):\n"
        "    state = sandbox.state('dashboards', 'switches')\n"
        "    assert state['dashboards']['9999999']['numbers'] == {}\n"
        "    assert state['switches']['shape'] == 'A'\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        check=False,
        text=True,
        capture_output=True,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
