"""The stack on the rack: the processes of the system tests with short times, two accounts, a gate to the carrier."""

import json
import os
import resource
import signal
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import redis
import sqlalchemy as sa

from config.local import free_port
from tests.system.conftest import CANARIES, Stack
from tests.torture.gate import Gate
from tnimport.ledger.engine import Ledger
from workers import embedded

SHORT = {
    "TNIMPORT_CLAIM_SECONDS": "3",
    "TNIMPORT_HTTP_TIMEOUT": "1",
    "TNIMPORT_ORDER_SETTLE": "8",
    "TNIMPORT_ORDER_SIZE": "60",
    "TNIMPORT_POLL_MAX": "2",
}
CLAIM_SECONDS = 3.0
SANDBOX = {"order_delay": 0.5, "slow_order_delay": 6, "latency": 0.02, "message_delay": 0}
SECOND = """[accounts.second]
account_id = "8888888"
dashboard_username = "roadRunner"
dashboard_password = "beepBeep!"
catapult_user_id = "u-2"
catapult_token = "t-2"
catapult_secret = "s-2"
site_id = "843"
sip_peer_id = "403716"
numbers_per_minute = 1200
numbers_burst = 5
"""
SECRETS = (*CANARIES.values(), "beepBeep!")
PROCESSES = ("web", "worker", "dispatcher")


class Stand(Stack):
    """A stack whose every part can be broken and mended; `restart_database` is there where somebody can do that."""

    def __init__(self, folder: Path, database_url: str, restart_database: Callable[[], None] | None = None) -> None:
        super().__init__(folder, database_url)
        self.restart_database = restart_database
        self.database_url = database_url
        self.ledger = Ledger(database_url, pool_size=3)  # who breaks things, who holds the lock, who watches
        self._frozen: set[int] = set()
        self._unwritable: set[str] = set()  # why nobody can write to the ledger
        (folder / "accounts.toml").write_text(SECOND)
        gate = free_port()
        self.gate = Gate(gate, self.ports["sandbox"])
        self.environ |= SHORT | {f"SANDBOX_{name.upper()}": str(value) for name, value in SANDBOX.items()}
        self.environ |= {
            "TNIMPORT_ACCOUNTS_FILE": str(folder / "accounts.toml"),
            "TNIMPORT_DASHBOARD_URL": f"http://127.0.0.1:{gate}/api",
            "TNIMPORT_CATAPULT_URL": f"http://127.0.0.1:{gate}/v1",
        }
        self.lines |= {"doubler": "python -m tests.torture.doubling", "dispatcher3": self.lines["dispatcher"]}

    def run(self) -> None:
        """Start everything and wait until it is at work."""
        self.start("redis")
        self.start("sandbox")
        self.gate.open()
        self.migrate()
        for name in PROCESSES:
            self.start(name)
        for name in ("sandbox", *PROCESSES):
            self.started(name)

    def start(self, name: str, **environ: str) -> None:
        if name == "web2":
            environ = {"TNIMPORT_WEB_BIND": f"127.0.0.1:{self.ports['web2']}"} | environ
        if name != "redis":
            super().start(name, **environ)
            return
        folder = self.folder / "redis"
        self.processes[name] = embedded.start(self.ports["redis"], folder, "--appendonly", "no")
        self.monitor()

    def ensure(self, *names: str) -> None:
        """Start what does not run."""
        for name in names:
            process = self.processes.get(name)
            if process is None or process.poll() is not None:
                self.start(name)

    def remove(self, name: str) -> None:
        """kill -9 if it runs."""
        if name in self.processes:
            self.kill(name)

    def freeze(self, name: str) -> Callable[[], None]:
        """SIGSTOP; returns what thaws just this process."""
        self.ensure(name)
        pid = self.processes[name].pid
        self._frozen.add(pid)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGSTOP)

        def thaw() -> None:
            process = self.processes.get(name)
            if process is not None and process.pid == pid:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGCONT)
            self._frozen.discard(pid)

        return thaw

    def serving(self) -> bool:
        """Whether a dispatcher is at work, and nobody keeps it from writing to the ledger."""
        working = (
            process.poll() is None and process.pid not in self._frozen
            for name, process in list(self.processes.items())
            if name.startswith(("dispatcher", "doubler"))
        )
        return not self._unwritable and any(working)

    @property
    def broker(self) -> redis.Redis:
        """A client of Redis that waits for nobody."""
        return redis.Redis(port=self.ports["redis"], socket_timeout=1, socket_connect_timeout=1)

    def tell_broker(self, *command: str) -> None:
        """One command, if Redis is there to hear it."""
        with closing(self.broker) as client, suppress(redis.RedisError):
            client.execute_command(*command)

    def lock_ledger(self, seconds: float) -> threading.Thread:
        """Hold SQLite's write lock for so long, in a thread."""
        thread = threading.Thread(target=self._hold, args=(seconds,), name="lock", daemon=True)
        thread.start()
        return thread

    def _hold(self, seconds: float) -> None:
        self._unwritable.add("locked")
        with self.ledger.write():
            threading.Event().wait(seconds)
        self._unwritable.discard("locked")

    def limit_files(self, size: int | None) -> None:
        """Let our processes write no further than so many bytes into any file; None = as far as they like."""
        if self.restart_database is None:
            (self._unwritable.discard if size is None else self._unwritable.add)("full")
        for name in self.processes.keys() & set(PROCESSES):
            with suppress(ProcessLookupError):
                pid = self.processes[name].pid
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Rows of the ledger; nothing while it is away."""
        try:
            with self.ledger.read() as tx:
                return [dict(row._mapping) for row in tx.run(sa.text(query))]
        except sa.exc.OperationalError:
            return []

    def export(self, import_id: str) -> list[dict[str, Any]]:
        """Every row of an import that is listed, those that never became numbers, too."""
        text = self.http("GET", f"/v1/imports/{import_id}/numbers", Accept="application/x-ndjson")
        return [json.loads(line) for line in text.splitlines()]

    def mend(self) -> None:
        """Everything runs again, whatever was broken."""
        for name in (*self.processes,):
            with suppress(ProcessLookupError):
                os.killpg(self.processes[name].pid, signal.SIGCONT)
        self._frozen.clear()
        for name in ("doubler", "dispatcher2", "dispatcher3", "worker2"):
            self.remove(name)
        self.ensure("redis")
        self.tell_broker("CONFIG", "SET", "maxmemory", "0")
        self.limit_files(None)
        self.gate.open()
        self.sandbox.clear_faults()
        self.sandbox.switch(order_outcome="normal", feature_off=False)
        self.sandbox.release()
        self.ensure(*PROCESSES)

    def texts(self) -> dict[str, str]:
        """Everything in which a secret must not be, by name."""
        logs = {path.name: path.read_text(errors="replace") for path in self.folder.glob("*.log")}
        ledger = {path.name: path.read_bytes().decode("latin-1") for path in self.folder.glob("ledger.db*")}
        told = {"Redis": self.messages(), "HTTP answers": "\n".join(self.answers)}
        return {**logs, **ledger, **self._tables(), **told}

    def _tables(self) -> dict[str, str]:
        """Every row of the ledger, whatever keeps it."""
        with self.ledger.read() as tx:
            names = sa.inspect(tx.connection).get_table_names()
            return {
                f"table {name}": "\n".join(str(tuple(row)) for row in tx.run(sa.text(f'SELECT * FROM "{name}"')))  # noqa: S608 - our own tables
                for name in names
            }

    def close(self) -> None:
        super().close()
        self.gate.close()
        self.ledger.close()
