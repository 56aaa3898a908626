"""Exports an import as CSV to nowhere, and tells rows, CPU and wall seconds, and megabytes early and at the end."""

import resource
import sys
import time

from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading.listing import stream_numbers
from tnimport.web.imports.rendering import csv_text

EARLY = 10_000


def main() -> None:
    """Do it once."""
    ledger = Ledger(sys.argv[1])
    lines, early = 0, 0.0
    cpu, wall = time.process_time(), time.monotonic()
    for piece in csv_text(stream_numbers(ledger, sys.argv[2])):
        lines += piece.count(b"\n")
        if not early and lines > EARLY:
            early = _megabytes()
    print(lines - 1, time.process_time() - cpu, time.monotonic() - wall, early, _megabytes())


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
