"""What Prometheus reads, and whether page, dashboard and alerts speak of metrics that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.reading import tallies
from tnimport.web.operations.measures import MEASURES

if TYPE_CHECKING:
    from tests.web.conftest import Seed, Web

ROOT = Path(__file__).resolve().parent.parent.parent
NAMED = re.compile(r"\btnimport_[a-z_]+")
DECLARED = {measure.name: measure for measure in MEASURES}
HIGH_CARDINALITY = {"number", "import", "import_id", "order", "order_id", "tn", "id"}


def samples(text: str, *, parse: object = prometheus) -> dict[tuple[str, frozenset], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def test_an_import_is_seen_in_the_metrics(any_web: Web, seed: Seed) -> None:
    seed(any_web.ledger)
    with any_web.ledger.write() as tx:
        tallies.add(tx, tallies.CALLS, {"default catapult 201": 4})
    heartbeats.beat(any_web.ledger, Process(kind="worker", host="here", pid=7, version="1"), first=True)
    answer = any_web.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    told = samples(answer.text)
    account = ("account", "default")
    assert told["tnimport_numbers", frozenset([account, ("state", "requested")])] == 3
    assert told["tnimport_numbers", frozenset([account, ("state", "duplicate")])] == 1
    assert told["tnimport_imports", frozenset([account, ("state", "queued")])] == 1
    called = frozenset([account, ("api", "catapult"), ("status", "201")])
    assert told["tnimport_calls_total", called] == 4
    assert told["tnimport_conservation_gap", frozenset()] == 0
    assert {name for name, _ in told} <= set(DECLARED)


def test_openmetrics_is_spoken_to_those_who_ask(web: Web) -> None:
    answer = web.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert samples(answer.text, parse=openmetrics)["tnimport_conservation_gap", frozenset()] == 0


def test_every_metric_is_declared_once_with_labels_of_few_values() -> None:
    assert len(DECLARED) == len(MEASURES)
    for measure in MEASURES:
        assert measure.name.endswith("_total") is (measure.kind == "counter")
        assert not set(measure.labels) & HIGH_CARDINALITY


def test_the_page_lists_every_metric_as_it_is_declared() -> None:
    rows = [line for line in (ROOT / "docs" / "metrics.md").read_text().splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.meaning} |"
        for one in MEASURES
    ]


@pytest.mark.parametrize("name", ["deploy/alerts.yml", "deploy/grafana/tnimport.json", "docs/metrics.md"])
def test_only_metrics_that_exist_are_spoken_of(name: str) -> None:
    spoken = set(NAMED.findall((ROOT / name).read_text()))
    assert len(spoken) >= 8
    assert spoken <= set(DECLARED)


def rules() -> list[dict]:
    alerts = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())
    return [rule for group in alerts["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    board = json.loads((ROOT / "deploy" / "grafana" / "tnimport.json").read_text())
    return [rule["expr"] for rule in rules()] + [
        target["expr"] for panel in board["panels"] for target in panel.get("targets", [])
    ]


@pytest.mark.parametrize("expression", expressions())
def test_a_query_names_only_labels_that_its_metrics_have(expression: str) -> None:
    for name, matched in re.findall(r"(tnimport_[a-z_]+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*[=!]", matched)) <= set(DECLARED[name].labels)
    known = {label for name in NAMED.findall(expression) for label in DECLARED[name].labels}
    for grouped in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",") if label.strip()} <= known
    assert expression.count("(") == expression.count(")")


def test_whatever_an_alert_takes_a_change_of_is_there_from_the_start(web: Web) -> None:
    told = samples(web.get("/metrics").text)
    changing = re.compile(r"(?:rate|increase|delta)\((tnimport_\w+)(?:\{([^}]*)\})?\[")
    selectors = [found for rule in rules() for found in changing.findall(rule["expr"])]
    assert {name for name, _ in selectors} == {
        "tnimport_calls_total",
        "tnimport_claims_expired_total",
        "tnimport_webhooks",
    }
    for name, matched in selectors:
        wanted = set(re.findall(r'(\w+)="([^"]*)"', matched)) | {("account", "default")}
        assert [value for (one, labels), value in told.items() if one == name and wanted <= labels], (name, matched)


def test_every_metric_that_is_watched_is_declared_with_its_labels_by_an_empty_ledger(web: Web) -> None:
    declared = {line.split()[2] for line in web.get("/metrics").text.splitlines() if line.startswith("# TYPE ")}
    assert {name for one in expressions() for name in NAMED.findall(one)} <= declared


def test_every_alert_says_what_happened_and_what_to_do() -> None:
    assert len(rules()) >= 8
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "fix"}


def test_every_panel_of_the_dashboard_has_a_place_and_a_query() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "tnimport.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["targets"] or panel["type"] == "row"
