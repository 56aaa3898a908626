"""Where a benchmark puts a result: on the screen, and in bench/results.json."""

import json
import operator
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")


def record(name: str, value: float, *, goal: str, unit: str, yardstick: str) -> None:
    """Print one result and add it to bench/results.json.

    Args:
        name: of the result; the same name replaces an earlier one.
        value: as measured, usually a ratio.
        goal: as docs/performance.md tells it, for instance `<= 0.8`.
        unit: of the value; `ratio` where it is one.
        yardstick: what was measured beside it in the same run.
    """
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = {"value": round(value, 4), "goal": goal, "unit": unit, "yardstick": yardstick}
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    print(f"{'ok  ' if reached(value, goal) else 'MISS'} {name}: {value:.4g} {unit} (goal {goal}; against {yardstick})")


def reached(value: float, goal: str) -> bool:
    """Whether a value meets a goal such as `<= 0.8` or `>= 0.98`."""
    sign, _, limit = goal.partition(" ")
    return bool({"<=": operator.le, ">=": operator.ge}[sign](value, float(limit)))
