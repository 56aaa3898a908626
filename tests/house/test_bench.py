"""How benchmarks record what they measured."""

import json
from pathlib import Path

import pytest

from bench import record as bench


@pytest.mark.parametrize(
    ("value", "goal", "met"), [(0.8, "<= 0.8", True), (0.81, "<= 0.8", False), (0.98, ">= 0.98", True)]
)
def test_a_goal_is_met_or_missed(value: float, goal: str, met: bool) -> None:
    assert bench.reached(value, goal) is met


def test_results_add_up_in_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results.json")
    bench.record("cpu", 0.7, goal="<= 0.8", unit="ratio", yardstick="a bare loop")
    bench.record("rate", 0.99, goal=">= 0.98", unit="ratio", yardstick="the limit")
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["cpu"] == {"value": 0.7, "goal": "<= 0.8", "unit": "ratio", "yardstick": "a bare loop"}
    assert results.keys() == {"cpu", "rate"}
