"""docs/flower.md: what an operator sees in the Flower of a running stack."""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests
from celery import Celery

if TYPE_CHECKING:
    from tests.docs.conftest import Service

ROW_COLUMNS = ["name", "state", "retries", "kwargs", "result", "runtime", "received", "started", "worker", "uuid"]
SLOW = [f"919{exchange}0943" for exchange in range(556, 596)]  # so many that each grant is long, however few it holds


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 180
    while not (found := holds()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)  # looking again, not guessing
    return found


@pytest.fixture
def rows(service: "Service") -> Callable[[str], list[dict[str, Any]]]:
    """The rows of the page of tasks that a search finds, as the browser gets them."""

    def _rows(search: str) -> list[dict[str, Any]]:
        columns = {f"columns[{place}][data]": name for place, name in enumerate(ROW_COLUMNS)}
        asked = {"draw": 1, "start": 0, "length": 100, "search[value]": search, "order[0][column]": 6, **columns}
        found = requests.get(f"{service.flower}/tasks/datatable", params=asked, timeout=20).json()
        assert "searchError" not in found, found
        return list(found["data"])

    return _rows


def test_a_grant_of_numbers_says_how_far_it_is_and_shows_no_number(
    service: "Service", rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    wish = {"name": "flower", "incoming_message_url": "https://example.com/m"}
    with requests.Session() as session:
        session.put(f"{service.sandbox}/control/switches", json={"slow_seconds": 1.5}, timeout=20)
        body = {"numbers": SLOW, "application": wish}
        import_id = session.post(f"{service.web}/v1/imports", json=body, timeout=20).json()["id"]
    mine = f"kwargs:import_id={import_id}"
    running = until(lambda: [row for row in rows(mine) if row["state"] == "PROGRESS"], "a grant tells its progress")
    requests.put(f"{service.sandbox}/control/switches", json={"slow_seconds": 0}, timeout=20)
    assert re.fullmatch(r"\d+/\d+", running[0]["result"])
    assert running[0]["kwargs"].startswith(f"{import_id}, order_id ")
    until(lambda: service.json(f"/v1/imports/{import_id}")["finished_at"], "the import has ended")
    ended = until(lambda: [row for row in rows(mine) if row["name"] == "tnimport.poll_order"], "its order is a row")
    assert len(ended) == 1
    text = str(rows(mine))
    assert not [number for number in SLOW if number in text]


def test_another_services_list_is_a_reference_and_a_count(
    service: "Service", rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    fields = {"numbers": ["+19195571000", "9195571001"], "client_ref": "shown-7", "application": {"id": "a-1"}}
    with Celery(broker=service.redis, set_as_current=False) as app:
        app.send_task("tnimport.submit_import", queue="intake", kwargs=fields)
    (row,) = until(lambda: rows("kwargs:client_ref=shown-7 state:SUCCESS"), "the task is a row")
    assert row["kwargs"] == "client_ref shown-7, numbers 2"
    page = requests.get(f"{service.flower}/task/{row['uuid']}", timeout=20).text
    assert "shown-7" in page
    assert "919557" not in page + str(row)


@pytest.mark.parametrize(
    "path", ["worker/shutdown/celery@any", "task/async-apply/tnimport.submit_import", "task/revoke/any"]
)
def test_nobody_does_anything_through_flower(service: "Service", path: str) -> None:
    answer = requests.post(f"{service.flower}/api/{path}", json={}, timeout=20)
    assert answer.status_code in {401, 403}
