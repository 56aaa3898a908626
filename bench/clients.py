"""What our clients cost per imported number, each as a ratio against a yardstick taken in the same run.

1. Building the request and reading the answer, no socket: goal ≤ 0.1 ms together.
2. The whole call, CPU of this process, against `requests.Session.send` of one request prepared beforehand (which
   builds nothing, reads nothing, and has no total deadline), and against `requests.Session.post`.
3. Reading a finished order of 1,000 numbers.

The carrier is a bare socket in a process of its own. Run: python bench/clients.py
"""

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable

import requests

from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.externaltns import read_order
from tnimport.bandwidth.transport import Transport

ROUNDS, CALLS = 40, 50
LOCATION = "https://api.catapult.inetwork.com/v1/users/u-1/phoneNumbers/n-bench"
ANSWER = (
    f"HTTP/1.1 201 Created\r\nLocation: {LOCATION}\r\nContent-Type: application/json\r\nContent-Length: 0\r\n"
    "Cache-Control: no-cache\r\nServer: Jetty(8.1.10.v20130312)\r\n\r\n"
).encode()
REPLY = Reply(201, {"location": LOCATION, "content-type": "application/json", "content-length": "0"}, b"")
DASHBOARD = DashboardCredentials(account_id="9999999", username="wileCoyote", password="catchThatBird")  # noqa: S106 - of the sandbox
CATAPULT = CatapultCredentials(user_id="u-1", token="t-1", secret="s-1")  # noqa: S106 - of the sandbox


def serve(port: "multiprocessing.Queue[int]") -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port.put(listener.getsockname()[1])
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def answer(peer: socket.socket) -> None:
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    while data := peer.recv(65536):
        waiting += data
        head, end, rest = waiting.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if end and len(rest) >= length:
            waiting = rest[length:]
            peer.sendall(ANSWER)


class Canned:
    """Answers every request at once, so that only building and reading are measured."""

    def send(self, request: Request, _: float) -> Reply:  # noqa: ARG002 - the protocol's
        """Return an answer of success."""
        return REPLY


def cpu(work: Callable[[], object], calls: int = CALLS) -> float:
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls * 1e3


def compare(**works: Callable[[], object]) -> dict[str, float]:
    """Return the least CPU milliseconds of each; they take turns, so that a busy machine hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name].append(cpu(work))
    return {name: min(taken) for name, taken in times.items()}


def order_of(size: int) -> Reply:
    numbers = "".join(f"<TelephoneNumber>919{place:07}</TelephoneNumber>" for place in range(size))
    body = f"<ExternalTnsOrder><OrderId>o</OrderId><ProcessingStatus>COMPLETE</ProcessingStatus><Order>\
<TelephoneNumbers>{numbers}</TelephoneNumbers></Order></ExternalTnsOrder>"
    return Reply(200, {"content-type": "application/xml"}, body.encode())


def main() -> None:
    queue: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(queue,), daemon=True)
    server.start()
    base = f"http://127.0.0.1:{queue.get()}/v1"
    try:
        report(base)
    finally:
        server.terminate()


def report(base: str) -> None:
    ours = Catapult(base, CATAPULT, DASHBOARD, Transport())
    canned = Catapult(base, CATAPULT, DASHBOARD, Canned())
    session = requests.Session()
    session.trust_env = False
    url, auth = f"{base}/users/u-1/phoneNumbers", ("t-1", "s-1")
    value = {"number": "+14352154439", "applicationId": "a-1", "provider": {"providerName": "bandwidth-dashboard"}}
    prepared = session.prepare_request(requests.Request("POST", url, json=value, auth=auth))
    order = order_of(1000)
    took = compare(
        build_and_read=lambda: canned.import_number("+14352154439", "a-1", 30),
        whole_call=lambda: ours.import_number("+14352154439", "a-1", 30),
        session_send=lambda: session.send(prepared, timeout=30),
        session_post=lambda: session.post(url, json=value, auth=auth, timeout=30),
    )
    reading = cpu(lambda: read_order(order, "o"), 20)
    print(f"build + read, one number    {took['build_and_read']:8.4f} ms   goal 0.1")
    print(f"whole call                  {took['whole_call']:8.4f} ms")
    for yardstick in ("session_send", "session_post"):
        print(f"  / {yardstick:<22}  {took['whole_call'] / took[yardstick]:8.2f}      ({took[yardstick]:.4f} ms)")
    print(f"read an order of 1,000      {reading:8.4f} ms")


if __name__ == "__main__":
    main()
