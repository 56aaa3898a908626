import base64
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult, Dashboard, Listener


@pytest.fixture
def pair(catapult: Catapult, sandbox: RunningSandbox, listener: Listener):
    """Two imported numbers; the function gives the second an application that calls the listener."""
    sandbox.put_in_service(["9195550001", "9195550002", "9195550966", "9195550967", "9195550968"])
    catapult.import_number("+19195550001")

    def connect(number: str = "+19195550002", **more: object):
        catapult.make_application(**{"incomingMessageUrl": f"{listener.url}/in"} | more)
        catapult.import_number(number)

    return connect


def send(catapult: Catapult, to: str = "+19195550002", **more: object):
    wanted = {"from": "+19195550001", "to": to, "text": "Meep & meep", **more}
    return catapult.post("/messages", wanted).headers["Location"].rpartition("/")[2]


def test_a_message_to_an_imported_number_comes_in_by_post(
    catapult: Catapult, pair: Callable[..., None], listener: Listener
) -> None:
    pair()
    send(catapult)
    (call,) = listener.at("/in")
    event = json.loads(call.body)
    assert (call.method, call.headers["Content-Type"]) == ("POST", "application/json; charset=utf-8")
    assert call.headers["User-Agent"].startswith("BandwidthAPI/v1 (")
    assert event["eventType"] == "sms"
    assert (event["direction"], event["state"], event["text"]) == ("in", "received", "Meep & meep")
    assert (event["from"], event["to"]) == ("+19195550001", "+19195550002")
    assert event["applicationId"] == catapult.application
    assert event["messageUri"].endswith(f"/v1/users/u-1/messages/{event['messageId']}")
    assert catapult.get(f"/messages/{event['messageId']}").json["direction"] == "in"


def test_it_comes_in_by_get_with_everything_in_the_query(
    catapult: Catapult, pair: Callable[..., None], listener: Listener
) -> None:
    pair(callbackHttpMethod="GET")
    send(catapult, media=["http://x.test/a.png", "http://x.test/b.png"])
    (call,) = listener.at("/in")
    query = {name: values[0] for name, values in parse_qs(urlsplit(call.path).query).items()}
    assert (call.method, query["eventType"], query["text"]) == ("GET", "mms", "Meep & meep")
    assert query["to"] == "+19195550002"
    assert query["media"] == "[http://x.test/a.png, http://x.test/b.png]"


@pytest.mark.parametrize("failure", ["an error", "silence"])
def test_the_fallback_is_called_when_the_first_url_fails(
    catapult: Catapult, pair: Callable[..., None], listener: Listener, sandbox: RunningSandbox, failure: str
) -> None:
    pair(incomingMessageFallbackUrl=f"{listener.url}/fallback", incomingMessageUrlCallbackTimeout=200)
    if failure == "silence":
        listener.silent.add("/in")
    else:
        listener.answers["/in"] = [(500, {})]
    send(catapult)
    first, second = listener.at("/in")[0], listener.at("/fallback")[0]
    assert first.body == second.body


def test_the_fallback_is_called_when_the_first_url_answers_nonsense(
    catapult: Catapult, pair: Callable[..., None], listener: Listener
) -> None:
    def answer_nonsense() -> None:
        caller, _ = server.accept()
        with caller:
            caller.sendall(b"MEEP\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_nonsense, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        send(catapult, callbackUrl=url, fallbackUrl=f"{listener.url}/fallback")
        assert json.loads(listener.at("/fallback")[0].body)["state"] == "sent"


def test_the_fallback_is_called_when_the_first_url_cannot_be_called_at_all(
    catapult: Catapult, pair: Callable[..., None], listener: Listener
) -> None:
    send(catapult, callbackUrl="http://\ud800@127.0.0.1:9/", fallbackUrl=f"{listener.url}/fallback")
    assert json.loads(listener.at("/fallback")[0].body)["state"] == "sent"


def test_ten_seconds_are_the_longest_wait(sandbox: RunningSandbox) -> None:
    assert sandbox.state("switches")["switches"]["callback_timeout"] == 10


def test_credentials_in_the_url_become_basic_authorization_and_are_shown_nowhere(
    catapult: Catapult,
    pair: Callable[..., None],
    listener: Listener,
    sandbox: RunningSandbox,
    wait_until: Callable[..., Any],
) -> None:
    url = listener.url.replace("http://", "http://bird:m%40ep@") + "/secret"
    pair(incomingMessageUrl=url)
    send(catapult)
    (call,) = listener.at("/secret")
    assert base64.b64decode(call.headers["Authorization"].split()[1]) == b"bird:m@ep"
    wait_until(lambda: sandbox.state("callbacks")["callbacks"], bool)
    assert "m%40ep" not in json.dumps(sandbox.state())


@pytest.mark.parametrize(("copies", "count"), [(1, 1), (2, 2), (0, 0)])
def test_callbacks_can_be_doubled_and_lost(  # noqa: PLR0917 - pytest passes fixtures and columns by name
    catapult: Catapult,
    pair: Callable[..., None],
    listener: Listener,
    sandbox: RunningSandbox,
    wait_until: Callable[..., Any],
    copies: int,
    count: int,
) -> None:
    sandbox.switch(callback_copies=copies)
    pair()
    send(catapult)
    wait_until(lambda: catapult.get("/messages?direction=in").json, bool)
    sandbox.switch(callback_copies=1)
    send(catapult, text="last")
    listener.at("/in", count + 1)
    texts = [json.loads(one.body)["text"] for one in listener.received]
    assert texts.count("Meep & meep") == count


@pytest.mark.parametrize(("number", "count"), [("+19195550966", 2), ("+19195550967", 0), ("+19195550968", 1)])
def test_reserved_numbers_double_lose_and_delay_theirs(  # noqa: PLR0917 - pytest passes fixtures and columns by name
    catapult: Catapult,
    pair: Callable[..., None],
    listener: Listener,
    number: str,
    count: int,
    wait_until: Callable[..., Any],
) -> None:
    pair(number)
    pair()
    send(catapult, to=number, text="reserved")
    wait_until(lambda: catapult.get("/messages?direction=in").json, bool)
    if count:
        listener.at("/in", count)
    send(catapult)
    listener.at("/in", count + 1)
    texts = [json.loads(one.body)["text"] for one in listener.received]
    assert texts.count("reserved") == count


def test_a_number_without_an_application_leaves_an_error(
    catapult: Catapult, pair: Callable[..., None], wait_until: Callable[..., Any]
) -> None:
    pair()
    catapult.post("/phoneNumbers/%2B19195550002", {"applicationId": ""})
    send(catapult)
    errors = wait_until(lambda: catapult.get("/errors").json, bool)
    assert errors[0]["code"] == "no-application-for-number"


@pytest.mark.parametrize(
    ("to", "wanted", "state", "code"),
    [
        ("+13035550123", "all", "delivered", "0"),
        ("+13035550960", "all", "not-delivered", "750"),
        ("+13035550960", "error", "not-delivered", "750"),
    ],
)
def test_delivery_receipts_are_sent_when_asked_for(  # noqa: PLR0917 - pytest passes fixtures and columns by name
    catapult: Catapult, pair: Callable[..., None], listener: Listener, to: str, wanted: str, state: str, code: str
) -> None:
    message = send(catapult, to=to, receiptRequested=wanted, callbackUrl=f"{listener.url}/out", tag="mine")
    events = [json.loads(one.body) for one in listener.at("/out", 2)]
    sent, receipt = sorted(events, key=lambda one: "deliveryState" in one)  # nothing promises that they come in order
    assert (sent["state"], sent["messageId"], sent["tag"]) == ("sent", message, "mine")
    assert (receipt["deliveryState"], receipt["deliveryCode"]) == (state, code)
    assert catapult.get(f"/messages/{message}").json["deliveryState"] == state


def test_other_hosts_are_not_called_unless_allowed(
    catapult: Catapult, pair: Callable[..., None], sandbox: RunningSandbox, wait_until: Callable[..., Any]
) -> None:
    send(catapult, to="+13035550123", callbackUrl="http://192.0.2.1/out")
    noted = wait_until(lambda: sandbox.state("callbacks")["callbacks"], bool)
    assert noted[0]["outcome"] == "not sent: only loopback is called"


def test_a_message_can_come_from_outside(
    pair: Callable[..., None], listener: Listener, sandbox: RunningSandbox
) -> None:
    pair()
    message = sandbox.inbound("+13035550123", "+19195550002", "hello")
    assert json.loads(listener.at("/in")[0].body)["messageId"] == message
    assert sandbox.inbound("+13035550123", "+19195559999", "hello") is None


SUBSCRIPTION = """<Subscription><OrderType>externalTns</OrderType><CallbackSubscription><URL>{url}</URL>
<Expiry>{expiry}</Expiry><CallbackCredentials><BasicAuthentication><Username>bird</Username>
<Password>s3cret</Password></BasicAuthentication></CallbackCredentials></CallbackSubscription></Subscription>"""


def test_a_subscription_lives_and_never_shows_its_password(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    made = dashboard.post("/subscriptions", SUBSCRIPTION.format(url="http://127.0.0.1:9/o", expiry=3600))
    assert (made.status, made.body) == (201, b"")
    path = "/subscriptions/" + made.headers["Location"].rpartition("/")[2]
    shown = dashboard.get(path)
    assert shown.text(".//Username") == "bird"
    assert b"s3cret" not in shown.body + dashboard.get("/subscriptions").body
    assert "s3cret" not in json.dumps(sandbox.state())
    again = dashboard.post("/subscriptions", SUBSCRIPTION.format(url="http://127.0.0.1:9/o", expiry=1))
    assert again.status == 409
    assert dashboard.call("PUT", path, SUBSCRIPTION.format(url="http://127.0.0.1:9/p", expiry=60)).status == 200
    assert int(dashboard.get(path).text(".//Expiry")) <= 60
    assert (dashboard.call("DELETE", path).status, dashboard.get(path).status) == (200, 404)


@pytest.mark.parametrize("url", ["nowhere", "http://[bad", "http://", "https:///path", "http://x.test:99999/"])
def test_a_subscription_to_a_bad_url_is_refused(dashboard: Dashboard, url: str) -> None:
    refused = dashboard.post("/subscriptions", SUBSCRIPTION.format(url=url, expiry=1))
    assert (refused.status, refused.text(".//ErrorCode")) == (404, "1003")
    assert dashboard.get("/subscriptions").status == 200


@pytest.mark.parametrize("expiry", ["soon", "-1", "1.5", "\u0661"])
def test_a_subscription_with_a_bad_expiry_is_refused(dashboard: Dashboard, expiry: str) -> None:
    refused = dashboard.post("/subscriptions", SUBSCRIPTION.format(url="http://127.0.0.1:9/o", expiry=expiry))
    assert (refused.status, refused.text(".//ErrorCode")) == (404, "1003")


@pytest.mark.parametrize("expiry", ["<Expiry>" + "9" * 5000 + "</Expiry>", "<Expiry/>", ""])
def test_a_subscription_lasts_99_years_at_most_and_so_long_when_nothing_is_said(
    dashboard: Dashboard, expiry: str
) -> None:
    body = SUBSCRIPTION.replace("<Expiry>{expiry}</Expiry>", expiry).format(url="http://127.0.0.1:9/o")
    assert dashboard.post("/subscriptions", body).status == 201
    assert 0 <= 3_122_064_000 - int(dashboard.get("/subscriptions").text(".//Expiry")) < 60


def test_a_subscription_needs_an_order_type_and_a_callback(dashboard: Dashboard) -> None:
    assert dashboard.post("/subscriptions", "<Subscription/>").status == 400


def test_subscriptions_can_be_chosen_by_their_order_type(dashboard: Dashboard) -> None:
    for order_type in ("externalTns", "importTnOrders"):
        body = SUBSCRIPTION.replace("externalTns", order_type).format(url="http://127.0.0.1:9/o", expiry=60)
        dashboard.post("/subscriptions", body)

    def types(query: str) -> list[str | None]:
        return [one.text for one in dashboard.get(f"/subscriptions{query}").xml.iter("OrderType")]

    assert types("?orderType=importTnOrders") == ["importTnOrders"]
    assert types("?orderType=EXTERNALTNS&more=1") == ["externalTns"]
    assert types("?orderType=portins") == []
    assert types("") == ["externalTns", "importTnOrders"]


def test_one_order_can_be_subscribed_to_in_any_letter_case(
    dashboard: Dashboard, listener: Listener, sandbox: RunningSandbox
) -> None:
    sandbox.switch(order_outcome="stuck-received")
    order_id = dashboard.order("9195550001").text("OrderId")
    body = SUBSCRIPTION.replace("</OrderType>", f"</OrderType><OrderId>{order_id.upper()}</OrderId>")
    dashboard.post("/subscriptions", body.format(url=f"{listener.url}/orders", expiry=60))
    sandbox.release()
    assert order_id.encode() in listener.at("/orders")[0].body


def test_an_expired_subscription_makes_room_for_the_same_again(dashboard: Dashboard) -> None:
    expired = SUBSCRIPTION.format(url="http://127.0.0.1:9/o", expiry=0)
    assert [dashboard.post("/subscriptions", expired).status for _ in range(2)] == [201, 201]


def test_an_ended_order_is_notified_with_credentials_only_when_challenged(
    dashboard: Dashboard, listener: Listener
) -> None:
    listener.answers["/orders"] = [(401, {"WWW-Authenticate": 'Basic realm="x"'})]
    dashboard.post("/subscriptions", SUBSCRIPTION.format(url=f"{listener.url}/orders", expiry=3600))
    order = dashboard.order("9195550001", "9195550900")
    first, second = listener.at("/orders", 2)
    assert first.headers["Authorization"] is None
    assert base64.b64decode(second.headers["Authorization"].split()[1]) == b"bird:s3cret"
    assert order.text("OrderId").encode() in second.body
    assert b"<Status>PARTIAL</Status>" in second.body
    assert b"<OrderType>externalTns</OrderType>" in second.body


def test_a_failed_notification_is_kept_in_the_status_and_not_repeated(
    dashboard: Dashboard, listener: Listener, wait_until: Callable[..., Any]
) -> None:
    listener.answers["/orders"] = [(202, {})]
    made = dashboard.post("/subscriptions", SUBSCRIPTION.format(url=f"{listener.url}/orders", expiry=3600))
    dashboard.finished("9195550001")
    path = "/subscriptions/" + made.headers["Location"].rpartition("/")[2]
    assert wait_until(lambda: dashboard.get(path).text(".//Status"), bool) == "failed: 202"
    assert len(listener.received) == 1


def test_an_exception_and_an_expired_subscription_are_not_notified(dashboard: Dashboard, listener: Listener) -> None:
    dashboard.post("/subscriptions", SUBSCRIPTION.format(url=f"{listener.url}/late", expiry=0))
    dashboard.post("/subscriptions", SUBSCRIPTION.format(url=f"{listener.url}/orders", expiry=60))
    dashboard.finished("9195550914")
    dashboard.finished("9195550001")
    listener.at("/orders")
    assert b"COMPLETE" in listener.received[0].body
    assert len(listener.received) == 1
