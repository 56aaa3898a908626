from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.ledger import heartbeats
from tnimport.ledger.heartbeats import Process
from tnimport.ledger.schema import heartbeats as table
from tnimport.web.schemas import Health

if TYPE_CHECKING:
    from tests.web.conftest import Serve, Web


def test_a_process_that_serves_lives_and_is_ready(any_web: Web) -> None:
    assert any_web.get("/livez").json() == {"status": "ok"}
    assert any_web.get("/readyz").json() == {"status": "ok"}


@pytest.mark.parametrize("query", ["?verbose", "?verbose=1"])
def test_every_check_is_listed_when_asked_for(web: Web, query: str) -> None:
    health = Health.model_validate(web.get(f"/readyz{query}").json())
    assert [(check.name, check.ok) for check in health.checks or []] == [("ledger", True)]


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
