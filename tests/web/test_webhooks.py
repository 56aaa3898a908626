"""Looking at webhooks and having them sent again, over HTTP."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.web.conftest import ACCOUNT, Serve, Web
from tnimport.domain.inbound import MessageEvent
from tnimport.domain.lanes import Lane
from tnimport.domain.pacing import Pace
from tnimport.domain.webhooks import DeliveryState, receiver_of
from tnimport.ledger import schema as tables
from tnimport.ledger.claims import dispatch, work
from tnimport.ledger.engine import Ledger
from tnimport.ledger.messaging import inbound
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.notifying.deliveries import Attempt

URL = "https://hooks.example/tn?token=canary"
SIGNING = replace(ACCOUNT, signs=True, inbound_url=URL)


@pytest.fixture
def web(serve: Serve, ledger: Ledger) -> Web:
    """The application with an account that signs."""
    return serve(ledger, accounts={"default": SIGNING})


def came_in(web: Web, message_id: str = "m-1") -> None:
    said = {"event_type": "sms", "sender": "+1", "recipient": "+2", "text": "hi"}
    event = MessageEvent(message_id=message_id, kind="message", **said)
    inbound.store(web.ledger, [inbound.Call(SIGNING, event)])


def listed(web: Web, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get(f"/v1/webhooks{query}").json()["webhooks"]
    return found


def end(web: Web, state: DeliveryState, attempt: Attempt) -> None:
    """The next delivery is attempted, with this result."""
    (grant, *_) = dispatch.claim(web.ledger, "default", Lane.WEBHOOKS, Pace(0, 0), room=1, seconds=30, served={}).grants
    run = work.take(web.ledger, grant.work, grant.serial, 30)
    assert run is not None
    deliveries.begin(web.ledger, run)
    deliveries.ended(web.ledger, run, state, attempt)


def test_a_webhook_is_shown_without_the_query_of_its_address(web: Web) -> None:
    import_id = web.submit("9195550001", notify_url=URL)
    web.post(f"/v1/imports/{import_id}/cancel")
    (one,) = listed(web)
    assert one == web.get(one["links"]["self"]).json()
    assert (one["type"], one["state"], one["attempts"]) == ("import.finished", "waiting", 0)
    assert (one["address"], one["import_id"], one["target"]) == ("https://hooks.example/tn?…", import_id, "url")
    assert one["next_attempt_at"] is not None
    assert "canary" not in web.get("/v1/webhooks").text


def test_webhooks_are_found_by_state_and_by_import_a_page_at_a_time(web: Web) -> None:
    for number in range(3):
        came_in(web, f"m-{number}")
    end(web, DeliveryState.FAILED, Attempt(500, "http_500", "The receiver answered 500."))
    (failed,) = listed(web, "?state=failed")
    assert (failed["status"], failed["code"], failed["next_attempt_at"]) == (500, "http_500", None)
    first = web.get("/v1/webhooks?page_size=2").json()
    rest = web.get(f"/v1/webhooks?page_size=2&page_token={first['next_page_token']}").json()
    assert [len(first["webhooks"]), len(rest["webhooks"]), rest["next_page_token"]] == [2, 1, ""]
    assert len({one["id"] for one in (*first["webhooks"], *rest["webhooks"])}) == 3
    assert listed(web, "?import_id=imp_nothing") == []


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DISABLED])
def test_whatever_became_of_it_a_webhook_can_be_sent_again_under_its_id(web: Web, state: DeliveryState) -> None:
    came_in(web)
    end(web, state, Attempt(410, "http_410"))
    (one,) = listed(web)
    for _ in range(2):
        answer = web.post(one["links"]["replay"])
        assert answer.status_code == 202
        assert (answer.json()["id"], answer.json()["state"]) == (one["id"], "waiting")
    with web.ledger.read() as tx:
        (row,) = tx.run(sa.select(tables.work)).all()
    assert (row.delivery_id, row.attempts, row.receiver) == (one["id"], 0, receiver_of(URL))
    end(web, DeliveryState.DELIVERED, Attempt(204))
    assert (listed(web)[0]["attempts"], listed(web)[0]["state"]) == (2, "delivered")


def test_one_that_waits_for_its_next_attempt_waits_no_longer(web: Web) -> None:
    came_in(web)
    with web.ledger.write() as tx:
        tx.run(sa.update(tables.work).values(due_at=tx.now + 3600, attempts=7))
    (one,) = listed(web)
    assert web.post(one["links"]["replay"]).status_code == 202
    assert listed(web)[0]["next_attempt_at"] < one["next_attempt_at"]
    with web.ledger.read() as tx:
        assert tx.run(sa.select(tables.work.c.attempts)).scalar_one() == 0


def test_what_came_in_goes_to_where_the_settings_say_now(serve: Serve, web: Web) -> None:
    came_in(web)
    end(web, DeliveryState.FAILED, Attempt(None, "address_refused"))
    mended = serve(web.ledger, accounts={"default": replace(SIGNING, inbound_url="https://new.example/in?k=v")})
    (one,) = listed(mended)
    assert mended.post(one["links"]["replay"]).json()["address"] == "https://new.example/in?…"
    with web.ledger.read() as tx:
        assert tx.run(sa.select(tables.work.c.receiver)).scalar_one() == receiver_of("https://new.example/in")


def test_another_account_s_webhooks_are_not_there(serve: Serve, web: Web) -> None:
    came_in(web)
    (one,) = listed(web)
    south = serve(web.ledger, accounts={}, visible=frozenset({"south"}))
    assert listed(south) == []
    assert south.get(one["links"]["self"]).status_code == 404
    assert south.post(one["links"]["replay"]).status_code == 404


@pytest.mark.parametrize("path", ["/v1/webhooks/whk_0", "/v1/webhooks/no%20id", "/v1/webhooks/" + "x" * 60])
def test_what_is_no_webhook_is_not_found(web: Web, path: str) -> None:
    assert web.get(path).status_code == 404
    assert web.post(f"{path}/replay").status_code == 404


def test_a_wrong_query_is_refused(web: Web) -> None:
    assert web.get("/v1/webhooks?state=lost").status_code == 422
    assert web.get("/v1/webhooks?stat=failed").status_code == 422
    assert web.get("/v1/webhooks?page_token=x").status_code == 400
