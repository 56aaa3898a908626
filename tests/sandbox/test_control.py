import json
import re
from pathlib import Path

import pytest

from sandbox.faults.rules import AFTER, BEFORE
from sandbox.scenarios import SCENARIOS
from sandbox.switches import Switches
from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult, Dashboard

GUIDE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


@pytest.fixture
def control(dashboard: Dashboard):
    dashboard.root = ""
    return dashboard


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"shap": "A"}, "shap: no such switch"),
        ({"shape": "C"}, "shape: must be one of A, B"),
        ({"order_delay": -1}, "order_delay: must be a finite number, 0 or more"),
        ({"order_delay": "nan"}, "order_delay: must be a finite number, 0 or more"),
        ({"order_delay": True}, "order_delay: must be a number"),
        ({"order_delay": 10**400}, "order_delay: must be a finite number, 0 or more"),
        ({"seed": float("inf")}, "seed: must be a finite number, 0 or more"),
        ({"rate_limits": "perhaps"}, "rate_limits: must be true or false"),
    ],
)
def test_a_bad_switch_is_refused_and_none_is_set(
    sandbox: RunningSandbox, values: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        sandbox.switch(latency=0.5, **values)
    assert sandbox.state("switches")["switches"]["latency"] == 0


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "magic"},
        {"kind": "error", "colour": "red"},
        {"kind": "error", "count": "three"},
        {"kind": "error", "probability": "often"},
        {"kind": "error", "endpoint": 5},
        {"kind": []},
        {"kind": "slow", "seconds": float("nan")},
        {"kind": "slow", "seconds": -1},
        {"kind": "rate-limited", "seconds": float("inf")},
        {"kind": "oversized", "bytes": -1},
        {"kind": "error", "status": 99},
        {"kind": "error", "count": True},
        {"kind": "answer", "headers": {"A": 1}},
        {"kind": "answer", "headers": {"A": "b\r\nC: d"}},
        5,
    ],
)
def test_a_bad_fault_is_refused(control: Dashboard, sandbox: RunningSandbox, rule: object) -> None:
    assert control.post("/control/faults", rule).status == 400
    assert sandbox.state("faults")["faults"] == []


def test_the_state_proves_that_no_number_has_two_resources(
    dashboard: Dashboard, catapult: Catapult, sandbox: RunningSandbox
) -> None:
    dashboard.finished("9195550001")
    catapult.import_number("+19195550001")
    catapult.import_number("+19195550001")
    catapult.call("DELETE", "/phoneNumbers/%2B19195550001")
    catapult.import_number("+19195550001")
    state = sandbox.state("summary", "effects")
    assert state["summary"]["numbers_imported_twice"] == 0
    assert state["summary"]["most_resources_of_a_number"] == 1
    assert state["effects"]["9195550001"] == {
        "orders": 1,
        "removals": 0,
        "in_service": 1,
        "imports": 2,
        "conflicts": 1,
        "deletes": 1,
        "resources": 1,
        "most_resources": 1,
    }
    answers = state["summary"]["answers"]
    assert answers["catapult.numbers.create"] == {"201": 2, "409": 1}


def test_the_state_holds_everything_and_can_be_asked_for_in_parts(
    dashboard: Dashboard, catapult: Catapult, sandbox: RunningSandbox
) -> None:
    order_id = dashboard.finished("9195550001", "9195550900").text("OrderId")
    catapult.import_number("+19195550001", name="mine")
    state = sandbox.state()
    (order,) = state["dashboards"]["9999999"]["orders"]
    assert (order["order_id"], order["status"], order["numbers"]) == (order_id, "PARTIAL", 2)
    assert list(state["dashboards"]["9999999"]["numbers"]) == ["9195550001"]
    assert state["users"]["u-1"]["numbers"][0]["name"] == "mine"
    assert list(sandbox.state("effects")) == ["effects"]
    with pytest.raises(ValueError, match="no such part"):
        sandbox.state("everything")


def test_calls_are_logged_with_their_endpoint_status_and_fault(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    dashboard.get("/sites?x=1")
    sandbox.fault("dashboard.sites.list", "error")
    dashboard.get("/sites")
    first, second = sandbox.calls("dashboard.sites")
    assert (first["status"], first["query"], first["fault"]) == (200, "x=1", "")
    assert (second["status"], second["fault"]) == (503, "error")
    assert sandbox.calls(status=503) == [second]
    assert sandbox.calls(after=first["serial"]) == [second]


def test_a_reset_forgets_all_but_the_switches(
    dashboard: Dashboard, catapult: Catapult, sandbox: RunningSandbox
) -> None:
    sandbox.switch(shape="B")
    dashboard.order("9195550001")
    catapult.make_application()
    sandbox.fault("*", "error")
    sandbox.reset()
    state = sandbox.state()
    assert state["dashboards"]["9999999"] == {"orders": [], "numbers": {}, "subscriptions": []}
    assert state["users"]["u-1"]["applications"] == []
    assert (state["faults"], state["effects"], state["summary"]["calls"]) == ([], {}, 0)
    assert state["switches"]["shape"] == "B"


def test_a_reset_calls_off_what_was_to_come(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(order_delay=0.1)
    dashboard.order("9195550001")
    sandbox.reset()
    dashboard.finished("9195550002")
    assert list(sandbox.state("dashboards")["dashboards"]["9999999"]["numbers"]) == ["9195550002"]


def test_the_page_shows_what_is_held_and_escapes_it(
    control: Dashboard, dashboard: Dashboard, sandbox: RunningSandbox
) -> None:
    control.root = "/api/accounts/9999999"
    control.order("9195550001", CustomerOrderID="shown here")
    control.root = ""
    control.get("/api/accounts/<script>/sites")
    page = control.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    text = page.body.decode()
    assert "shown here" in text
    assert "<script>" not in text
    assert all(line in text for line in SCENARIOS)


def test_unknown_control_pages_and_methods_are_refused(control: Dashboard) -> None:
    assert control.get("/control/nothing").status == 404
    assert control.call("DELETE", "/control/switches").status == 405
    assert control.post("/control/faults", b"{").status == 400
    assert control.call("PUT", "/control/switches", [1]).status == 400
    assert control.post("/control/in-service", {"numbers": ["9195550001"], "account": "x"}).status == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/control/in-service", {"numbers": ["1"]}),
        ("/control/in-service", {"numbers": ["919555000\u0661"]}),
        ("/control/in-service", {"numbers": ["9195550001", 9195550002]}),
        ("/control/in-service", {"numbers": None}),
        ("/control/inbound", {"media": "http://x.test/a.png"}),
        ("/control/inbound", {"media": [1]}),
        ("/control/inbound", b"[" * 100_000),
        ("/control/faults", b"[" * 100_000),
    ],
)
def test_a_bad_wish_is_refused_and_nothing_is_done(
    control: Dashboard, sandbox: RunningSandbox, path: str, body: object
) -> None:
    assert control.post(path, body).status == 400
    assert sandbox.state("dashboards")["dashboards"]["9999999"]["numbers"] == {}


def test_scenarios_can_be_read(control: Dashboard) -> None:
    assert control.get("/control/scenarios").json.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("line", SCENARIOS)
def test_every_reserved_number_is_documented(line: str) -> None:
    assert f"| `{line}` | {SCENARIOS[line].meaning} |" in GUIDE


@pytest.mark.parametrize("name", Switches().as_json())
def test_every_switch_is_documented_with_its_default(name: str) -> None:
    default = json.dumps(Switches().as_json()[name]).strip('"')
    assert f"| `{name}` | `{default}` |" in GUIDE


@pytest.mark.parametrize("kind", BEFORE | AFTER)
def test_every_fault_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in GUIDE
