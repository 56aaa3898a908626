from collections.abc import Callable
from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult


def test_a_created_resource_is_an_empty_201_with_a_location(catapult: Catapult) -> None:
    answer = catapult.post("/applications/", {"name": "a", "incomingMessageUrl": "http://x.test/in"})
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["Location"].startswith("/v1/users/u-1/applications/a-")
    assert answer.headers["Content-Type"] is None


def test_the_recorded_type_beside_the_empty_body_comes_by_switch(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.switch(created_content_type="json")
    answer = catapult.post("/applications", {"name": "a", "incomingMessageUrl": "http://x.test/in"})
    assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == ("application/json", "0")


@pytest.mark.parametrize(
    ("form", "start"), [("guide", "http://"), ("relative", "/v1/"), ("absolute", "http://"), ("none", None)]
)
def test_the_form_of_a_location_is_set_by_a_switch(
    catapult: Catapult, sandbox: RunningSandbox, form: str, start: str | None
) -> None:
    sandbox.put_in_service(["9195550001"])
    catapult.make_application()
    sandbox.switch(catapult_location=form)
    where = catapult.import_number("+19195550001").headers["Location"]
    assert (where is None) if start is None else where.startswith(start)


def test_an_application_lives(catapult: Catapult) -> None:
    path = f"/applications/{catapult.make_application(callbackHttpMethod='GET', autoAnswer=None)}"
    shown = catapult.get(path).json
    assert (shown["callbackHttpMethod"], shown["autoAnswer"]) == ("get", True)
    assert shown["incomingMessageUrl"] == shown["incomingSmsUrl"] == "http://127.0.0.1:9/in"
    updated = catapult.post(path, {"name": "new", "incomingSmsFallbackUrl": "http://127.0.0.1:9/f"})
    assert (updated.status, updated.body, updated.headers["Content-Type"]) == (200, b"", None)
    shown = catapult.get(path).json
    assert (shown["name"], shown["incomingMessageFallbackUrl"]) == ("new", "http://127.0.0.1:9/f")
    assert shown["incomingMessageUrl"] == "http://127.0.0.1:9/in"  # what is not given stays
    assert (catapult.call("DELETE", path).status, catapult.get(path).status) == (200, 404)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"incomingMessageUrl": "http://x.test"}, "missing-property"),
        ({"name": None, "incomingMessageUrl": "http://x.test"}, "missing-property"),
        ({"name": " ", "incomingMessageUrl": "http://x.test"}, "blank-property"),
        ({"name": "a"}, "validation-error"),
        ({"name": "a", "incomingMessageUrl": "ftp://x.test"}, "validation-error"),
        ({"name": "a", "incomingMessageUrl": "http://[bad"}, "validation-error"),
        ({"name": "a", "incomingMessageUrl": "http://x.test:port/"}, "validation-error"),
        ({"name": "a", "incomingMessageUrl": "http://x.test/a b"}, "validation-error"),
        ({"name": "a", "incomingMessageUrl": "http://x.test/\r\nX: y"}, "validation-error"),
        ({"name": "a", "incomingMessageUrl": "http://x.test", "callbackHttpMethod": "PUT"}, "validation-error"),
        (
            {"name": "a", "incomingMessageUrl": "http://x.test", "incomingMessageUrlCallbackTimeout": 10001},
            "validation-error",
        ),
        ([], "validation-error"),
        (b"{", "validation-error"),
    ],
)
def test_a_bad_application_is_refused(catapult: Catapult, wanted: object, code: str) -> None:
    answer = catapult.post("/applications", wanted)
    assert (answer.status, answer.json["category"], answer.json["code"]) == (400, "bad-request", code)


def test_details_end_with_the_request_and_a_404_begins_with_the_id(catapult: Catapult) -> None:
    answer = catapult.get("/applications/a-unknown")
    assert (answer.status, answer.json["code"]) == (404, "application-not-found")
    assert answer.json["details"] == [
        {"name": "applicationId", "value": "a-unknown"},
        {"name": "requestMethod", "value": "GET"},
        {"name": "remoteAddress", "value": "127.0.0.1"},
        {"name": "requestPath", "value": "users/u-1/applications/a-unknown"},
    ]


def test_the_path_in_the_details_has_no_version_however_it_is_written(catapult: Catapult) -> None:
    catapult.root = "/V1/Users/u-1"
    assert catapult.get("/applications/x").json["details"][-1]["value"] == "Users/u-1/applications/x"


def test_a_refused_update_changes_nothing(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.put_in_service(["4352154439"])
    catapult.import_number("+14352154439", name="kept")
    path = "/phoneNumbers/%2B14352154439"
    before = catapult.get(path).json
    assert catapult.post(path, {"applicationId": "", "name": "lost", "fallbackNumber": 5}).status == 400
    assert catapult.get(path).json == before


def test_lists_come_in_pages_with_links(catapult: Catapult) -> None:
    for index in range(5):
        catapult.post("/applications", {"name": f"a{index}", "incomingCallUrl": "http://x.test"})
    answer = catapult.get("/applications?size=2&page=1&name=kept")
    assert [one["name"] for one in answer.json] == ["a2", "a3"]
    first, following = answer.headers["Link"].split(", ")
    assert first.endswith('applications?name=kept&page=0&size=2>; rel="first"')
    assert following.endswith('applications?name=kept&page=2&size=2>; rel="next"')
    last = catapult.get("/applications?size=2&page=2").headers["Link"]
    assert 'rel="first"' in last
    assert 'rel="next"' not in last


def test_a_page_has_25_items_unless_said_otherwise_and_1000_at_most(
    catapult: Catapult, sandbox: RunningSandbox
) -> None:
    sandbox.put_in_service([f"919555{line:04}" for line in range(30)])
    for line in range(30):
        catapult.import_number(f"+1919555{line:04}")
    assert len(catapult.get("/phoneNumbers").json) == 25
    assert len(catapult.get("/phoneNumbers?size=1000").json) == 30
    assert catapult.get("/phoneNumbers?size=1001").status == 400
    assert catapult.get("/phoneNumbers?page=-1").status == 400
    assert len(catapult.get("/phoneNumbers?page=" + "0" * 5000 + "1").json) == 5
    assert catapult.get("/phoneNumbers?size=" + "0" * 19 + "1999999").status == 400
    assert catapult.get("/messages?sortKeyLT=" + "9" * 5000).status == 400
    assert catapult.get("/messages?fromDateTime=yesterday").status == 400


def test_a_number_lives(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.put_in_service(["4352154439"])
    made = catapult.import_number("+14352154439", name="text messaging TN", fallbackNumber=None)
    number_id = made.headers["Location"].rpartition("/")[2]
    shown = catapult.get("/phoneNumbers/%2B14352154439").json
    assert shown["id"] == number_id
    assert (shown["number"], shown["nationalNumber"]) == ("+14352154439", "(435) 215-4439")
    assert (shown["city"], shown["state"], shown["numberState"]) == ("ST GEORGE", "UT", "enabled")
    assert shown["application"].endswith(f"/v1/users/u-1/applications/{catapult.application}")
    assert "." not in shown["createdTime"]
    assert not {"provider", "fallbackNumber"} & shown.keys()
    path = f"/phoneNumbers/{number_id}"
    assert catapult.post(path, {"applicationId": "", "name": "x"}).status == 200
    assert "applicationId" not in catapult.get(path).json
    assert catapult.call("DELETE", path).status == 200
    assert catapult.get(path).json["code"] == "number-not-found"
    assert catapult.import_number("+14352154439").status == 201


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("applicationId={application}", 2),
        ("applicationId=a-other", 0),
        ("state=UT", 1),
        ("city=raleigh", 1),
        ("name=two", 1),
        ("numberState=ENABLED", 2),
        ("numberState=released", 0),
    ],
)
def test_numbers_can_be_filtered(catapult: Catapult, sandbox: RunningSandbox, query: str, count: int) -> None:
    sandbox.put_in_service(["4352154439", "9195550001"])
    catapult.import_number("+14352154439", name="one")
    catapult.import_number("+19195550001", name="two")
    assert len(catapult.get("/phoneNumbers?" + query.format(application=catapult.application)).json) == count


@pytest.fixture
def sender(catapult: Catapult, sandbox: RunningSandbox):
    sandbox.put_in_service(["9195550001"])
    catapult.import_number("+19195550001")
    return "+19195550001"


@pytest.mark.parametrize("given", ["+19195550001", "19195550001"])
def test_a_message_is_sent_also_in_the_form_of_the_guide(
    catapult: Catapult, sender: str, wait_until: Callable[..., Any], given: str
) -> None:
    answer = catapult.post("/messages", {"from": given, "to": "+13035550123", "text": "Good morning"})
    assert answer.status == 201
    path = "/messages/" + answer.headers["Location"].rpartition("/")[2]
    shown = wait_until(lambda: catapult.get(path).json, lambda one: one["state"] == "sent")
    assert (shown["from"], shown["direction"], shown["segmentCount"]) == (sender, "out", 1)


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"from": "+19195559999"}, 401, "number-access-denied"),
        ({"from": None}, 400, "missing-property"),
        ({"to": "nobody"}, 400, "validation-error"),
        ({"to": "+13035550962"}, 400, "validation-error"),
        ({"text": None}, 400, "missing-property"),
        ({"text": "x" * 2049}, 400, "validation-error"),
        ({"receiptRequested": "all", "media": ["http://x.test/a.png"]}, 400, "validation-error"),
        ({"callbackTimeout": 10001}, 400, "validation-error"),
        ({"callbackTimeout": "10001"}, 400, "validation-error"),
        ({"callbackTimeout": "\u0661"}, 400, "validation-error"),
        ({"callbackHttpMethod": "PUT"}, 400, "validation-error"),
        ({"callbackUrl": "http://[bad"}, 400, "validation-error"),
        ({"callbackUrl": "nourl"}, 400, "validation-error"),
        ({"callbackUrl": "http://x.test:99999/"}, 400, "validation-error"),
        ({"callbackUrl": ["http://x.test"]}, 400, "validation-error"),
        ({"callbackUrl": "http://x.test/", "fallbackUrl": "http://"}, 400, "validation-error"),
    ],
)
def test_a_bad_message_is_refused(catapult: Catapult, sender: str, wanted: object, status: int, code: str) -> None:
    answer = catapult.post("/messages", {"from": sender, "to": "+13035550123", "text": "x", **wanted})
    assert (answer.status, answer.json["code"]) == (status, code)


def test_a_message_takes_what_an_application_takes(catapult: Catapult, sender: str) -> None:
    wanted = {"callbackUrl": "", "fallbackUrl": "", "callbackTimeout": "500", "callbackHttpMethod": "GET"}
    good = {"from": sender, "to": "+13035550123", "text": "x"}
    assert catapult.post("/messages", good | wanted).status == 201
    path = catapult.post("/messages", good | wanted | {"callbackUrl": "http://127.0.0.1:9/"}).headers["Location"]
    shown = catapult.get("/messages/" + path.rpartition("/")[2]).json
    assert (shown["callbackTimeout"], shown["callbackHttpMethod"]) == (500, "get")


def test_a_batch_is_202_with_a_result_each(catapult: Catapult, sender: str) -> None:
    good = {"from": sender, "to": "+13035550123", "text": "x"}
    answer = catapult.post("/messages", [good, {**good, "to": "x"}])
    assert answer.status == 202
    first, second = answer.json
    assert (first["result"], "/messages/m-" in first["location"]) == ("accepted", True)
    assert (second["result"], second["error"]["code"]) == ("error", "validation-error")
    assert len(catapult.post("/messages", [good] * 50).json) == 50
    assert catapult.post("/messages", [good] * 51).json["code"] == "multi-message-limit"


def test_messages_are_listed_newest_first_and_led_on_by_sort_key(catapult: Catapult, sender: str) -> None:
    for index in range(3):
        catapult.post("/messages", {"from": sender, "to": "+13035550123", "text": str(index)})
    answer = catapult.get(f"/messages?from=%2B{sender[1:]}&size=2&direction=out")
    assert [one["text"] for one in answer.json] == ["2", "1"]
    link = answer.headers["Link"].split(", ")[1]
    assert "sortKeyLT=" in link
    assert "direction=out" in link
    rest = catapult.get("/messages?" + link.partition("?")[2].partition(">")[0])
    assert [one["text"] for one in rest.json] == ["0"]
    assert [one["text"] for one in catapult.get("/messages?sortOrder=asc").json] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("to=%2B13035550123", 1),
        ("to=%2B1", 0),
        ("direction=in", 0),
        ("state=received", 0),
        ("fromDateTime=2014-05-25", 1),
        ("fromDateTime=2999-05-25%2012:00:00.000", 0),
        ("toDateTime=2014-05-25", 0),
    ],
)
def test_messages_can_be_filtered(catapult: Catapult, sender: str, query: str, count: int) -> None:
    catapult.post("/messages", {"from": sender, "to": "+13035550123", "text": "x"})
    assert len(catapult.get(f"/messages?{query}").json) == count


def test_an_asynchronous_error_is_found_under_errors(
    catapult: Catapult, sender: str, wait_until: Callable[..., Any]
) -> None:
    catapult.post("/messages", {"from": sender, "to": "+13035550961", "text": "x"})
    error = wait_until(lambda: catapult.get("/errors").json, bool)[0]
    assert catapult.get(f"/errors/{error['id']}").json["code"] == "message-gateway-unavailable"
    assert catapult.get("/errors/ue-unknown").status == 404
