"""A broker behind TLS, and one that Sentinel finds: the same configuration, on real connections."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from config.celery import celery_config
from config.local import free_port
from config.settings import load
from workers import embedded

CERTIFICATE = Path(__file__).parents[1] / "bandwidth" / "tls" / "server.pem"


def app_for(url: str) -> Celery:
    app = Celery("test", set_as_current=False)
    app.conf.update(celery_config(load({"TNIMPORT_REDIS_URL": url}, accounts_needed=False)))
    return app


def round_trip(url: str) -> str:
    """Send a task and receive it; the name of the task that came."""
    with app_for(url) as app, app.connection_for_write() as connection:
        app.send_task("tnimport.poll_order", kwargs={"work": 1}, connection=connection)
        message = connection.SimpleQueue(app.conf.task_queues[1]).get(timeout=10)
        message.ack()
        return str(message.headers["task"])


@pytest.fixture
def tls_port(redis_url: str) -> Iterator[int]:
    """A port where TLS is spoken in front of the session's server: the one in the wheel has none of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    behind = int(redis_url.rpartition(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, context, behind), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, context: ssl.SSLContext, behind: int) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listening.accept()
            threading.Thread(target=_bridge, args=(plain, context, behind), daemon=True).start()


def _bridge(plain: socket.socket, context: ssl.SSLContext, behind: int) -> None:
    """One thread a connection: what has come is passed on, in turns of a few milliseconds."""
    with (
        suppress(OSError),
        context.wrap_socket(plain, server_side=True) as near,
        socket.create_connection(("127.0.0.1", behind)) as far,
    ):
        near.settimeout(0.005)
        far.settimeout(0.005)
        while _passed(near, far) and _passed(far, near):
            pass


def _passed(source: socket.socket, target: socket.socket) -> bool:
    try:
        data = source.recv(65536)
    except TimeoutError:
        return True
    target.settimeout(5)
    target.sendall(data)
    target.settimeout(0.005)
    return bool(data)


def test_a_broker_behind_tls_is_used_when_its_authority_is_named(tls_port: int) -> None:
    url = f"rediss://127.0.0.1:{tls_port}/0?ssl_ca_certs={CERTIFICATE}"
    assert round_trip(url) == "tnimport.poll_order"


def test_a_broker_whose_certificate_nobody_vouches_for_is_refused(tls_port: int) -> None:
    with pytest.raises(OperationalError, match=r"(?i)certificate"):
        round_trip(f"rediss://127.0.0.1:{tls_port}/0")


@pytest.fixture
def sentinels(redis_server: int, tmp_path: Path) -> Iterator[list[int]]:
    """Two Sentinels that know the session's server as `tnimport`."""
    running = []
    for port in (free_port(), free_port()):
        folder = tmp_path / str(port)
        folder.mkdir()
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor tnimport 127.0.0.1 {redis_server} 2\n"
        )
        with (folder / "log").open("wb") as log:
            command = [embedded.find_server(), str(file), "--sentinel"]
            running.append((port, subprocess.Popen(command, stdout=log, stderr=log)))
    for port, process in running:
        embedded.wait_until_answers(port, process)
    yield [port for port, _ in running]
    for _, process in running:
        process.kill()
        process.wait()


def test_sentinel_tells_where_the_broker_is_also_when_the_first_one_is_gone(
    sentinels: list[int], redis_url: str, free_port: int
) -> None:
    here = [f"sentinel://127.0.0.1:{port}" for port in (free_port, *sentinels)]
    assert round_trip(f"{';'.join(here)}/0?master_name=tnimport") == "tnimport.poll_order"
