"""Flower as a process: who may look, that nobody may touch, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "celery", "-A", "workers.app", "flower", "--conf=config/flower.py"]
AUTH = ("ops", "canary-password")


@pytest.fixture
def url(redis_url: str, free_port: int, environ: dict[str, str]) -> str:
    """The address that the Flower of this test is to have; its other settings are in `environ`."""
    environ |= {"TNIMPORT_REDIS_URL": redis_url, "TNIMPORT_FLOWER_BIND": f"127.0.0.1:{free_port}"}
    return f"http://127.0.0.1:{free_port}"


@pytest.fixture
def flower(
    url: str, environ: dict[str, str], tmp_path: Path, until: Callable[..., None]
) -> Iterator[subprocess.Popen[bytes]]:
    """A Flower with a password."""
    log = tmp_path / "flower.log"
    with log.open("wb") as out:
        environ = os.environ | environ | {"TNIMPORT_FLOWER_AUTH": ":".join(AUTH)}
        process = subprocess.Popen(COMMAND, env=environ, stdout=out, stderr=out)
    try:
        until(lambda: answers(f"{url}/healthcheck") or process.poll() is not None, "Flower answers")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()
    assert "canary" not in log.read_text()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def test_it_asks_for_the_password_shows_everything_with_it_lets_nobody_act_and_stops_at_sigterm(
    url: str, flower: subprocess.Popen[bytes]
) -> None:
    for page in ("/", "/tasks", "/workers", "/broker", "/api/tasks"):
        assert requests.get(url + page, timeout=20).status_code == 401
        assert requests.get(url + page, auth=(AUTH[0], "wrong"), timeout=20).status_code == 401
        assert requests.get(url + page, auth=AUTH, timeout=20).status_code == 200
    for action in ("worker/shutdown/celery@any", "task/async-apply/tnimport.submit_import", "task/revoke/any"):
        answer = requests.post(f"{url}/api/{action}", auth=AUTH, headers={"Origin": url}, json={}, timeout=20)
        assert answer.status_code == 403
        assert "read" in answer.text.lower()
    flower.send_signal(signal.SIGTERM)
    assert flower.wait(20) == 0


def test_without_a_password_it_does_not_start_where_others_reach_it(environ: dict[str, str]) -> None:
    environ = os.environ | environ | {"TNIMPORT_FLOWER_BIND": "0.0.0.0:5555"}
    done = subprocess.run(COMMAND, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "TNIMPORT_FLOWER_AUTH" in done.stderr
    assert "Traceback" not in done.stderr
