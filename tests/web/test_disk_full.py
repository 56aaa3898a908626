"""The disk of the ledger is full: what is asked is refused for now, nothing is half done, and it goes on by itself."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tnimport.ledger import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from tests.web.conftest import Web
    from tnimport.ledger.engine import Ledger

ROWS = [f"919{exchange}{2000 + serial}" for exchange in (240, 241) for serial in range(8000)]
FEW_PAGES = 60  # of 4 KB: room for the first chunk of rows and not for all of them


@contextmanager
def full(ledger: Ledger) -> Iterator[None]:
    """SQLite says what it says when the file system has no more room."""
    with ledger.read() as tx:
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: Connection, most: int = pages + FEW_PAGES) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

    sa.event.listen(ledger.engine, "begin", limit)
    try:
        yield
    finally:
        sa.event.remove(ledger.engine, "begin", limit)
        ledger.engine.dispose()  # the limit is the connection's


def test_an_import_that_finds_no_room_is_refused_for_now_and_accepted_when_there_is_room_again(web: Web) -> None:
    body = json.dumps({"numbers": ROWS})

    def submit() -> tuple[int, dict[str, object]]:
        answer = web.post("/v1/imports", body, "application/json", headers={"Idempotency-Key": "one"})
        return answer.status_code, answer.json()

    with full(web.ledger):
        status, problem = submit()
        assert (status, problem["type"]) == (503, "/problems/ledger-unavailable")
        assert web.get("/livez").status_code == 200
    with web.ledger.read() as tx:
        assert tx.run(sa.select(sa.func.count()).select_from(schema.work)).scalar_one() == 0
    status, made = submit()
    assert (status, made["counts"]["requested"]) == (202, len(ROWS))
    assert submit()[1]["id"] == made["id"]
