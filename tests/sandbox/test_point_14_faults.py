import http.client
import time
from collections.abc import Callable

import pytest
from lxml import etree

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Answer, Catapult, Dashboard


@pytest.fixture(autouse=True)
def on_the_dashboard(sandbox: RunningSandbox):
    sandbox.put_in_service(["9195550001", *(f"919555{line:04}" for line in range(900, 1000))])


def test_a_cut_before_leaves_no_effect_and_a_cut_after_leaves_it(catapult: Catapult, sandbox: RunningSandbox) -> None:
    catapult.make_application()
    sandbox.fault("catapult.numbers.create", "cut-before", count=1)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        catapult.import_number("+19195550001")
    assert catapult.get("/phoneNumbers/%2B19195550001").status == 404
    sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        catapult.import_number("+19195550001")
    assert catapult.get("/phoneNumbers/%2B19195550001").status == 200
    assert [call["status"] for call in sandbox.calls("catapult.numbers.create")] == [0, 0]


@pytest.mark.parametrize(("kind", "effect"), [("error", 404), ("error-after", 200)])
def test_an_error_comes_as_a_page_before_or_after_the_effect(
    catapult: Catapult, sandbox: RunningSandbox, kind: str, effect: int
) -> None:
    catapult.make_application()
    sandbox.fault("catapult.numbers.*", kind, count=1, status=502)
    answer = catapult.import_number("+19195550001")
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")
    assert catapult.get("/phoneNumbers/%2B19195550001").status == effect


def test_an_answer_can_be_slow_or_drip(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    for kind, seconds, least in (("slow", 0.2, 0.2), ("drip", 0.02, 0.2)):
        sandbox.fault("dashboard.sites.list", kind, seconds=seconds, count=1)
        start = time.monotonic()
        assert dashboard.get("/sites").status == 200
        assert time.monotonic() - start >= least


def test_an_answer_can_be_torn(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.fault("dashboard.sites.list", "truncated")
    with pytest.raises(http.client.IncompleteRead):
        dashboard.get("/sites")


def test_an_answer_without_a_body_can_be_torn_as_well(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(empty_list_status="204")
    sandbox.fault("dashboard.orders.list", "truncated")
    with pytest.raises(http.client.IncompleteRead):
        dashboard.get("/externalTns?tn=1")


@pytest.mark.parametrize(
    ("kind", "begin"), [("html", b"<html"), ("entity-bomb", b"<?xml"), ("oversized", b"   "), ("wrong-type", b"")]
)
def test_a_fault_that_brings_a_body_brings_one_where_there_was_none(
    dashboard: Dashboard, sandbox: RunningSandbox, kind: str, begin: bytes
) -> None:
    sandbox.switch(empty_list_status="204")
    sandbox.fault("dashboard.orders.list", kind, bytes=100)
    answer = dashboard.get("/externalTns?tn=1")
    assert (answer.status, answer.body[: len(begin)]) == (200 if begin else 204, begin)


@pytest.mark.parametrize("kind", ["slow", "drip", "truncated", "html", "shuffled"])
def test_a_connection_that_a_number_cuts_stays_cut_under_any_fault(
    catapult: Catapult, sandbox: RunningSandbox, kind: str
) -> None:
    catapult.make_application()
    sandbox.fault("catapult.numbers.create", kind, seconds=0)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        catapult.import_number("+19195550936")
    assert catapult.get("/phoneNumbers/%2B19195550936").status == 200


@pytest.mark.parametrize(
    ("kind", "more", "check"),
    [
        ("oversized", {"bytes": 3_000_000}, lambda one: len(one.body) > 3_000_000),
        ("wrong-type", {}, lambda one: one.headers["Content-Type"] == "text/plain"),
        ("empty", {}, lambda one: one.body == b""),
        ("html", {}, lambda one: one.body.startswith(b"<html")),
        ("entity-bomb", {}, lambda one: b"<!ENTITY" in one.body and len(one.body) < 2000),
        ("unauthorized", {}, lambda one: one.status == 401 and one.body == b""),
        ("answer", {"status": 418, "body": "x", "headers": {"A": "b"}}, lambda one: one.headers["A"] == "b"),
        ("answer", {"body": "\ud800"}, lambda one: one.body == b"?"),
        ("rate-limited", {}, lambda one: one.status == 429 and len(one.headers["X-RateLimit-Reset"]) == 10),
        ("rate-limited-bare", {}, lambda one: one.status == 429 and not one.headers["X-RateLimit-Reset"]),
    ],
)
def test_an_answer_can_be_changed(
    dashboard: Dashboard, sandbox: RunningSandbox, kind: str, more: dict[str, object], check: Callable[[Answer], bool]
) -> None:
    sandbox.fault("dashboard.sites.list", kind, **more)
    assert check(dashboard.get("/sites"))


@pytest.mark.parametrize("kind", ["junk-whitespace", "shuffled"])
def test_the_look_can_change_and_not_the_meaning(
    dashboard: Dashboard, catapult: Catapult, sandbox: RunningSandbox, kind: str
) -> None:
    def facts(answer: Answer):
        return sorted((one.tag, (one.text or "").strip()) for one in etree.fromstring(answer.body).iter())

    finished = dashboard.finished("9195550001", "9195550900")
    path = f"/externalTns/{finished.text('OrderId')}"
    application = f"/applications/{catapult.make_application()}"
    plain = catapult.get(application)
    sandbox.fault("*.get", kind)
    changed, changed_json = dashboard.get(path), catapult.get(application)
    assert changed.body != finished.body
    assert facts(changed) == facts(finished)
    assert changed_json.body != plain.body
    assert changed_json.json == plain.json


def test_a_fault_can_have_a_count_and_a_beginning(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.fault("dashboard.*", "error", count=2, skip=1)
    assert [dashboard.get("/sites").status for _ in range(5)] == [200, 503, 503, 200, 200]


def test_the_dice_fall_alike_for_the_same_seed(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    def throw(seed: int) -> list[int]:
        sandbox.switch(seed=seed)
        sandbox.clear_faults()
        sandbox.fault("dashboard.sites.list", "error", probability=0.5)
        return [dashboard.get("/sites").status for _ in range(20)]

    first = throw(7)
    assert first == throw(7)
    assert first != throw(8)
    assert {200, 503} == set(first)


def test_other_endpoints_are_not_met(dashboard: Dashboard, catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.fault("dashboard.orders.*", "error")
    assert dashboard.get("/sites").status == 200
    assert catapult.get("/applications").status == 200
    assert dashboard.get("/externalTns").status == 503


@pytest.mark.parametrize(
    ("number", "statuses"),
    [
        ("+19195550933", [503, 503, 201]),
        ("+19195550934", [500, 201]),
        ("+19195550935", [400, 400]),
        ("+19195550936", [0, 409]),
        ("+19195550937", [0, 201]),
        ("+19195550938", [403, 403]),
        ("+19195550939", [404, 404]),
        ("+19195550940", [503, 503, 503]),
        ("+19195550941", [429, 201]),
        ("+19195550942", [429, 201]),
        ("+19195550943", [201, 409]),
        ("+19195550944", [201, 409]),
        ("+19195550945", [503, 409]),
        ("+19195550946", [201, 409]),
        ("+19195550947", [201, 409]),
        ("+19195550948", [401, 201]),
    ],
)
def test_reserved_numbers_provoke_their_fate_at_the_import(
    catapult: Catapult, sandbox: RunningSandbox, number: str, statuses: list[int]
) -> None:
    for _ in statuses:
        try:
            catapult.import_number(number)
        except (http.client.RemoteDisconnected, ConnectionError):
            continue
    assert [call["status"] for call in sandbox.calls("catapult.numbers.create")] == statuses


def test_a_number_can_vanish_or_lose_its_application(catapult: Catapult) -> None:
    assert catapult.import_number("+19195550944").headers["Location"] is None
    catapult.import_number("+19195550946")
    assert catapult.get("/phoneNumbers/%2B19195550946").status == 404
    catapult.import_number("+19195550947")
    assert "applicationId" not in catapult.get("/phoneNumbers/%2B19195550947").json


@pytest.mark.parametrize(
    ("number", "statuses"),
    [("9195550950", [503, 503, 200]), ("9195550951", [0, 404]), ("9195550952", [403, 403])],
)
def test_reserved_numbers_provoke_their_fate_at_the_deletion(
    catapult: Catapult, sandbox: RunningSandbox, number: str, statuses: list[int]
) -> None:
    catapult.import_number(f"+1{number}")
    for _ in statuses:
        try:
            catapult.call("DELETE", f"/phoneNumbers/%2B1{number}")
        except (http.client.RemoteDisconnected, ConnectionError):
            continue
    assert [call["status"] for call in sandbox.calls("catapult.numbers.delete")] == statuses


@pytest.mark.parametrize(
    ("number", "statuses", "orders"),
    [("9195550917", [0, 201], 2), ("9195550918", [503, 503, 201], 1), ("9195550919", [0, 201], 1)],
)
def test_reserved_numbers_provoke_their_fate_at_the_order(
    dashboard: Dashboard, sandbox: RunningSandbox, number: str, statuses: list[int], orders: int
) -> None:
    for _ in statuses:
        try:
            dashboard.order(number)
        except (http.client.RemoteDisconnected, ConnectionError):
            continue
    assert [call["status"] for call in sandbox.calls("dashboard.orders.create")] == statuses
    assert len(sandbox.state("dashboards")["dashboards"]["9999999"]["orders"]) == orders


@pytest.mark.parametrize(
    ("to", "statuses", "sent"),
    [("+13035550963", [403, 201], 1), ("+13035550964", [503, 201], 2), ("+13035550965", [0, 201], 2)],
)
def test_reserved_recipients_provoke_their_fate_at_the_sending(
    catapult: Catapult, sandbox: RunningSandbox, to: str, statuses: list[int], sent: int
) -> None:
    catapult.import_number("+19195550001")
    for _ in statuses:
        try:
            catapult.post("/messages", {"from": "+19195550001", "to": to, "text": "x"})
        except (http.client.RemoteDisconnected, ConnectionError):
            continue
    assert [call["status"] for call in sandbox.calls("catapult.messages.create")] == statuses
    assert len(catapult.get("/messages").json) == sent
