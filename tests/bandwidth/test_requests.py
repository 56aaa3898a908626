"""What is sent: paths, queries and bodies, as the guide's five steps and the documents have them."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from lxml import etree

from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.bandwidth.errors import Delivery, Permanent
from tnimport.bandwidth.exchange import Reply, base
from tnimport.bandwidth.externaltns import OrderRequest
from tnimport.bandwidth.messages import MessageSpec
from tnimport.bandwidth.subscriptions import SubscriptionSpec

Client = Callable[..., Any]
ACCOUNT = "https://dashboard.bandwidth.com/api/accounts/9999999"
USER = "https://api.catapult.inetwork.com/v1/users/u-1"
NONE = Reply(204, {}, b"")
DONE = Reply(200, {}, b"")
NUMBERS = ["9195550100", "+1 (919) 555-0101"]


def order(**changes: Any) -> OrderRequest:
    given = {"customer_order_id": "ICPA 1-a", "site_id": "743", "sip_peer_id": "303716", "numbers": NUMBERS}
    return OrderRequest(**(given | changes))


def made(location: str) -> Reply:
    return Reply(201, {"location": location}, b"")


def test_an_order_is_the_xml_of_step_1(dashboard: Client) -> None:
    client, sent = dashboard(made("/externalTns/o-1"))
    assert client.create_order(order(), 5).order_id == "o-1"
    (request,) = sent.requests
    assert (request.method, request.url, request.effect) == ("POST", f"{ACCOUNT}/externalTns", True)
    assert request.headers["Content-Type"] == "application/xml; charset=utf-8"
    root = etree.fromstring(request.body)
    assert [(node.tag, node.text) for node in root][:4] == [
        ("CustomerOrderID", "ICPA 1-a"),
        ("SiteId", "743"),
        ("SipPeerId", "303716"),
        ("Action", "IMPORT"),
    ]
    assert [node.text for node in root.iter("TelephoneNumber")] == ["9195550100", "9195550101"]


def test_an_order_without_a_peer_leaves_it_out(dashboard: Client) -> None:
    client, sent = dashboard(made("/externalTns/o-1"))
    client.create_order(order(sip_peer_id=None, action="REMOVE", site_id="7<3"), 5)
    root = etree.fromstring(sent.requests[0].body)
    assert root.find("SipPeerId") is None
    assert (root.findtext("Action"), root.findtext("SiteId")) == ("REMOVE", "7<3")


@pytest.mark.parametrize(
    "wrong",
    [
        {"numbers": []},
        {"numbers": ["91955501"]},
        {"numbers": ["+4930123456"]},
        {"customer_order_id": ""},
        {"customer_order_id": "x" * 41},
        {"customer_order_id": "a_b"},
        {"customer_order_id": "a\n"},
        {"customer_order_id": "   "},
        {"customer_order_id": " a"},
        {"customer_order_id": "a "},
    ],
)
def test_an_order_that_is_known_to_be_refused_is_not_sent(dashboard: Client, wrong: dict[str, Any]) -> None:
    client, sent = dashboard(NONE)
    with pytest.raises(Permanent) as caught:
        client.create_order(order(**wrong), 5)
    assert (caught.value.code, caught.value.delivery) == ("invalid_request", Delivery.NOT_SENT)
    assert sent.requests == []


@pytest.mark.parametrize(
    ("call", "method", "url"),
    [
        (lambda c: c.list_orders(5), "GET", "/externalTns"),
        (lambda c: c.list_orders(5, customer_order_id="a b"), "GET", "/externalTns?customerOrderId=a+b"),
        (lambda c: c.list_orders(5, status="PARTIAL"), "GET", "/externalTns?status=PARTIAL"),
        (lambda c: c.list_orders(5, status=["A", "B"]), "GET", "/externalTns?status=A&status=B"),
        (lambda c: c.list_orders(5, tn="+19195550100"), "GET", "/externalTns?tn=9195550100"),
        (
            lambda c: c.list_orders(5, order_id_fragment="ab", action="IMPORT", loa_type="CARRIER"),
            "GET",
            "/externalTns?orderIdFragment=ab&action=IMPORT&loaType=CARRIER",
        ),
        (
            lambda c: c.list_orders(5, created_from=date(2026, 1, 2), created_to=date(2026, 1, 3)),
            "GET",
            "/externalTns?createdDateFrom=2026-01-02&createdDateTo=2026-01-03",
        ),
        (
            lambda c: c.list_orders(5, modified_from=date(2026, 1, 2), modified_to=date(2026, 1, 3)),
            "GET",
            "/externalTns?modifiedDateFrom=2026-01-02&modifiedDateTo=2026-01-03",
        ),
        (lambda c: c.list_in_service(5), "GET", "/inserviceNumbers?page=1&size=500"),
        (lambda c: c.list_in_service(5, after="size=2&page=2"), "GET", "/inserviceNumbers?size=2&page=2"),
        (lambda c: c.list_sites(5), "GET", "/sites"),
        (lambda c: c.list_sip_peers("743", 5), "GET", "/sites/743/sippeers"),
        (lambda c: c.list_subscriptions(5), "GET", "/subscriptions"),
        (
            lambda c: c.list_subscriptions(5, order_type="externalTns", order_id="o"),
            "GET",
            "/subscriptions?orderType=externalTns&orderId=o",
        ),
        (lambda c: c.delete_subscription("s/1", 5), "DELETE", "/subscriptions/s%2F1"),
    ],
)
def test_a_dashboard_call_goes_to_its_path(dashboard: Client, call: Any, method: str, url: str) -> None:
    client, sent = dashboard(NONE)
    call(client)
    assert [(request.method, request.url, request.effect) for request in sent.requests] == [
        (method, ACCOUNT + url, False)
    ]


XML = "<r><Site><Id>1</Id></Site><SipPeer><PeerId>2</PeerId></SipPeer><Subscription><SubscriptionId>3</SubscriptionId>"
XML += "</Subscription><OrderId>o-1</OrderId></r>"


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda c: c.get_order("o-1", 5), "/externalTns/o-1"),
        (lambda c: c.get_site("1", 5), "/sites/1"),
        (lambda c: c.get_sip_peer("1", "2", 5), "/sites/1/sippeers/2"),
        (lambda c: c.get_subscription("3", 5), "/subscriptions/3"),
        (lambda c: c.is_in_service("+19195550100", 5), "/inserviceNumbers/9195550100"),
    ],
)
def test_a_dashboard_lookup_goes_to_its_path(dashboard: Client, call: Any, path: str) -> None:
    client, sent = dashboard(Reply(200, {}, XML.encode()))
    assert call(client)
    assert sent.requests[0].url == ACCOUNT + path


def test_a_subscription_asks_for_order_notifications(dashboard: Client) -> None:
    client, sent = dashboard(made("/subscriptions/s-1"))
    spec = SubscriptionSpec(url="https://h.invalid/x?a=1&b=2", order_id="o", expiry=60, username="u", password="p")
    assert client.create_subscription(spec, 5) == "s-1"
    root = etree.fromstring(sent.requests[0].body)
    assert root.findtext("OrderType") == "externalTns"
    assert root.findtext("CallbackSubscription/URL") == "https://h.invalid/x?a=1&b=2"
    assert root.findtext("CallbackSubscription/Expiry") == "60"
    basic = root.find("CallbackSubscription/CallbackCredentials/BasicAuthentication")
    assert basic is not None
    assert [node.text for node in basic] == ["u", "p"]
    client.create_subscription(SubscriptionSpec(url="https://h.invalid/"), 5)
    assert b"Credentials" not in sent.requests[1].body


def test_an_import_is_the_json_of_step_4(catapult: Client) -> None:
    client, sent = catapult(made(f"{USER}/phoneNumbers/n-1"))
    assert client.import_number("4352154439", "a-1", 5, name='text "x"') == "n-1"
    (request,) = sent.requests
    assert (request.method, request.url, request.effect) == ("POST", f"{USER}/phoneNumbers", True)
    assert json.loads(request.body) == {
        "number": "+14352154439",
        "applicationId": "a-1",
        "name": 'text "x"',
        "provider": {
            "providerName": "bandwidth-dashboard",
            "properties": {"accountId": "9999999", "userName": "wileCoyote", "password": "canaryDash/1"},
        },
    }
    client.import_number("+14352154439", "a-1", 5)
    assert "name" not in json.loads(sent.requests[1].body)


def test_an_application_is_the_json_of_step_3(catapult: Client) -> None:
    client, sent = catapult(made("/v1/users/u-1/applications/a-1"))
    spec = ApplicationSpec(
        name="n",
        incoming_message_url="https://h.invalid/m",
        incoming_message_url_callback_timeout=9000,
        incoming_message_fallback_url="https://h.invalid/f",
        callback_http_method="GET",
        auto_answer=False,
    )
    assert client.create_application(spec, 5) == "a-1"
    assert sent.requests[0].url == f"{USER}/applications/"
    assert json.loads(sent.requests[0].body) == {
        "name": "n",
        "incomingMessageUrl": "https://h.invalid/m",
        "incomingMessageUrlCallbackTimeout": 9000,
        "incomingMessageFallbackUrl": "https://h.invalid/f",
        "callbackHttpMethod": "GET",
        "autoAnswer": False,
    }


def test_a_message_always_has_its_plus(catapult: Client) -> None:
    client, sent = catapult(made("/messages/m-1"))
    spec = MessageSpec(sender="14352154439", to="9195550100", text="Größe", media=["https://h.invalid/a"], tag="t")
    assert client.send_message(spec, 5) == "m-1"
    value = json.loads(sent.requests[0].body)
    assert value == {
        "from": "+14352154439",
        "to": "+19195550100",
        "text": "Größe",
        "media": ["https://h.invalid/a"],
        "tag": "t",
    }


def test_a_batch_is_an_array_of_at_most_50(catapult: Client) -> None:
    spec = MessageSpec(sender="+14352154439", to="+447700900123", text="x")
    results = json.dumps([{"result": "accepted", "location": "/messages/m-1"}] * 50).encode()
    client, sent = catapult(Reply(202, {}, results))
    assert len(client.send_messages([spec] * 50, 5)) == 50
    assert json.loads(sent.requests[0].body)[49]["to"] == "+447700900123"
    assert sent.requests[0].effect
    for wrong in ([], [spec] * 51):
        with pytest.raises(Permanent):
            client.send_messages(wrong, 5)


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (lambda c: c.list_applications(5), "GET", "/applications?page=0&size=1000", None),
        (lambda c: c.list_applications(5, after="page=1&size=2"), "GET", "/applications?page=1&size=2", None),
        (
            lambda c: c.list_numbers(5, size=9, application_id="a", number_state="enabled", state="NC", city="X"),
            "GET",
            "/phoneNumbers?page=0&size=9&applicationId=a&state=NC&city=X&numberState=enabled",
            None,
        ),
        (
            lambda c: c.list_messages(5, sender="+19195550100", direction="in", sort_order="asc"),
            "GET",
            "/messages?size=1000&from=%2B19195550100&direction=in&sortOrder=asc",
            None,
        ),
        (
            lambda c: c.update_application("a-1", ApplicationSpec(name="n"), 5),
            "POST",
            "/applications/a-1",
            {"name": "n"},
        ),
        (lambda c: c.delete_application("a-1", 5), "DELETE", "/applications/a-1", None),
        (
            lambda c: c.update_number("n-1", 5, application_id=""),
            "POST",
            "/phoneNumbers/n-1",
            {"applicationId": ""},
        ),
        (lambda c: c.delete_number("+19195550100", 5), "DELETE", "/phoneNumbers/%2B19195550100", None),
    ],
)
def test_a_catapult_call_goes_to_its_path(catapult: Client, call: Any, method: str, path: str, body: Any) -> None:
    client, sent = catapult(DONE)
    call(client)
    (request,) = sent.requests
    assert (request.method, request.url, request.effect) == (method, USER + path, False)
    assert (request.body and json.loads(request.body)) == body


def test_a_number_is_looked_up_by_its_encoded_form(catapult: Client) -> None:
    client, sent = catapult(Reply(200, {}, b'{"id": "n-1", "number": "+19195550100"}'))
    assert client.get_number("+19195550100", 5).number_id == "n-1"
    assert sent.requests[0].url == f"{USER}/phoneNumbers/%2B19195550100"
    assert client.get_application("n-1", 5).application_id == "n-1"
    assert client.get_message("n-1", 5).message_id == "n-1"


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_an_id_that_would_leave_its_path_is_not_sent(catapult: Client, name: str) -> None:
    client, sent = catapult(DONE)
    with pytest.raises(Permanent) as caught:
        client.delete_number(name, 5)
    assert (caught.value.code, caught.value.delivery) == ("invalid_id", Delivery.NOT_SENT)
    assert sent.requests == []


def test_both_apis_are_asked_with_basic_authentication(dashboard: Client, catapult: Client) -> None:
    for make, expected in ((dashboard, b"wileCoyote:canaryDash/1"), (catapult, b"t-1:canaryCata/1")):
        client, sent = make(NONE)
        (client.list_sites if make is dashboard else client.list_numbers)(5)
        scheme, _, token = sent.requests[0].headers["Authorization"].partition(" ")
        assert (scheme, b64decode(token)) == ("Basic", expected)


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://", "https://u:p@x/", "https://x/?a", "https://x/#a", "x/y", "https://x y/"]
)
def test_a_base_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="a base URL is") as caught:
        base(url)
    assert "u:p" not in str(caught.value)
