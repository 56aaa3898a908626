"""A rolling change of versions: each process is replaced by one of other code, while callers go on asking."""

import tarfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.system.conftest import WISH, fresh
from tests.torture.stand import PROCESSES, Stand

OLDER = Path(__file__).parent / "older"
ASK_SECONDS = 0.1
BAD = ("Traceback", '"level": "error"', '"level": "critical"', "unregistered task")
_other = {"": "2", "2": ""}


def unpack(folder: Path) -> Path:
    """The version before this one, as it was released; its checkout."""
    (archive,) = OLDER.glob("*.tar.xz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "older"


class Caller:
    """Somebody who asks again and again, and leaves a web process before it is stopped, as a proxy is told to."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._over = threading.Event()
        self._asking = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="caller", daemon=True)
        self.front = "web"
        self.asked: Counter[str] = Counter()
        self.errors: list[str] = []

    def begin(self) -> None:
        self._thread.start()

    def turn_to(self, web: str) -> None:
        """Ask another process from now on; returns when the one before has nothing to answer any more."""
        with self._asking:
            self.front = web

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._over.wait(ASK_SECONDS):
            with self._asking:
                self._ask(self.front)

    def _ask(self, web: str) -> None:
        self.asked[web] += 1
        try:
            answer = self._stand.http("GET", "/v1/imports?page_size=5", web=web)
        except OSError as error:
            self.errors.append(f"{web}: {error}")
            return
        if "imports" not in answer:
            self.errors.append(f"{web}: {answer}")


class Rolling:
    """The processes of a stand, each of which stands in one of two places and may be of either version."""

    def __init__(self, stand: Stand, older: Path) -> None:
        self.stand, self.older, self.caller = stand, older, Caller(stand)
        self._place = dict.fromkeys(PROCESSES, "")
        self.stopped_within: dict[str, float] = {}
        self.codes: set[int] = set()
        self.imports: dict[str, int] = {}

    def begin(self) -> None:
        """Everything is of the version before, and so is the ledger."""
        stand = self.stand
        stand.homes = dict.fromkeys((*PROCESSES, "release"), self.older)
        stand.run()
        stand.homes = {}

    def replace(self, name: str, home: Path | None = None) -> None:
        """Start another process beside the one of this name, then stop that one with SIGTERM."""
        before, after = (f"{name}{place}" for place in (self._place[name], _other[self._place[name]]))
        self.stand.homes = {after: home} if home else {}
        self.stand.start(after)
        self.stand.started(after)
        self._place[name] = _other[self._place[name]]
        if name == "web":
            self.caller.turn_to(after)
        began = time.monotonic()
        self.codes.add(self.stand.stop(before))
        self.stopped_within[before] = time.monotonic() - began

    def submit(self, size: int) -> str:
        """An import of so many numbers, by whichever web process is in front."""
        body = {"numbers": fresh(size), "application": WISH}
        made = self.stand.http("POST", "/v1/imports", body, web=self.caller.front)
        self.imports[made["id"]] = size
        return str(made["id"])

    def imported(self, import_id: str) -> int:
        return int(self.stand.http("GET", f"/v1/imports/{import_id}", web=self.caller.front)["counts"]["imported"])

    def complaints(self) -> list[str]:
        """What the processes logged that an operator would be woken for.

        On the way back an older worker may be handed a step that it does not know. It says so and leaves it; the claim
        runs out unstarted, and the step waits for a newer worker.
        """
        logs = {path.name: path.read_text(errors="replace") for path in self.stand.folder.glob("*.log")}
        return [f"{name}: {line[:300]}" for name, text in logs.items() for line in text.splitlines() if bad(line)]


def bad(line: str) -> bool:
    return any(one in line for one in BAD) and "Received unregistered task" not in line
