"""No credential is in what an error, a request or a credential shows, whatever the carrier echoes."""

import json
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tnimport.bandwidth.applications import Application, ApplicationSpec
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.errors import CarrierError, Delivery, NotFound, RateLimited
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.messages import MessageSpec
from tnimport.bandwidth.subscriptions import SubscriptionSpec

Client = Callable[..., Any]
DASH, CATA = "canaryDash/1", "canaryCata/1"


def shown(error: CarrierError) -> str:
    return repr(error) + str(error) + repr(vars(error)) + repr(error.args)


@pytest.mark.parametrize("secret", [DASH, CATA, quote(DASH, safe=""), quote(CATA, safe="")])
@pytest.mark.parametrize("field", ["code", "message"])
def test_a_secret_that_catapult_echoes_is_taken_out(catapult: Client, secret: str, field: str) -> None:
    body = {"category": "bad-request", "code": "validation-error", "message": "x", field: f"in {secret} here"}
    client, sent = catapult(Reply(400, {}, json.dumps(body).encode()))
    with pytest.raises(CarrierError) as caught:
        client.import_number("+19195550100", "a-1", 5)
    assert secret not in shown(caught.value)
    assert "[secret]" in str(caught.value)
    token = sent.requests[0].headers["Authorization"].removeprefix("Basic ")
    client, _ = catapult(Reply(400, {}, json.dumps(body | {field: token}).encode()))
    with pytest.raises(CarrierError) as caught:
        client.import_number("+19195550100", "a-1", 5)
    assert token not in shown(caught.value)


def test_a_secret_that_the_dashboard_echoes_is_taken_out(dashboard: Client) -> None:
    body = f"<R><ResponseStatus><ErrorCode>1</ErrorCode><Description>not {DASH}</Description></ResponseStatus></R>"
    client, _ = dashboard(Reply(400, {}, body.encode()))
    with pytest.raises(CarrierError) as caught:
        client.get_order("o-1", 5)
    assert caught.value.description == "not [secret]"


def test_a_secret_in_the_errors_of_an_order_or_a_batch_is_taken_out(dashboard: Client, catapult: Client) -> None:
    body = (
        f"<O><OrderId>o-1</OrderId><Errors><Error><Code>1</Code><Description>{DASH}</Description></Error></Errors></O>"
    )
    client, _ = dashboard(Reply(200, {}, body.encode()))
    for order in (client.get_order("o-1", 5), *client.list_orders(5)):
        assert order.errors[0].description == "[secret]"
    results = [{"result": "error", "error": {"code": "c", "message": CATA}}]
    client, _ = catapult(Reply(202, {}, json.dumps(results).encode()))
    (sent,) = client.send_messages([MessageSpec(sender="9195550100", to="9195550101")], 5)
    assert CATA not in shown(sent.error)


def test_the_password_of_a_subscription_is_taken_out(dashboard: Client) -> None:
    body = b"<R><ResponseStatus><ErrorCode>1</ErrorCode><Description>canaryHook</Description></ResponseStatus></R>"
    client, _ = dashboard(Reply(400, {}, body))
    with pytest.raises(CarrierError) as caught:
        client.create_subscription(SubscriptionSpec(url="https://h.invalid/", username="u", password="canaryHook"), 5)
    assert caught.value.description == "[secret]"


@pytest.mark.parametrize(
    "value",
    [
        DashboardCredentials(account_id="1", username="u", password="canary"),
        CatapultCredentials(user_id="1", token="t", secret="canary"),
        Request(method="POST", url="https://h.invalid/", headers={"Authorization": "canary"}, body=b"canary"),
        ApplicationSpec(name="n", incoming_message_url="https://u:canary@h.invalid/"),
        Application(application_id="a", incoming_message_fallback_url="https://u:canary@h.invalid/"),
        SubscriptionSpec(url="https://u:canary@h.invalid/", password="canary"),
        MessageSpec(sender="1", to="2", callback_url="https://u:canary@h.invalid/"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_hold_secrets_do_not_show_them(value: object) -> None:
    assert "canary" not in repr(value) + str(value)


@pytest.mark.parametrize("kind", [CarrierError, NotFound, RateLimited])
def test_an_error_survives_pickling(kind: type[CarrierError]) -> None:
    error = kind("c", "d", status=429, delivery=Delivery.UNANSWERED, retry_after=1.5, retry_at=2.5)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert (str(error), str(kind("c"))) == ("c: d", "c")
