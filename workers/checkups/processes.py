"""Do the processes live, and does anybody take what waits in the queues?"""

from collections.abc import Iterator, Mapping

from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from workers.checkups.finding import Finding, fault, ok, warning

AREA = "processes"
START = {
    "worker": "start the worker: the line `worker` of Procfile, or `docker compose up -d worker`",
    "dispatcher": "start the dispatcher: python -m workers.dispatcher, or `docker compose up -d dispatcher`",
    "web": "start the web process: python -m workers.web, or `docker compose up -d web`",
}


def check(ledger: Ledger, waiting: Mapping[str, int]) -> Iterator[Finding]:
    """Who lives by their heartbeats; `waiting` are the messages of each queue."""
    heard = heartbeats.heard(ledger)
    alive = [one.process for one in heard if one.alive]
    for kind, start in START.items():
        mine = [process for process in alive if process.kind == kind]
        if mine:
            yield ok(AREA, f"{kind}: {', '.join(f'{process.host}/{process.pid}' for process in mine)}")
        else:
            missing = warning if kind == "web" else fault
            yield missing(AREA, f"no {kind} lives", start)
    for one in heard:
        if not one.alive:
            name = f"{one.process.kind} {one.process.host}/{one.process.pid}"
            text = f"{name} ended without a word, {one.silent:.0f} s ago"
            yield warning(AREA, text, "look at its log and its machine; the next pruning forgets it")
    versions = sorted({process.version for process in alive})
    if len(versions) > 1:
        yield warning(AREA, f"several versions run: {', '.join(versions)}", "deploy one version everywhere")
    backlog = {queue: count for queue, count in waiting.items() if count}
    if backlog and not any(process.kind == "worker" for process in alive):
        text = ", ".join(f"{count} in {queue}" for queue, count in backlog.items())
        yield fault("redis", f"messages wait and no worker takes them: {text}", START["worker"])
