"""docs/enqueue.md, run as it stands against a running stack; its Python in an environment without anything of ours."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery

if TYPE_CHECKING:
    from tests.docs.conftest import Block, Service


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 180
    while not (found := holds()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)  # looking again, not guessing
    return found


@pytest.fixture
def snippets(blocks: "list[Block]") -> "list[Block]":
    return [block for block in blocks if block.page.name == "enqueue.md" and block.runnable]


def test_the_other_service_holds_nothing_of_ours(other_python: Path, tmp_path: Path) -> None:
    ours = "import importlib.util as u; print([n for n in ('tnimport', 'flower', 'sqlalchemy') if u.find_spec(n)])"
    found = subprocess.run([other_python, "-c", ours], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_both_ways_in_work_as_written(
    snippets: "list[Block]", run: "Callable[[Block], str]", service: "Service"
) -> None:
    by_http, by_file, by_celery, asked, waited, wrong = snippets
    assert json.loads(run(by_http))["counts"]["rows"] == 3
    assert json.loads(run(by_file))["client_ref"] == "csv-7"
    assert run(by_celery) == ""
    assert json.loads(run(asked)).keys() >= {"imports", "refusal"}
    assert " complete " in run(waited)
    run(wrong)
    refusal = until(lambda: service.json("/v1/imports?client_ref=wrong-7")["refusal"], "the refusal is kept")
    assert {problem["pointer"] for problem in refusal} >= {"/numbers", "/sight_id"}
    # All of it again, as a caller that is not sure does: still one import for each reference.
    first = {ref: service.imports(ref)[0]["id"] for ref in ("http-7", "csv-7", "celery-7")}
    for again in (by_http, by_celery, by_celery):
        run(again)
    with Celery(broker=service.redis, set_as_current=False).connection_for_read() as connection:
        until(lambda: connection.default_channel.client.llen("intake") == 0, "every message was taken")
    for ref, import_id in first.items():
        done = until(lambda ref=ref: [one for one in service.imports(ref) if one["finished_at"]], f"{ref} has ended")
        assert [one["id"] for one in done] == [import_id]
        assert done[0]["counts"]["imported"] == 2
