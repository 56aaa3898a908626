"""(m) Messages that come in by the clock: how long Bandwidth waits for our answer, on both databases.

Each callback is stored, with the commit of the database's defaults, before it is answered; once with nobody to hand it
on to, and once with a receiver, to whom a delivery is owed in the same commit (nobody attempts it here: that is the
workers' work). Latency counts from when a callback was due, so that a service that falls behind is seen to.
"""

import asyncio
import json
import sys
import time
from base64 import b64encode
from urllib.parse import urlsplit

from bench.record import record
from bench.stack import stack
from bench.telephones import size

RATE = 200  # callbacks a second
SECONDS = size(60, 10)
CONNECTIONS = 32
GOAL_MS = 200
SECRET = "bench-callback-secret"  # noqa: S105 - opens nothing but this stack
PATH = "/callbacks/default/messages"
NOWHERE = "http://127.0.0.1:9"
RECEIVER = {"INBOUND_URL": "https://hooks.example/in", "WEBHOOK_SECRET": "whsec_YSBzZWNyZXQgb2YgdGhlIGJlbmNobWFyaw=="}


def measure(database: str, name: str = "inbound", **handed_on: str) -> None:
    """Measure one database; neither the stack's carrier nor the receiver is ever called."""
    settings = {"CALLBACK_SECRET": SECRET, "PUBLIC_URL": NOWHERE, **handed_on}
    with stack(NOWHERE, database=database, workers=0, more=("web",), settings=settings) as running:
        address = running.environment["TNIMPORT_WEB_BIND"]
        asyncio.run(called(address, RATE, "warm"))
        before = running.cpu()["web"]
        late = sorted(asyncio.run(called(address, RATE * SECONDS, "m")))
        used = (running.cpu()["web"] - before) / (RATE * SECONDS)
    half, most, worst = late[len(late) // 2] * 1e3, late[len(late) * 99 // 100] * 1e3, late[-1] * 1e3
    print(
        f"{name}, {database}: median {half:.1f} ms, p99 {most:.1f}, worst {worst:.1f}; {used * 1e3:.2f} ms of CPU each"
    )
    record(f"{name}_p99_{database}", most, goal=f"<= {GOAL_MS}", unit="ms", yardstick=f"{RATE} callbacks a second")


async def called(address: str, count: int, name: str) -> list[float]:
    """Send so many callbacks when they are due; the seconds that each was waited for."""
    due: asyncio.Queue[tuple[float, int]] = asyncio.Queue()
    late: list[float] = []
    callers = [asyncio.create_task(caller(address, due, late, name)) for _ in range(CONNECTIONS)]
    began = time.monotonic()
    for place in range(count):
        await asyncio.sleep(max(0.0, began + place / RATE - time.monotonic()))
        due.put_nowait((began + place / RATE, place))
    await due.join()
    for one in callers:
        one.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    if len(late) != count:
        raise RuntimeError(f"{count - len(late)} of {count} callbacks were not answered 200")
    return late


async def caller(address: str, due: "asyncio.Queue[tuple[float, int]]", late: list[float], name: str) -> None:
    """One connection that is kept."""
    parts = urlsplit(f"//{address}")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    while True:
        at, place = await due.get()
        writer.write(callback(address, f"{name}-{place}"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        await reader.readexactly(length)
        if b" 200 " in head.split(b"\r\n", 1)[0]:
            late.append(time.monotonic() - at)
        due.task_done()


def callback(address: str, message_id: str) -> bytes:
    """A message that comes in, as REST control has it."""
    event = {
        "eventType": "sms",
        "direction": "in",
        "messageId": message_id,
        "messageUri": f"https://api.example/v1/users/u-1/messages/{message_id}",
        "from": "+12065550100",
        "to": "+19195551501",
        "text": "A message of about the usual length, which is some hundred characters with all that people write.",
        "applicationId": "a-1",
        "time": "2026-11-25T16:13:06Z",
        "state": "received",
    }
    body = json.dumps(event).encode()
    basic = b64encode(f"tnimport:{SECRET}".encode()).decode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {basic}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    for one in sys.argv[1:] or ("sqlite", "postgres"):
        measure(one)
        measure(one, "inbound_handed_on", **RECEIVER)
