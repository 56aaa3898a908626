"""(b) The same path against `celery.group`: one Celery task a number, no ledger, nothing that survives a crash.

The yardstick's worker has the pool and the size of ours. Its CPU is that of worker, publisher and Redis.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests
from celery import Celery, group

from bench.carrier import carrier
from bench.latency import threads
from bench.processes import cpu_seconds
from bench.record import record
from bench.telephones import size, ten_digits
from bench.whole_path import measure
from config.local import free_port
from workers.embedded import start

NUMBERS = size(20_000, 2_000)
GOALS = {"sqlite": "<= 0.2", "postgres": "<= 0.25"}
CARRIER, BROKER = (os.environ.get(name, "") for name in ("BENCH_CARRIER", "BENCH_BROKER"))
app = Celery("group", broker=BROKER)
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)
held = threading.local()


@app.task(name="bench.post")  # type: ignore[untyped-decorator]  # celery publishes no types
def post(number: str) -> None:
    """Import one number, over a session that the thread keeps."""
    if not hasattr(held, "session"):
        held.session = requests.Session()
    properties = {"accountId": "9999999", "userName": "wileCoyote", "password": "catchThatBird"}
    value = {
        "number": f"+1{number}",
        "applicationId": "a-1",
        "provider": {"providerName": "bandwidth-dashboard", "properties": properties},
    }
    held.session.post(f"{CARRIER}/v1/users/u-1/phoneNumbers", json=value, auth=("t-1", "s-1"), timeout=30)


def yardstick() -> float:
    """Milliseconds of CPU a number."""
    with tempfile.TemporaryDirectory() as folder, carrier() as url:
        port = free_port()
        broker = start(port, Path(folder))
        environment = os.environ | {"BENCH_CARRIER": url, "BENCH_BROKER": f"redis://127.0.0.1:{port}/0"}
        line = [sys.executable, "-m", "celery", "-A", "bench.celery_group", "worker", "-P", "threads"]
        worker = subprocess.Popen(
            [*line, "-c", str(threads())], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _publish(environment, 100)
            _drain(url, 100)
            before = cpu_seconds([worker.pid, broker.pid])
            publisher = _publish(environment, NUMBERS)
            _drain(url, NUMBERS + 100)
            return (cpu_seconds([worker.pid, broker.pid]) - before + publisher) / NUMBERS * 1e3
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
            broker.terminate()
            broker.wait()


def _publish(environment: dict[str, str], count: int) -> float:
    """Publish a group in a process of its own; returns the CPU seconds of the publishing alone."""
    line = [sys.executable, "-m", "bench.celery_group", "publish", str(count)]
    return float(subprocess.run(line, env=environment, check=True, capture_output=True, text=True).stdout)


def _drain(url: str, count: int) -> None:
    end = time.monotonic() + 600
    while requests.get(f"{url}/calls", timeout=5).json()["numbers"] < count:
        assert time.monotonic() < end, "the group was not worked off"
        time.sleep(0.2)


def main() -> None:
    """Compare on both databases."""
    if sys.argv[1:2] == ["publish"]:
        began = time.process_time()
        group(post.s(number) for number in ten_digits(int(sys.argv[2]))).apply_async()
        print(time.process_time() - began)
        return
    for database, goal in GOALS.items():
        before = yardstick()
        ours = measure(database, size(100_000, 8_000))
        each = (before + yardstick()) / 2
        print(f"a task a number: {each:.3f} ms; ours on {database}: {ours:.3f} ms")
        record(f"group_{database}", ours / each, goal=goal, unit="ratio", yardstick="celery.group, one task a number")


if __name__ == "__main__":
    main()
