from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from starlette.responses import StreamingResponse

from tnimport.intake import keys
from tnimport.ledger.reading import reads
from tnimport.ledger.schema import lanes
from tnimport.web.wire.head_requests import HeadRequests
from tnimport.web.wire.schemas import History, Import, ImportsPage, NumbersPage

if TYPE_CHECKING:
    from tests.web.conftest import Seed, Web


def test_an_import_has_the_promised_shape_and_its_books_balance(any_web: Web, seed: Seed) -> None:
    import_id = seed(any_web.ledger)
    answer = any_web.get(f"/v1/imports/{import_id}")
    view = Import.model_validate(answer.json())
    assert (view.id, view.state) == (import_id, "queued")
    counts = dict(view.counts)
    assert counts.pop("rows") == sum(counts.values()) == 6
    assert view.created_at is not None
    assert view.created_at.endswith("Z")
    assert any_web.get(view.links["numbers"]).status_code == 200
    assert any_web.get(view.links["page"]).status_code == 200
    assert answer.headers["Retry-After"] == "1"


def test_an_unchanged_import_is_answered_304_until_it_changes(web: Web, seed: Seed) -> None:
    path = f"/v1/imports/{seed(web.ledger)}"
    tag = web.get(path).headers["ETag"]
    for asked in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        unchanged = web.get(path, headers={"If-None-Match": asked})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["ETag"] == tag
    web.post(f"{path}/pause")
    changed = web.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["state"]) == (200, "paused")


def test_an_unknown_import_is_404_whatever_its_id_looks_like(any_web: Web) -> None:
    for import_id in ("imp_unknown", "a" * 200, "%00", "a%0ab", "é", "imp;DROP"):
        for path in ("", "/numbers", "/nonsense"):
            answer = any_web.get(f"/v1/imports/{import_id}{path}")
            assert answer.status_code == 404
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["type"] == "/problems/not-found"


def test_what_an_import_waits_for_is_never_answered_unchanged_when_it_has_changed(web: Web, seed: Seed) -> None:
    path = f"/v1/imports/{seed(web.ledger)}"
    before = web.get(path)
    with web.ledger.write() as tx:  # Bandwidth's limit is hit: a fact of the account, not of the import
        lane = {"account": "default", "name": "numbers", "tokens": 0, "filled_at": tx.now, "paused_until": tx.now + 60}
        tx.run(sa.insert(lanes).values(lane))
    after = web.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json()["waiting_on"]["text"] == "Bandwidth's limit on number imports"


def test_pages_of_numbers_hold_every_row_once_and_in_order(any_web: Web, seed: Seed) -> None:
    path = f"/v1/imports/{seed(any_web.ledger, count=7)}/numbers"
    lines: list[int | None] = []
    token = ""
    while True:
        page = NumbersPage.model_validate(any_web.get(path, params={"page_size": 2, "page_token": token}).json())
        lines += [number.line for number in page.numbers]
        token = page.next_page_token
        if not token:
            break
        assert len(page.numbers) == 2
    assert lines == [1, 2, 3, 4, 5, 6, 7, 8, 9]  # seven numbers, a rejected and a duplicate row; blanks are counted


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"state": "requested"}, 3),
        ({"state": "rejected"}, 1),
        ({"state": "duplicate"}, 1),
        ({"state": "imported"}, 0),
        ({"code": "bad_length"}, 1),
        ({"code": "bad_length", "state": "requested"}, 0),
        ({"page_size": 100_000}, 5),
    ],
)
def test_numbers_can_be_asked_for_by_state_and_code(
    web: Web, seed: Seed, query: dict[str, str | int], count: int
) -> None:
    page = web.get(f"/v1/imports/{seed(web.ledger)}/numbers", params=query).json()
    assert len(page["numbers"]) == count


def test_the_exports_hold_what_the_pages_hold(any_web: Web, seed: Seed) -> None:
    path = f"/v1/imports/{seed(any_web.ledger, count=1200)}/numbers"
    pages = any_web.get(path, params={"page_size": 1000}).json()
    rest = any_web.get(path, params={"page_size": 1000, "page_token": pages["next_page_token"]}).json()
    numbers = pages["numbers"] + rest["numbers"]
    lines = any_web.get(path, headers={"Accept": "application/x-ndjson"})
    assert lines.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.text.splitlines()] == numbers
    table = any_web.get(path, headers={"Accept": "text/csv"})
    assert table.headers["Content-Disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [row["line"] for row in rows] == [str(number["line"]) for number in numbers]
    assert rows[1200]["number"] == "'=1+1"


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/numbers?state=nonsense&page_size=0", 422, {"state", "page_size"}),
        ("/numbers?code=%00", 422, {"code"}),
        ("/numbers?stat=failed", 422, {"stat"}),
        ("/numbers?state=blank", 422, {"state"}),
        ("/numbers?page_token=nonsense", 400, {"page_token"}),
        ("/numbers?page_token=zz&state=zzz", 422, {"page_token", "state"}),
        ("/numbers?page_token=zz&page_size=-1&stat=failed", 422, {"page_token", "page_size", "stat"}),
    ],
)
def test_a_wrong_query_is_refused_with_every_problem_named(
    web: Web, seed: Seed, path: str, status: int, named: set[str]
) -> None:
    answer = web.get(f"/v1/imports/{seed(web.ledger)}{path}")
    assert answer.status_code == status
    problem = answer.json()
    assert {one["parameter"] for one in problem["errors"]} == named
    assert all(one["detail"] and one["code"] and one["fix"] for one in problem["errors"])


def test_a_wrong_token_of_any_list_is_told_with_what_else_is_wrong(web: Web) -> None:
    for path in ("imports?page_token=garbage", "messages?page_token=x&to=y", "inbound?page_token=x&number=y"):
        errors = web.get(f"/v1/{path}&page_size=-1").json()["errors"]
        wanted = {pair.partition("=")[0] for pair in path.partition("?")[2].split("&")} | {"page_size"}
        assert {one["parameter"] for one in errors} == wanted


@pytest.mark.parametrize(
    ("taken", "given", "status"),
    [
        ("", "&state=requested", 400),
        ("&state=requested", "", 400),
        ("&state=requested", "&state=failed", 400),
        ("&state=requested", "&state=requested&code=7518", 400),
        ("&state=requested", "&state=requested", 200),
        ("&state=requested", "&state=requested&page_size=-1", 422),
        ("", "&state=requested&page_size=-1", 422),
    ],
)
def test_a_token_belongs_to_its_filters(web: Web, seed: Seed, taken: str, given: str, status: int) -> None:
    path = f"/v1/imports/{seed(web.ledger)}/numbers"
    token = web.get(f"{path}?page_size=1{taken}").json()["next_page_token"]
    answer = web.get(f"{path}?page_token={token}{given}")
    assert answer.status_code == status
    told = {one["parameter"] for one in answer.json().get("errors", [])}
    foreign = taken != given.partition("&page_size")[0]
    assert ("page_token" in told) == foreign


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("state=fail", ("invalid_value", "It must be one of requested, ordered,", "Give a value")),
        ("state=blank", ("invalid_value", "Blank rows are counted and not listed", "Give a value")),
        ("stat=failed", ("unknown_field", "does not know", "Did you mean state?")),
        (
            "nonsense=1",
            ("unknown_field", "does not know", "The parameters here are code, page_size, page_token, state."),
        ),
        ("page_size=0", ("invalid_value", "It must be at least 1.", "Give a value")),
        ("page_size=many", ("invalid_value", "It must be a whole number.", "Give a value")),
        ("code=" + "x" * 65, ("invalid_value", "It must have at most 64 characters.", "Give a value")),
        ("code=%00", ("invalid_value", "It has characters that it cannot have.", "Give a value")),
    ],
)
def test_a_wrong_query_is_told_of_as_a_wrong_body_is(
    web: Web, seed: Seed, query: str, told: tuple[str, str, str]
) -> None:
    (one,) = web.get(f"/v1/imports/{seed(web.ledger)}/numbers?{query}").json()["errors"]
    code, detail, fix = told
    assert one["code"] == code
    assert detail in one["detail"]
    assert one["fix"].startswith(fix)


def test_a_word_that_is_none_of_those_to_choose_from_is_told_with_them(web: Web) -> None:
    (one,) = web.get("/v1/messages?state=foo").json()["errors"]
    assert one["detail"] == "It must be queued, sending, sent, failed, unknown or cancelled."


@pytest.mark.parametrize("path", ["", "/numbers", "/numbers?state=nonsense", "/nonsense"])
@pytest.mark.parametrize("media", ["application/json", "text/csv"])
def test_head_is_answered_as_get_is_but_for_the_body(web: Web, seed: Seed, path: str, media: str) -> None:
    path = f"/v1/imports/{seed(web.ledger, count=1200)}{path}"
    accept = {"Accept": media}
    whole, head = web.get(path, headers=accept), web.session.head(web.url + path, headers=accept, timeout=20)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    kept = {name.lower() for name in whole.headers} - {"date", "transfer-encoding"}
    assert {name: head.headers.get(name) for name in kept} == {name: whole.headers[name] for name in kept}


def test_a_callback_has_no_head_for_its_get_is_stored(web: Web) -> None:
    answer = web.session.head(f"{web.url}/callbacks/default/messages", timeout=20)
    assert (answer.status_code, "HEAD" in answer.headers["Allow"]) == (405, False)


def test_the_head_of_an_export_costs_no_more_than_its_first_piece() -> None:
    pieces = iter(range(1000))

    async def export(scope: object, receive: object, send: Any) -> None:
        answer = StreamingResponse(str(piece).encode() for piece in pieces)
        await answer(scope, receive, send)

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def never() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    scope = {"type": "http", "method": "HEAD", "path": "/", "headers": [], "asgi": {"spec_version": "2.4"}}
    asyncio.run(HeadRequests(export)(scope, never, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert next(pieces) == 1


def test_an_export_is_posted_again_as_it_is(web: Web, seed: Seed) -> None:
    path = f"/v1/imports/{seed(web.ledger, count=3)}/numbers"
    export = web.get(path, headers={"Accept": "text/csv"})
    again = web.post("/v1/imports", export.content, "text/csv")
    assert again.status_code == 202
    counts = again.json()["counts"]
    assert (counts["requested"], counts["duplicate"], counts["rejected"]) == (3, 1, 1)


def test_imports_are_listed_newest_first_in_pages(any_web: Web, seed: Seed) -> None:
    ids = [seed(any_web.ledger) for _ in range(5)]
    found: list[str] = []
    token = ""
    while True:
        page = ImportsPage.model_validate(
            any_web.get("/v1/imports", params={"page_size": 2, "page_token": token}).json()
        )
        found += [view.id for view in page.imports]
        token = page.next_page_token
        if not token:
            break
    assert found == ids[::-1]


def test_an_import_is_found_by_the_callers_own_key(any_web: Web, seed: Seed) -> None:
    import_id = seed(any_web.ledger, client_ref="crm/1 é")
    seed(any_web.ledger, client_ref="other")
    page = any_web.get("/v1/imports", params={"client_ref": "crm/1 é"}).json()
    assert [view["id"] for view in page["imports"]] == [import_id]
    assert page["refusal"] is None
    assert any_web.get("/v1/imports", params={"client_ref": "unknown"}).json()["imports"] == []
    assert any_web.get("/v1/imports", params={"client_ref": "\0"}).status_code == 422


def test_a_refusal_is_told_until_an_import_is_made_with_its_reference_and_again_after_the_next(
    any_web: Web, seed: Seed
) -> None:
    refused = [{"pointer": "/client_ref", "code": "key_conflict", "detail": "used", "fix": "another"}]

    def told() -> object:
        page = any_web.get("/v1/imports", params={"client_ref": "crm-7"}).json()
        return len(page["imports"]), page["refusal"]

    assert told() == (0, None)
    reads.remember_refusal(any_web.ledger, keys.of_client_ref("crm-7"), refused)
    assert told() == (0, refused)
    seed(any_web.ledger, client_ref="crm-7")
    assert told() == (1, None)
    reads.remember_refusal(any_web.ledger, keys.of_client_ref("crm-7"), refused)
    assert told() == (1, refused)


def test_a_verb_answers_with_the_import_and_may_be_repeated(any_web: Web, seed: Seed) -> None:
    path = f"/v1/imports/{seed(any_web.ledger)}"
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        for _ in range(2):
            answer = any_web.post(f"{path}/{verb}")
            assert (answer.status_code, answer.json()["state"]) == (200, state)
            Import.model_validate(answer.json())


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_a_verb_on_nothing_is_404(web: Web, verb: str) -> None:
    assert web.post(f"/v1/imports/imp_unknown/{verb}").status_code == 404


@pytest.mark.parametrize("written", ["9195550001", "+19195550001", "(919) 555-0001", "1-919-555-0001"])
def test_everything_known_of_a_number_is_told_however_it_is_written(web: Web, seed: Seed, written: str) -> None:
    first, second = seed(web.ledger), seed(web.ledger)
    history = History.model_validate(web.get(f"/v1/numbers/{written}").json())
    assert history.number == "+19195550001"
    assert [passage.import_id for passage in history.imports] == [second, first]
    assert history.imports[0].now.state == "requested"
    assert history.imports[0].events[0].text == "The import was accepted with 6 rows."
    assert history.imports[0].events[0].at.endswith("Z")


def test_a_number_nobody_named_is_404_and_a_text_that_is_none_is_refused(web: Web) -> None:
    assert web.get("/v1/numbers/+19195559999").status_code == 404
    refused = web.get("/v1/numbers/hello")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["fix"]
