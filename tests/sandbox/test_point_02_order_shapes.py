import pytest
from lxml import etree

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


def names(element: etree._Element):
    return [child.tag for child in element]


def test_an_order_is_answered_201_in_the_layout_of_the_guide(dashboard: Dashboard) -> None:
    answer = dashboard.order("9199918388", "4158714245")
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>')
    root = answer.xml
    assert root.tag == "ExternalTnsOrderResponse"
    assert names(root) == [
        "OrderCreateDate",
        "AccountId",
        "CreatedByUser",
        "OrderId",
        "ProcessingStatus",
        "Order",
    ]
    assert names(root.find("Order")) == ["CustomerOrderID", "SiteId", "SipPeerId", "Action", "TelephoneNumbers"]
    assert answer.text("ProcessingStatus") == "RECEIVED"
    assert answer.text("CreatedByUser") == "wileCoyote"
    assert [one.text for one in root.iter("TelephoneNumber")] == ["9199918388", "4158714245"]


def test_a_fetched_order_has_its_errors_beside_the_order(dashboard: Dashboard) -> None:
    root = dashboard.finished("9199918388", "9199910900").xml
    assert root.tag == "ExternalTnsOrder"
    assert names(root)[-2:] == ["Order", "Errors"]


def test_shape_b_wraps_the_created_order_and_shows_the_fetched_one_flat(
    dashboard: Dashboard, sandbox: RunningSandbox
) -> None:
    sandbox.switch(shape="B")
    created = dashboard.order("9199918388").xml
    assert names(created) == ["ExternalTnsOrder"]
    assert created.find("ExternalTnsOrder/Errors") is not None
    order_id = created.findtext(".//OrderId")
    fetched = dashboard.wait(f"/externalTns/{order_id}").xml
    assert fetched.tag == "ExternalTnsOrder"
    assert {"CustomerOrderId", "LastModifiedDate", "LoaType", "SiteId"} <= set(names(fetched))
    assert names(fetched)[-1] == "SipPeerId"  # the order of elements is not stable


@pytest.mark.parametrize(
    ("form", "start"), [("none", None), ("relative", "/api/accounts/9999999/externalTns/"), ("absolute", "http://")]
)
def test_the_location_of_an_order_is_set_by_a_switch(
    dashboard: Dashboard, sandbox: RunningSandbox, form: str, start: str | None
) -> None:
    sandbox.switch(dashboard_location=form)
    answer = dashboard.order("9199918388")
    where = answer.headers["Location"]
    assert (where is None) if start is None else where.startswith(start)
    assert where is None or where.endswith(answer.text(".//OrderId"))


@pytest.mark.parametrize("name", ["CustomerOrderID", "CustomerOrderId"])
def test_either_spelling_of_the_own_id_is_read(dashboard: Dashboard, name: str) -> None:
    fields = {"CustomerOrderID": None, name: "ICPA 123-x"}
    assert dashboard.order("9199918388", **fields).text(".//CustomerOrderID") == "ICPA 123-x"


def test_a_namespace_padding_and_comments_in_a_request_do_not_matter(dashboard: Dashboard) -> None:
    xml = dashboard.order_xml("9199918388").replace("9199918388", "\n  9199918388 <!-- x -->")
    xml = xml.replace("<ExternalTnsOrder>", '<ExternalTnsOrder xmlns="urn:x" xmlns:xsi="urn:y">')
    assert dashboard.post("/externalTns", xml).status == 201
