"""A new version comes while imports run, and goes again: no number fails and no caller sees an error."""

from collections.abc import Callable
from pathlib import Path

from tests.system.conftest import until
from tests.torture.rolling import Rolling, unpack
from tests.torture.stand import Stand

NUMBERS = {"short": 1000, "long": 10_000}
SMALL = 4
ORDER = ("dispatcher", "worker", "web")  # as in docs/servers.md: what a newer process plans, dispatchers know by then
LATENCY = {"short": 0.8, "long": 0.1}  # so long that the import outlasts the change
STOP_SECONDS = {"short": 20.0, "long": 3.0}  # a call in flight, its record, the process's end; the gate may be slow


def test_a_rolling_upgrade_costs_no_error_and_either_version_works_on_the_newer_ledger(
    bare_stand: Stand, torture: str, tmp_path: Path, say: Callable[[str], None]
) -> None:
    rolling = Rolling(bare_stand, unpack(tmp_path))
    bare_stand.environ["TNIMPORT_PUBLIC_URL"] = f"http://127.0.0.1:{bare_stand.ports['web']}"
    rolling.begin()
    bare_stand.sandbox.switch(latency=LATENCY[torture])
    rolling.caller.begin()
    large = rolling.submit(NUMBERS[torture])
    until(lambda: rolling.imported(large), "the older version imports")
    assert bare_stand.ask("SELECT version_num FROM alembic_version") == [{"version_num": "20261123_seeing"}]
    bare_stand.migrate()
    first = rolling.submit(SMALL)
    until(lambda: rolling.imported(first) == SMALL, "the older version works on the newer ledger")
    for name in ORDER:
        rolling.replace(name)
        rolling.submit(SMALL)
    if torture == "long":
        for name in reversed(ORDER):  # the way back, without a step for the ledger
            rolling.replace(name, rolling.older)
            rolling.submit(SMALL)
    assert rolling.imported(large) < NUMBERS[torture], "the import lasted longer than the change"
    bare_stand.sandbox.switch(latency=0)
    for import_id, size in rolling.imports.items():
        until(lambda one=import_id, size=size: rolling.imported(one) == size, f"{import_id} is imported", 180)
    rolling.caller.end()
    say(f"rolling: {rolling.caller.asked.total()} calls answered; stopped within {rolling.stopped_within}")
    bare_stand.ports["web"] = bare_stand.ports[rolling.caller.front]
    for import_id in rolling.imports:
        bare_stand.books(import_id)
    assert rolling.caller.errors == []
    assert rolling.codes == {0}
    assert max(rolling.stopped_within.values()) < STOP_SECONDS[torture]
    assert rolling.complaints() == []
