"""deploy/alerts.yml: each alert fires when it should and else is quiet, as Prometheus' own tool sees it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy" / "alerts.yml"
PROMTOOL = shutil.which("promtool")

# Series for which the alert fires after an hour and a half, and series for which it does not.
FIRING: dict[str, dict[str, str]] = {
    "TnimportBooksDoNotBalance": {"tnimport_conservation_gap": "0x80 1x20"},
    "TnimportNotScraped": {"tnimport_work": "0x100"},
    "TnimportNoWorker": {'tnimport_heartbeat_age_seconds{process="worker"}': "5x60 100x40"},
    "TnimportNoDispatcher": {'tnimport_heartbeat_age_seconds{process="worker"}': "5x100"},
    "TnimportProcessGone": {'tnimport_heartbeat_age_seconds{process="web", host="a", pid="1"}': "5x80 130x20"},
    "TnimportNobodyTakesMessages": {'tnimport_work{task="a", state="sent"}': "3x100"},
    "TnimportImportHeld": {'tnimport_imports{account="a", state="held"}': "0x80 1x20"},
    "TnimportOrderSlow": {'tnimport_oldest_order_seconds{account="a"}': "90000x100"},
    "TnimportLaneClosed": {'tnimport_lane_trouble{account="a", lane="numbers"}': "5x100"},
    "TnimportOftenLimited": {'tnimport_calls_total{account="a", api="catapult", status="429"}': "0+5x100"},
    "TnimportCallsUnanswered": {
        'tnimport_calls_total{account="a", api="catapult", status="none"}': "0+2x100",
        'tnimport_calls_total{account="a", api="catapult", status="201"}': "0+10x100",
    },
    # Nothing of the kind had ever happened before: the series stood at 0 from the start.
    "TnimportClaimsExpire": {'tnimport_claims_expired_total{account="a"}': "0x60 5x40"},
    "TnimportUnaccounted": {'tnimport_unaccounted_numbers{account="a"}': "0x80 2x20"},
    "TnimportWebhooksWait": {'tnimport_oldest_webhook_seconds{account="a"}': "0+60x100"},
    "TnimportWebhooksFail": {'tnimport_webhooks{account="a", state="failed"}': "0x60 1x40"},
}
QUIET: dict[str, dict[str, str]] = {
    "TnimportBooksDoNotBalance": {"tnimport_conservation_gap": "0x100"},
    "TnimportNotScraped": {"tnimport_conservation_gap": "0x100"},
    "TnimportNoWorker": {
        'tnimport_heartbeat_age_seconds{process="worker", pid="1"}': "5x60 100x40",
        'tnimport_heartbeat_age_seconds{process="worker", pid="2"}': "5x100",
    },
    "TnimportNoDispatcher": {'tnimport_heartbeat_age_seconds{process="dispatcher"}': "5x100"},
    "TnimportProcessGone": {'tnimport_heartbeat_age_seconds{process="web", host="a", pid="1"}': "30x100"},
    "TnimportNobodyTakesMessages": {
        'tnimport_work{task="a", state="sent"}': "3x100",
        'tnimport_work{task="b", state="running"}': "1x100",
    },
    "TnimportImportHeld": {'tnimport_imports{account="a", state="running"}': "3x100"},
    "TnimportOrderSlow": {'tnimport_oldest_order_seconds{account="a"}': "80000x100"},
    "TnimportLaneClosed": {'tnimport_lane_trouble{account="a", lane="numbers"}': "0x85 5x15"},
    "TnimportOftenLimited": {'tnimport_calls_total{account="a", api="catapult", status="429"}': "0x80 5x20"},
    "TnimportCallsUnanswered": {
        'tnimport_calls_total{account="a", api="catapult", status="none"}': "0+1x100",
        'tnimport_calls_total{account="a", api="catapult", status="201"}': "0+20x100",
    },
    "TnimportClaimsExpire": {'tnimport_claims_expired_total{account="a"}': "5x60 7x40"},
    "TnimportUnaccounted": {'tnimport_unaccounted_numbers{account="a"}': "0x100"},
    "TnimportWebhooksWait": {'tnimport_oldest_webhook_seconds{account="a"}': "600x100"},
    "TnimportWebhooksFail": {'tnimport_webhooks{account="a", state="failed"}': "3x100"},
}


def of_rules(alert: str, series: dict[str, str], *, fires: bool) -> dict:
    """One test of promtool's: whether the alert fires at the end of these series."""
    query = f'count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    told = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else []
    return {
        "interval": "1m",
        "name": f"{alert} {'fires' if fires else 'is quiet'}",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": "90m", "exp_samples": told}],
    }


def test_every_alert_has_series_for_which_it_fires_and_others_for_which_it_does_not() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    assert FIRING.keys() == QUIET.keys() == alerts


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_finds_nothing_wrong_with_the_rules() -> None:
    done = subprocess.run([str(PROMTOOL), "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_every_alert_fires_when_it_should_and_else_is_quiet(tmp_path: Path) -> None:
    tests = [of_rules(alert, series, fires=True) for alert, series in FIRING.items()]
    tests += [of_rules(alert, series, fires=False) for alert, series in QUIET.items()]
    page = tmp_path / "tests.yml"
    page.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([str(PROMTOOL), "test", "rules", page], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
