"""Makes docs/flower.png: a real stack with a slow order and slow numbers, and its Flower in a headless Chromium.

Run from the checkout: `python -m deploy.flower_screenshot`. It needs a `chromium` on the PATH (apt install chromium).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from workers.temporary import ROOT, running_stack

PICTURE = ROOT / "docs" / "flower.png"
PATIENCE = 60.0
PAGE_MILLISECONDS = 4000
SETTINGS = {
    "TNIMPORT_POLL_FIRST": "0.5",
    "TNIMPORT_POLL_MAX": "2",
    "TNIMPORT_ORDER_SIZE": "30",
    "SANDBOX_SLOW_SECONDS": "2.5",
    "SANDBOX_ORDER_DELAY": "0.2",
}
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def main() -> int:
    """Leave the picture in docs."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no chromium on the PATH: apt install chromium")
    with tempfile.TemporaryDirectory(prefix="tnimport-flower-") as name:
        folder = Path(name)
        with running_stack(folder, **SETTINGS) as addresses:
            submit(addresses["web"], "spring", [*plain(201, 28), "9192010910"])
            submit(addresses["web"], "summer", [*plain(202, 20), *(f"{area}2030943" for area in AREAS), *plain(203, 9)])
            wait_until_worth_a_picture(addresses["flower"])
            command = [chromium, *FLAGS, f"--user-data-dir={folder / 'browser'}", "--window-size=1720,640"]
            shot = [f"--screenshot={PICTURE}", f"--virtual-time-budget={PAGE_MILLISECONDS}"]
            subprocess.run([*command, *shot, f"{addresses['flower']}/tasks"], check=True, timeout=60)  # noqa: S603 - ours
    print(f"written: {PICTURE.relative_to(ROOT)}")
    return 0


AREAS = ("206", "213", "303", "404", "415", "503")
"""Numbers that end in 0943 take their time at Catapult, so that a grant shows how far it is."""


def plain(exchange: int, count: int) -> list[str]:
    """So many numbers that just work."""
    return [f"919{exchange}{line:04}" for line in range(1000, 1000 + count)]


def submit(web: str, client_ref: str, numbers: list[str]) -> None:
    """Have an import made."""
    wish = {"name": "shop", "incoming_message_url": "https://shop.example/messages"}
    body = json.dumps({"numbers": numbers, "application": wish, "client_ref": client_ref}).encode()
    request = Request(f"{web}/v1/imports", body, {"Content-Type": "application/json"})  # noqa: S310 - our own stack
    urlopen(request, timeout=30).close()  # noqa: S310 - as above


def wait_until_worth_a_picture(flower: str) -> None:
    """Return when an order waits between two looks while a grant says how far it is."""
    deadline = time.monotonic() + PATIENCE
    while not {"RETRY", "PROGRESS", "SUCCESS"} <= {task["state"] for task in tasks(flower).values()}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Flower shows {[task['state'] for task in tasks(flower).values()]}")
        time.sleep(0.1)


def tasks(flower: str) -> Mapping[str, Any]:
    """What Flower's API tells, as its page shows it."""
    with urlopen(f"{flower}/api/tasks", timeout=30) as answer:  # noqa: S310 - as above
        found: Mapping[str, Any] = json.load(answer)
    return found


if __name__ == "__main__":
    os.environ["FLOWER_UNAUTHENTICATED_API"] = "true"  # of this run's own Flower, on loopback and for a minute
    sys.exit(main())
