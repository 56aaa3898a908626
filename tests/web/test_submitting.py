from __future__ import annotations

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tnimport.intake import keys
from tnimport.ledger.reading import reads
from tnimport.web.wire.schemas import Import, ImportsPage, ProblemDocument

if TYPE_CHECKING:
    from tests.web.conftest import Serve, Web
    from tnimport.ledger.engine import Ledger

JSON, CSV, TEXT, NDJSON = "application/json", "text/csv", "text/plain", "application/x-ndjson"
ONE = "9195550001\n"
BODIES = {
    JSON: '{"numbers": ["919-555-0001", "9195550002", "hello", "9195550001", ""]}',
    CSV: 'number,name\n919-555-0001,Ann\n9195550002,"Bo\nb"\nhello,x\n9195550001,y\n,\n',
    TEXT: "919-555-0001\n9195550002\nhello\n9195550001\n\n",
    NDJSON: '{"number": "919-555-0001"}\n"9195550002"\n"hello"\n9195550001\n\n',
}


@pytest.mark.parametrize("media", BODIES)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_type_of_body_makes_the_same_import(any_web: Web, media: str, *, zipped: bool) -> None:
    body = BODIES[media].encode()
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    answer = any_web.post("/v1/imports", gzip.compress(body) if zipped else body, media, headers=headers)
    assert answer.status_code == 202, answer.text
    view = Import.model_validate(answer.json())
    assert answer.headers["Location"] == f"/v1/imports/{view.id}"
    assert "Idempotent-Replayed" not in answer.headers
    told = {name: count for name, count in view.counts.items() if count}
    assert told == {"requested": 2, "rejected": 1, "duplicate": 1, "blank": 1, "rows": 5}
    assert any_web.get(answer.headers["Location"]).json()["id"] == view.id


@pytest.mark.parametrize("count", [0, 1, 10_000])
def test_none_one_and_ten_thousand_numbers_are_taken(web: Web, count: int) -> None:
    body = "".join(f"919234{line:04}\n" for line in range(count))
    view = web.post("/v1/imports", body, TEXT).json()
    assert (view["counts"]["requested"], view["counts"]["rows"]) == (count, count)
    assert view["state"] == ("queued" if count else "complete")


def test_options_come_by_query_or_in_the_json(web: Web) -> None:
    query = "?action=REMOVE&customer_order_id=A1&client_ref=r-1"
    by_query = web.post(f"/v1/imports{query}", ONE, TEXT).json()
    options = {"numbers": [1], "action": "REMOVE", "customer_order_id": "A1", "client_ref": "r-2"}
    in_json = web.post("/v1/imports", json.dumps(options), JSON).json()
    for view, ref in ((by_query, "r-1"), (in_json, "r-2")):
        assert (view["action"], view["customer_order_id"], view["client_ref"]) == ("REMOVE", "A1", ref)


def test_everything_wrong_is_told_at_once_and_nothing_is_changed(web: Web) -> None:
    answer = web.post("/v1/imports?site_id=x&onpresent=skip&action=EAT&notify_url=http://a", ONE, TEXT)
    assert answer.status_code == 422
    problem = ProblemDocument.model_validate(answer.json())
    assert {one.pointer for one in problem.errors or []} >= {"/site_id", "/onpresent", "/action", "/notify_url"}
    assert all(one.fix and one.code and one.detail for one in problem.errors or [])
    assert web.get("/v1/imports").json()["imports"] == []


def test_strict_refuses_the_whole_input_with_the_line_of_each_bad_row(web: Web) -> None:
    answer = web.post("/v1/imports?strict=true", "9195550001\nhello\n9195550002\n123\n", TEXT)
    assert answer.status_code == 422
    assert [one["line"] for one in answer.json()["errors"]] == [2, 4]
    assert web.get("/v1/imports").json()["imports"] == []


@pytest.mark.parametrize(
    ("body", "media", "headers", "status"),
    [
        (b"{", JSON, {}, 422),
        (b"[" * 100_000, JSON, {}, 422),
        (b'{"numbers": 7}', JSON, {}, 422),
        (b"\xff\xfe\x00", JSON, {}, 422),
        (b"\x1f\x8bnonsense", TEXT, {"Content-Encoding": "gzip"}, 422),
        (b"9195550001", TEXT, {"Content-Encoding": "gzip"}, 422),
        (b"", TEXT, {"Content-Encoding": "x-gzip"}, 422),
        (b"PK\x03\x04", CSV, {}, 422),
        (b"a\0b", TEXT, {}, 422),
        (b"x", "text/plain; charset=nonsense", {}, 422),
        (b"x", "image/png", {}, 415),
        (b"x", None, {}, 415),
        (b"x", TEXT, {"Content-Encoding": "br"}, 415),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_problem(
    web: Web, body: bytes, media: str | None, headers: dict[str, str], status: int
) -> None:
    answer = web.post("/v1/imports", body, media, headers=headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    ProblemDocument.model_validate(answer.json())
    assert web.get("/v1/imports").json()["imports"] == []


@pytest.mark.parametrize(
    ("path", "body", "media", "headers", "told"),
    [
        (
            "/v1/imports",
            '{"numbers": ["bad", "9195550001", "911"], "strict": true, "sight_id": 1}',
            JSON,
            {},
            {("/sight_id", "unknown_field"), ("/numbers", "not_a_number"), ("/numbers", "too_short")},
        ),
        (
            "/v1/imports?strict=true&site_id=x",
            "9195550001\nbad\n",
            TEXT,
            {},
            {("/site_id", "invalid_value"), ("/numbers", "not_a_number")},
        ),
        (
            "/v1/imports?site_id=x&strict=1&account=a&account=b",
            "bad\n",
            TEXT,
            {"Idempotency-Key": "a b"},
            {
                ("Idempotency-Key", "bad_idempotency_key"),
                ("account", "given_twice"),
                ("/site_id", "invalid_value"),
                ("/account", "unknown_account"),
                ("/numbers", "not_a_number"),
            },
        ),
        (
            "/v1/imports",
            "{",
            JSON,
            {"Idempotency-Key": "a b"},
            {("Idempotency-Key", "bad_idempotency_key"), ("", "unreadable_json")},
        ),
        (
            "/v1/messages",
            '{"from": "9195550001", "to": "+12065550100"}',
            JSON,
            {"Idempotency-Key": "a b"},
            {("Idempotency-Key", "bad_idempotency_key"), ("/text", "required")},
        ),
    ],
)
def test_whatever_is_wrong_is_told_in_one_answer_wherever_it_stands(
    web: Web, path: str, body: str, media: str, *, headers: dict[str, str], told: set[tuple[str, str]]
) -> None:
    answer = web.post(path, body, media, headers=headers)
    assert answer.status_code == 422
    problem = ProblemDocument.model_validate(answer.json())
    errors = problem.errors or []
    assert {
        (one.pointer if one.pointer is not None else one.header or one.parameter, one.code) for one in errors
    } == told
    assert all(one.detail and one.fix for one in errors)
    assert web.get("/v1/imports").json()["imports"] == []


def test_a_url_that_we_call_is_one_that_we_have_to_reach(web: Web) -> None:
    answer = web.post("/v1/imports?notify_url=ftp://a&application_incoming_message_url=ftp://b", ONE, TEXT)
    fixes = {one["pointer"]: one["fix"] for one in answer.json()["errors"]}
    assert "this service can reach" in fixes["/notify_url"]
    assert "Bandwidth can reach" in fixes["/application/incoming_message_url"]


def test_an_option_given_twice_is_refused(web: Web) -> None:
    answer = web.post("/v1/imports?site_id=1&site_id=2", ONE, TEXT)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "site_id")


@pytest.mark.parametrize("key", ["k-1", '"k 1"'])
def test_the_same_key_and_request_again_is_the_same_import(any_web: Web, key: str) -> None:
    first, second = (any_web.post("/v1/imports", ONE, TEXT, headers={"Idempotency-Key": key}) for _ in "ab")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_for_another_request_is_refused(web: Web) -> None:
    headers = {"Idempotency-Key": "k-1"}
    web.post("/v1/imports", ONE, TEXT, headers=headers)
    for path, body in (("/v1/imports", "9195550002\n"), ("/v1/imports?action=REMOVE", ONE)):
        answer = web.post(path, body, TEXT, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/key-reused")
        assert "Idempotency-Key" in answer.json()["detail"]


def test_without_a_key_the_client_ref_makes_repeating_harmless(web: Web) -> None:
    path = "/v1/imports?client_ref=r-1"
    first, second = web.post(path, ONE, TEXT), web.post(path, ONE, TEXT)
    assert first.json()["id"] == second.json()["id"]
    other = web.post(path, "9195550002\n", TEXT)
    assert (other.status_code, "client_ref" in other.json()["detail"]) == (422, True)


@pytest.mark.parametrize("length", [1, 200, 255])
def test_a_client_ref_of_any_allowed_length_is_kept_and_found(any_web: Web, length: int) -> None:
    ref = "é" * length
    made = any_web.post("/v1/imports", json.dumps({"numbers": ["9195550001"], "client_ref": ref}), JSON)
    assert made.status_code == 202, made.text
    found = any_web.get("/v1/imports", params={"client_ref": ref}).json()["imports"]
    assert [view["id"] for view in found] == [made.json()["id"]]


def test_a_refusal_that_a_task_left_is_found_by_its_client_ref(web: Web) -> None:
    reads.remember_refusal(
        web.ledger, keys.of_client_ref("r-1"), [{"code": "required", "pointer": "/site_id", "detail": "is missing"}]
    )
    page = web.get("/v1/imports", params={"client_ref": "r-1"}).json()
    ImportsPage.model_validate(page)
    assert (page["imports"], page["refusal"][0]["code"]) == ([], "required")


def test_without_key_and_client_ref_every_request_is_an_import(web: Web) -> None:
    assert web.post("/v1/imports", ONE, TEXT).json()["id"] != web.post("/v1/imports", ONE, TEXT).json()["id"]


@pytest.mark.parametrize("key", ["", '"', "é", "a b", "x" * 201, '""'])
def test_a_malformed_key_is_400(web: Web, key: str) -> None:
    answer = web.post("/v1/imports", ONE, TEXT, headers={"Idempotency-Key": key.encode()})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "Idempotency-Key"


def test_of_many_at_once_with_one_key_there_is_one_import(any_web: Web) -> None:
    body = "".join(f"919234{line:04}\n" for line in range(2000))

    def post(key: str) -> tuple[int, str]:
        answer = any_web.post("/v1/imports", body, TEXT, headers={"Idempotency-Key": key})
        return answer.status_code, answer.json().get("id", answer.json().get("type"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(post, "uvwxyz"))  # connections are made before the race, not in it
        for key in "abcde":
            answers = list(pool.map(post, key * 6))
            assert {status for status, _ in answers} <= {202, 409}
            assert len({told for status, told in answers if status == 202}) == 1
            assert {told for status, told in answers if status == 409} <= {"/problems/in-progress"}
    assert len(any_web.get("/v1/imports").json()["imports"]) == 11


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("excess", [1, 2000, 10_000])
def test_a_body_beyond_the_limit_is_413_with_the_limit_named(
    serve: Serve, ledger: Ledger, excess: int, *, zipped: bool
) -> None:
    web = serve(ledger, max_body=2000)
    body = (b"9195550001\n" * (2000 + excess))[: 2000 + excess]
    answer = web.post("/v1/imports", gzip.compress(body) if zipped else body, TEXT)
    assert answer.status_code == 413
    assert (answer.json()["limit"], answer.json()["maximum"]) == ("body_bytes", 2000)


def test_a_body_of_unknown_length_beyond_the_limit_is_413(serve: Serve, ledger: Ledger) -> None:
    web = serve(ledger, max_body=2000)
    answer = web.post("/v1/imports", iter([b"9" * 1000] * 3), TEXT)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ("junk\n" * 4, TEXT),
        ("junk\r" * 4, TEXT),
        ("phone\n" + "junk\n" * 4, CSV),
        ('"junk"\n' * 4, "application/x-ndjson"),
        ('{"numbers": ["junk", 1, 2, 3]}', JSON),
    ],
)
def test_more_rows_than_the_limit_are_counted_before_any_is_judged(
    serve: Serve, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, body: str, media: str
) -> None:
    web = serve(ledger, max_rows=3)
    judged: list[str] = []
    monkeypatch.setattr("tnimport.intake.rows.parse", judged.append)
    assert web.post("/v1/imports", body, media).status_code == 413
    assert judged == []


def test_lines_are_no_rows_where_rows_have_several(serve: Serve, ledger: Ledger) -> None:
    web = serve(ledger, max_rows=2)
    body = 'phone,name\n9195550001,"a\nb\nc"\n9195550002,d\n'
    answer = web.post("/v1/imports", body, CSV)
    assert (answer.status_code, answer.json()["counts"]["rows"]) == (202, 2)
    assert web.post("/v1/imports", f"{body}9195550003,e\n", CSV).status_code == 413


def test_an_import_that_has_ended_has_no_estimate_of_its_end(web: Web) -> None:
    view = web.post("/v1/imports", "bad\n", TEXT).json()
    assert view["finished_at"]
    assert view["eta"] is None


def test_rows_beyond_the_limit_are_413_with_the_limit_named(serve: Serve, ledger: Ledger) -> None:
    web = serve(ledger, max_rows=2)
    answer = web.post("/v1/imports", "9195550001\n9195550002\n9195550003\n", TEXT)
    assert answer.status_code == 413
    assert (answer.json()["limit"], answer.json()["maximum"]) == ("rows", 2)
    assert web.get("/v1/imports").json()["imports"] == []
    assert web.post("/v1/imports", "9195550001\n9195550002\n", TEXT).status_code == 202


def test_a_page_of_another_site_cannot_start_an_import(web: Web) -> None:
    answer = web.post("/v1/imports", ONE, TEXT, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-origin")
    assert web.get("/v1/imports").json()["imports"] == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(("path", "taken"), [("/v1/imports", "GET, HEAD, POST"), ("/v1/imports/imp_1", "GET, HEAD")])
def test_a_method_that_is_not_taken_is_405_with_those_that_are(web: Web, method: str, path: str, taken: str) -> None:
    answer = web.session.request(method, web.url + path, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, taken)
    assert answer.json()["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize("length", ["-1", "1e3", "\u0661"])
def test_a_length_that_is_none_is_no_fault_of_ours(web: Web, length: str) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    head = f"POST /v1/imports HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
