"""Flower's options, as Flower reads them."""

import runpy
from pathlib import Path

import pytest
from celery.events.state import Task
from flower.options import default_options

from config.reading import SettingsProblem

FILE = str(Path(__file__).resolve().parent.parent.parent / "config" / "flower.py")


def options(monkeypatch: pytest.MonkeyPatch, **settings: str) -> dict[str, object]:
    for name, value in settings.items():
        monkeypatch.setenv(f"TNIMPORT_{name}", value)
    return runpy.run_path(FILE)


def test_it_listens_on_loopback_and_only_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    read = options(monkeypatch)
    assert (read["address"], read["port"]) == ("127.0.0.1", 5555)
    assert read["read_only"] is True
    assert read["persistent"] is False
    assert read["basic_auth"] == []


def test_with_a_password_it_may_be_reached_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    read = options(monkeypatch, FLOWER_AUTH="someone:canary", FLOWER_BIND="0.0.0.0:80")
    assert (read["address"], read["port"]) == ("0.0.0.0", 80)
    assert read["basic_auth"] == ["someone:canary"]


@pytest.mark.parametrize("bind", ["0.0.0.0:5555", "[::]:5555", "192.0.2.7:5555"])
def test_without_a_password_it_does_not_start_where_others_reach_it(monkeypatch: pytest.MonkeyPatch, bind: str) -> None:
    with pytest.raises(SettingsProblem, match="TNIMPORT_FLOWER_AUTH"):
        options(monkeypatch, FLOWER_BIND=bind)


def test_every_option_is_one_that_flower_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("address", "port", "basic_auth", "read_only", "tasks_columns", "max_tasks", "persistent", "format_task")
    assert set(ours) <= options(monkeypatch).keys()
    assert all(name in default_options for name in ours)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (
            {"kwargs": "{'import_id': 'imp_1', 'order_id': 3, 'count': 29, 'work': 5, 'serial': 1}"},
            ("imp_1, order_id 3, count 29, work 5, serial 1", None),
        ),
        ({"kwargs": "{'import_id': '', 'order_id': None, 'count': 1}"}, ("count 1", None)),
        ({"kwargs": "{'client_ref': 'batch-7', 'numbers': 2}"}, ("client_ref batch-7, numbers 2", None)),
        ({"state": "SUCCESS", "result": "{'good': 30, 'failed': 0}"}, (None, "good 30, failed 0")),
        ({"state": "PROGRESS", "result": "25/100"}, (None, "25/100")),
        (
            {"state": "RETRY", "exception": "Retry(Retry(...), Waits('PROCESSING, look 3'), 0.95)"},
            (None, "PROCESSING, look 3"),
        ),
        ({"state": "RETRY", "exception": 'Waits("it\'s late")'}, (None, "it's late")),
        ({"state": "RETRY", "exception": None}, (None, None)),
        ({"state": "FAILURE", "exception": "Waits('x')", "result": "{'cut in t..."}, (None, "{'cut in t...")),
    ],
)
def test_a_row_tells_in_words_whose_work_it_is_and_why_it_waits(
    monkeypatch: pytest.MonkeyPatch, sent: dict[str, str], shown: tuple[str | None, str | None]
) -> None:
    task = Task(uuid="one", **sent)
    formatted = options(monkeypatch)["format_task"](task)
    assert (formatted.kwargs, formatted.result) == shown


def test_the_columns_are_ones_that_flower_has(monkeypatch: pytest.MonkeyPatch) -> None:
    named = str(options(monkeypatch)["tasks_columns"]).split(",")
    assert named[:4] == ["name", "state", "retries", "kwargs"]
    assert set(named) <= {*Task._fields, "name"}
