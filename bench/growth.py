"""(f, j, k) What grows with an import: broker memory, ledger, cost a number, progress query, export; and who waits.

The same measurements on a small and on a large import of one stack each, so that each goal is a ratio of the two. A
thousand numbers fit into the broker's window; the larger sizes must not need more.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from bench import bare
from bench.carrier import calls, carrier
from bench.record import record
from bench.stack import Stack, stack
from bench.telephones import FULL, size
from tnimport.ledger.imports import control

SMALL = 10_000
LARGE = size(1_000_000, 60_000)


def cost(running: Stack, url: str, count: int) -> float:
    """CPU of all our processes for a number of a whole import, in bare posts, so that a busy machine counts less."""
    import_id = running.submit(count, skip=2_000)
    before, posts = sum(running.cpu().values()), [bare.milliseconds(url)]
    running.wait(import_id)
    used = (sum(running.cpu().values()) - before) / count * 1e3
    posts.append(bare.milliseconds(url))
    return used / statistics.mean(posts)


def peak_bytes(running: Stack, work: Callable[[], float]) -> tuple[float, int]:
    """What the work returns, and the most that Redis held since it was last asked."""
    running.broker_bytes(reset=True)
    return work(), running.broker_bytes()


def small() -> tuple[float, int]:
    """Cost a number of an import of 10,000, and the broker's peak for one of 1,000."""
    with carrier() as url, stack(url) as running:
        _, broker = peak_bytes(running, lambda: cost(running, url, 1_000))
        return cost(running, url, SMALL), broker


def large() -> tuple[float, int]:
    """The same of a large one; then, behind another such, ten numbers are submitted."""
    with carrier() as url, stack(url) as running:
        running.wait(running.submit(1_000))
        each, broker = peak_bytes(running, lambda: cost(running, url, LARGE))
        bytes_each = (running.folder / "ledger.db").stat().st_size / LARGE
        print(f"ledger: {bytes_each:.0f} bytes a number; broker: {broker / 1e6:.2f} MB")
        import_id = running.submit(LARGE, skip=2_000)
        running.wait_until(import_id, lambda view: view.counts["imported"] > 0, 300)
        overtaking(running, url)
        progress(running, import_id)
        running.wait_until(import_id, lambda view: view.counts["imported"] > LARGE / 4, 3600)
        control.cancel(running.ledger, import_id)
        export(running, import_id)
        return each, broker


def overtaking(running: Stack, url: str) -> None:
    """Ten numbers behind the large import: when their order is placed."""
    began, placed = time.monotonic(), None
    running.submit(10)
    while placed is None and time.monotonic() < began + 120:
        time.sleep(0.05)
        placed = next((order["at"] for order in calls(url)["orders"] if order["size"] == 10), None)
    seconds = 120.0 if placed is None else placed - began
    record("ten_behind", seconds, goal="<= 5", unit="s", yardstick=f"{LARGE:,} numbers before them")


def progress(running: Stack, import_id: str) -> None:
    """The progress query while the import runs."""
    taken = []
    for _ in range(30):
        began = time.perf_counter()
        running.view(import_id)
        taken.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.05)
    record("progress", statistics.median(taken), goal="<= 20", unit="ms", yardstick=f"an import of {LARGE:,}")


def export(running: Stack, import_id: str) -> None:
    """Every row as CSV, in a process of its own; scaled to a million rows."""
    line = [sys.executable, "-m", "bench.exporting", str(running.ledger.url), import_id]
    told = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    rows, cpu, wall, early, late = map(float, told.split())
    print(
        f"export: {rows:,.0f} rows in {wall:.1f} s; memory {early:.0f} MB after 10,000 rows, {late:.0f} MB at the end"
    )
    record("export", cpu / rows * 1e6, goal="<= 20", unit="s of CPU a million rows", yardstick="one core")
    record("export_memory", late / early, goal="<= 1.1", unit="ratio", yardstick="after 10,000 rows")


def main() -> None:
    """Small, then large."""
    small_cost, small_broker = small()
    large_cost, large_broker = large()
    print(f"{small_cost:.3f} bare posts a number of {SMALL:,}, {large_cost:.3f} of {LARGE:,}; full size: {FULL}")
    record("broker_memory", large_broker / small_broker, goal="<= 1.5", unit="ratio", yardstick="1,000 numbers")
    record("cost_growth", large_cost / small_cost, goal="<= 1.1", unit="ratio", yardstick=f"{SMALL:,} numbers")


if __name__ == "__main__":
    main()
