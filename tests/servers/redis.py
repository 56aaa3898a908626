"""The real Redis-protocol server: `redis_url`, empty for every test."""

import socket
from collections.abc import Iterator

import pytest

from config.local import free_port
from workers import embedded


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that runs for the whole session."""
    port = free_port()
    process = embedded.start(port, tmp_path_factory.mktemp("redis"), "--appendonly", "no")
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def redis_url(redis_server: int) -> str:
    """The URL of a server that holds nothing."""
    with socket.create_connection(("127.0.0.1", redis_server), timeout=5) as connection:
        connection.sendall(b"FLUSHALL SYNC\r\n")
        assert connection.recv(16).startswith(b"+OK")
    return f"redis://127.0.0.1:{redis_server}/0"
