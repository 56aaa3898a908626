from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.schema import heartbeats as table
from tnimport.web.wire.schemas import Health

if TYPE_CHECKING:
    from tests.web.conftest import Serve, Web


def test_a_process_that_serves_lives_and_is_ready(any_web: Web) -> None:
    assert any_web.get("/livez").json() == {"status": "ok"}
    assert any_web.get("/readyz").json() == {"status": "ok"}


DISPATCHER = Process(kind="dispatcher", host="here", pid=7, version="9")


@pytest.mark.parametrize("query", ["?verbose", "?verbose=1"])
def test_every_check_is_listed_when_asked_for(web: Web, query: str) -> None:
    health = Health.model_validate(web.get(f"/readyz{query}").json())
    assert [(check.name, check.ok) for check in health.checks or []] == [("ledger", True), ("redis", False)]
    assert (health.checks or [])[1].detail == "not known: no dispatcher lives"


@pytest.mark.parametrize(
    ("said", "ok", "detail"),
    [
        ("answers", True, r"answers, as dispatcher here/7 saw \d+ s ago"),
        ("ConnectionError", False, r"does not answer \(ConnectionError\), as dispatcher here/7 saw \d+ s ago"),
    ],
)
def test_redis_is_listed_as_a_dispatcher_sees_it_and_readiness_does_not_depend_on_it(
    any_web: Web, said: str, detail: str, *, ok: bool
) -> None:
    heartbeats.beat(any_web.ledger, DISPATCHER, first=True, broker=said)
    answer = any_web.get("/readyz?verbose")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    (redis,) = [check for check in answer.json()["checks"] if check["name"] == "redis"]
    assert redis["ok"] == ok
    assert re.fullmatch(detail, redis["detail"])


def test_what_a_dispatcher_said_before_it_died_is_no_news_of_redis(web: Web) -> None:
    heartbeats.beat(web.ledger, DISPATCHER, first=True, broker="answers")
    with web.ledger.write() as tx:
        tx.run(sa.update(table).values(seen_at=table.c.seen_at - 60))
    (redis,) = [one for one in web.get("/readyz?verbose").json()["checks"] if one["name"] == "redis"]
    assert (redis["ok"], redis["detail"]) == (False, "not known: no dispatcher lives")


def test_without_a_ledger_the_process_lives_and_is_not_ready(web: Web) -> None:
    _lose(web)
    assert web.get("/livez").status_code == 200
    answer = web.get("/readyz?verbose")
    assert answer.status_code == 503
    assert answer.json()["checks"][0]["detail"] == "cannot be written: OperationalError"


def test_without_a_ledger_a_request_is_put_off_and_nothing_is_told_of_the_database(web: Web) -> None:
    _lose(web)
    answer = web.get("/v1/imports")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["type"] == "/problems/ledger-unavailable"
    assert "imports (" not in answer.text
    assert "SELECT" not in answer.text


def _lose(web: Web) -> None:
    with web.ledger.write() as tx:
        tx.run(sa.text("ALTER TABLE imports RENAME TO lost"))


def test_a_mistake_of_ours_is_a_problem_that_tells_nothing_of_the_inside(serve: Serve) -> None:
    web = serve("canary")  # no ledger at all, which nothing expects
    answer = web.get("/v1/imports")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text


def test_every_process_is_listed_and_one_that_is_gone_makes_no_other_unready(any_web: Web) -> None:
    for pid in (1, 2):
        heartbeats.beat(any_web.ledger, Process(kind="worker", host="here", pid=pid, version="9"), first=True)
    with any_web.ledger.write() as tx:
        tx.run(sa.update(table).where(table.c.pid == 2).values(seen_at=table.c.seen_at - 60))
    answer = any_web.get("/readyz?verbose")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    listed = {check["name"]: check for check in answer.json()["checks"]}
    assert [listed[f"worker here/{pid}"]["ok"] for pid in (1, 2)] == [True, False]
    assert "version 9" in listed["worker here/1"]["detail"]


def test_asking_again_and_again_writes_to_the_ledger_once(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[object] = []
    monkeypatch.setattr("tnimport.web.operations.health.reads.writable", writes.append)
    monkeypatch.setattr("tnimport.web.operations.recent.SECONDS", 3600)
    for _ in range(3):
        assert web.get("/readyz").status_code == 200
        assert web.get("/readyz?verbose").status_code == 200
    assert writes == [web.ledger]
