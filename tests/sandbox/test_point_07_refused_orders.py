from urllib.parse import quote

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Action": "import"}, "5081"),
        ({"Action": None}, "5081"),
        ({"CustomerOrderID": None}, "1003"),
        ({"CustomerOrderID": "x" * 41}, "5052"),
        ({"CustomerOrderID": "under_score"}, "5052"),
        ({"LoaType": "FRIEND"}, "25110"),
        ({"Action": "REMOVE", "LoaType": "CARRIER"}, "25020"),
    ],
)
def test_a_bad_field_is_refused_with_its_code(dashboard: Dashboard, fields: dict[str, str | None], code: str) -> None:
    answer = dashboard.order("9195550001", **fields)
    assert (answer.status, answer.text("ResponseStatus/ErrorCode")) == (400, code)


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((), "5073"),
        (("919555001",), "5070"),
        (("+19195550001",), "5070"),
        (("9195550001", "9195550001"), "5093"),
        (("\uff19\uff11\uff19\uff15\uff15\uff15\uff10\uff10\uff10\uff11",), "5070"),
    ],
)
def test_bad_numbers_are_refused_with_their_code(dashboard: Dashboard, numbers: tuple[str, ...], code: str) -> None:
    answer = dashboard.order(*numbers)
    assert (answer.status, answer.text("ResponseStatus/ErrorCode")) == (400, code)


def test_the_longest_own_id_is_taken(dashboard: Dashboard) -> None:
    assert dashboard.order("9195550001", CustomerOrderID="x" * 40).status == 201


def test_an_own_id_may_be_left_out_by_switch(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(require_customer_order_id=False)
    answer = dashboard.order("9195550001", CustomerOrderID=None)
    assert (answer.status, answer.text(".//CustomerOrderID")) == (201, None)


def test_an_order_has_a_largest_size(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(max_order_size=2)
    assert dashboard.order("9195550001", "9195550002").status == 201
    assert dashboard.order("9195550001", "9195550002", "9195550003").text(".//ErrorCode") == "5095"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<Order/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><ExternalTnsOrder>&a;</ExternalTnsOrder>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><ExternalTnsOrder/>',
    ],
)
def test_what_is_no_order_is_refused(dashboard: Dashboard, body: bytes) -> None:
    answer = dashboard.post("/externalTns", body)
    assert (answer.status, answer.text("ResponseStatus/ErrorCode")) == (400, "1010")


def test_a_refused_order_leaves_nothing_behind(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    dashboard.order("9195550001", Action="x")
    assert sandbox.state("dashboards")["dashboards"]["9999999"]["orders"] == []


def test_an_unknown_order_is_404_without_a_code(dashboard: Dashboard) -> None:
    answer = dashboard.get("/externalTns/65e03a35-6b97-48a5-8126-f47bad02df2a")
    assert (answer.status, answer.xml.tag) == (404, "ExternalTnsOrderResponse")
    assert [child.tag for child in answer.xml.find("ResponseStatus")] == ["Description"]
    assert answer.text(".//Description") == "The resource does not exist"


@pytest.mark.parametrize("collection", ["externalTns", "importTnOrders"])
@pytest.mark.parametrize(
    "given",
    [
        "x",
        "{65e03a35-6b97-48a5-8126-f47bad02df2a}",
        "urn:uuid:65e03a35-6b97-48a5-8126-f47bad02df2a",
        "65e03a356b9748a58126f47bad02df2a",
        "65e03a35-6b97-48a5-8126-f47bad02df2\u0661",
        "65e03a35-6b97-48a5-8126-f47bad02df2a\n",
    ],
)
def test_a_malformed_order_id_is_400_with_1008(dashboard: Dashboard, collection: str, given: str) -> None:
    answer = dashboard.get(f"/{collection}/{quote(given)}")
    assert (answer.status, answer.text(".//ErrorCode")) == (400, "1008")
    assert answer.text(".//Description") == f"'{given}' is not a valid UUID"


def test_an_order_id_is_read_in_any_letter_case(dashboard: Dashboard) -> None:
    order_id = dashboard.order("9195550001").text("OrderId")
    assert dashboard.get(f"/externalTns/{order_id.upper()}").text("OrderId") == order_id


@pytest.mark.parametrize("given", ["%00", "a%1Bb", "%EF%BF%BE", "%0B"])
def test_an_answer_that_repeats_a_control_character_is_still_xml(dashboard: Dashboard, given: str) -> None:
    assert "\ufffd" in dashboard.get(f"/externalTns/{given}").text(".//Description")


def test_comments_and_instructions_may_stand_anywhere(dashboard: Dashboard) -> None:
    body = dashboard.order_xml("9195550001", SiteId="<!-- site -->7<?why not?>43", Action="IMPORT<!-- done -->")
    body = body.replace("<TelephoneNumber>", "<!-- a number --><TelephoneNumber><?x?>")
    made = dashboard.post("/externalTns", f"<!-- first -->{body}<!-- last -->")
    assert (made.status, made.text(".//SiteId"), made.text(".//TelephoneNumber")) == (201, "743", "9195550001")


def test_a_number_can_have_the_order_refused_with_repeated_errors(dashboard: Dashboard) -> None:
    answer = dashboard.order("9195550916")
    assert (answer.status, answer.text("ProcessingStatus")) == (400, "FAILED")
    assert [child.tag for child in answer.xml] == ["ProcessingStatus", "Errors", "Errors"]
    assert answer.xml.find("Errors/Error") is None
