"""Measures how many POST phoneNumbers a second the sandbox answers on one core.

The sandbox runs in a process of its own; the client keeps several calls in flight on each of a few connections. The
yardstick is the goal of 3,000 calls a second. Both processes may share one core, so the CPU time of the sandbox alone
is printed beside the wall-clock rate.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
IN_FLIGHT = 32
GOAL = 3_000


@contextmanager
def sandbox() -> Iterator[tuple[int, str]]:
    environment = os.environ | {"SANDBOX_PORT": "0", "SANDBOX_RATE_LIMITS": "0", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox"], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield process.pid, process.stdout.readline().split()[3]
    finally:
        process.terminate()
        process.wait(10)


def call(url: str, method: str, path: str, body: object, headers: dict[str, str]) -> str:
    connection = HTTPConnection(urlsplit(url).netloc)
    connection.request(method, path, json.dumps(body), headers)
    response = connection.getresponse()
    response.read()
    assert response.status < 300, response.status
    return response.headers.get("Location", "")


def ordinary_numbers() -> list[str]:
    """Numbers outside of the block that provokes things."""
    numbers = (f"919{2_000_000 + number}" for number in range(NUMBERS * 2))
    return list(islice((one for one in numbers if one[-4:-2] != "09"), NUMBERS))


def requests(application: str, host: str, token: str) -> Iterator[bytes]:
    properties = {"accountId": "9999999", "userName": "wileCoyote", "password": "catchThatBird"}
    provider = {"providerName": "bandwidth-dashboard", "properties": properties}
    for number in ordinary_numbers():
        body = {"number": f"+1{number}", "applicationId": application, "provider": provider}
        text = json.dumps(body).encode()
        head = (
            f"POST /v1/users/u-1/phoneNumbers HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        yield head.encode() + text


def drive(host: str, waiting: list[bytes]) -> dict[bytes, int]:
    """Keep IN_FLIGHT requests on the wire until all are answered; the statuses and how often each came."""
    name, _, port = host.partition(":")
    statuses: dict[bytes, int] = {}
    with socket.create_connection((name, int(port))) as connection:
        flying, rest = 0, b""
        while waiting or flying:
            batch = [waiting.pop() for _ in range(min(len(waiting), IN_FLIGHT - flying))]
            connection.sendall(b"".join(batch))
            flying += len(batch)
            received = connection.recv(262_144)
            assert received, "the sandbox ended the connection"
            *answers, rest = (rest + received).split(b"\r\n\r\n")
            for answer in answers:
                statuses[answer[9:12]] = statuses.get(answer[9:12], 0) + 1
            flying -= len(answers)
    return statuses


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    token = base64.b64encode(b"t-1:s-1").decode()
    authorization = {"Authorization": f"Basic {token}"}
    with sandbox() as (pid, url):
        host = urlsplit(url).netloc
        call(url, "POST", "/control/in-service", {"numbers": ordinary_numbers()}, {})
        wanted = {"name": "bench", "incomingMessageUrl": "http://127.0.0.1:9/"}
        application = call(url, "POST", "/v1/users/u-1/applications", wanted, authorization).rpartition("/")[2]
        waiting = list(requests(application, host, token))
        cpu, start = cpu_seconds(pid), time.perf_counter()
        statuses = drive(host, waiting)
        wall, cpu = time.perf_counter() - start, cpu_seconds(pid) - cpu
    print(f"{NUMBERS} POST phoneNumbers: {NUMBERS / wall:,.0f}/s by the clock, {NUMBERS / cpu:,.0f}/s of the core")
    print(f"goal {GOAL:,}/s; statuses { ({key.decode(): count for key, count in statuses.items()}) }")
    assert statuses == {b"201": NUMBERS}


if __name__ == "__main__":
    main()
