from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Make, PlayedApi, PlayedServer, Run


FAILED = {"imported": 5, "failed": 2, "rejected": 1, "rows": 8}


@pytest.mark.parametrize(
    ("state", "counts", "code"),
    [
        ("complete", {}, 0),
        ("complete", {"imported": 7, "duplicate": 1}, 0),
        ("complete", {"imported": 7, "rejected": 1}, 8),
        ("partial", FAILED, 8),
        ("failed", {"imported": 0, "failed": 8}, 8),
        ("cancelled", {"imported": 3, "cancelled": 5}, 8),
        ("held", {}, 4),
    ],
)
def test_the_end_of_an_import_is_the_exit_code(
    run: Run, api: PlayedApi, make_view: Make, *, state: str, counts: dict[str, int], code: int
) -> None:
    api.views = [make_view(state, counts=counts)]
    assert run("watch", "imp-1").returncode == code


def test_the_report_sums_to_the_rows_and_groups_the_failures(
    run: Run, api: PlayedApi, make_view: Make, make_failed_row: Make
) -> None:
    api.views = [make_view("partial", counts=FAILED)]
    api.rows = {
        "failed": [make_failed_row(line=2), make_failed_row(line=3)],
        "rejected": [make_failed_row(code="not-a-number", state="rejected", stage=None, description="is no number")],
    }
    assert run("watch", "imp-1").stdout.splitlines() == [
        "Import imp-1: partial, took 1 min 5 s",
        "IMPORT ICPA123ABC on account default",
        "",
        "  imported               5",
        "  failed                 2",
        "  rejected               1",
        "  ------------------------",
        "  sum                    8 = 8 rows",
        "",
        "Not working, by stage and code:",
        "  2 x order 7518: Telephone number is not active",
        "      fix: Activate it first.",
        "  1 x rejected not-a-number: is no number",
        "      fix: Activate it first.",
        "All of them: tnimport failures imp-1 --csv",
    ]


def test_books_that_do_not_balance_are_our_error(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("complete", counts={"imported": 7})]
    done = run("watch", "imp-1")
    assert done.returncode == 1
    assert "DOES NOT BALANCE" in done.stdout


def test_a_bucket_that_this_version_does_not_know_is_counted(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("complete", counts={"imported": 7, "novel": 1})]
    done = run("watch", "imp-1")
    assert done.returncode == 0
    assert "novel" in done.stdout


def test_without_a_terminal_there_is_a_line_per_change_of_state(run: Run, api: PlayedApi, make_view: Make) -> None:
    half = {"imported": 4, "requested": 4}
    api.views = [
        make_view("queued", counts={"imported": 0, "requested": 8}),
        make_view("running", counts=half, waiting_on="Catapult limit 100/min"),
        make_view("running", counts=half),
        make_view("complete"),
    ]
    lines = run("watch", "imp-1").stderr.splitlines()
    assert [line.split()[1] for line in lines] == ["queued:", "running:", "complete:"]
    assert "4 of 8 rows (50 %)" in lines[1]
    assert "waits for: Catapult limit 100/min" in lines[1]
    assert "\x1b" not in "".join(lines)


def test_json_is_one_document_on_standard_output(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running"), make_view("partial", counts=FAILED)]
    done = run("watch", "imp-1", "--json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (8, "partial")


def test_a_held_import_ends_the_watch_with_its_one_instruction(run: Run, api: PlayedApi, make_view: Make) -> None:
    held = {"code": "credentials-refused", "instruction": "Correct the Dashboard password."}
    api.views = [make_view("held", held=held)]
    done = run("watch", "imp-1")
    assert done.returncode == 4
    assert "Correct the Dashboard password." in done.stdout
    assert "tnimport resume imp-1" in done.stdout


def test_the_end_of_the_wait_is_no_end_of_the_import(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running")]
    done = run("watch", "imp-1", "--timeout", "0")
    assert done.returncode == 5
    assert "tnimport watch imp-1" in done.stderr


def test_an_unchanged_import_costs_a_304(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running"), make_view("running"), make_view("complete")]
    assert run("watch", "imp-1").returncode == 0
    assert "if-none-match" in api.asked[1].headers


def test_the_watch_outlives_an_outage_of_the_api(
    run: Run, api: PlayedApi, server: PlayedServer, make_view: Make
) -> None:
    api.views = [make_view("running"), make_view("running"), make_view("complete")]
    api.on_look = lambda look: setattr(api, "lost_answers", 2) if look == 1 else None
    done = run("watch", "imp-1")
    assert done.returncode == 0
    assert "the API is away" in done.stderr


def test_a_server_error_is_an_outage_too(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running"), make_view("complete")]

    def fail_for_a_while(look: int) -> None:
        api.problem = (503, {}) if look == 1 else None

    api.on_look = fail_for_a_while
    done = run("watch", "imp-1", "--patience", "2")
    assert done.returncode == 1
    assert "HTTP 503" in done.stderr


def test_an_outage_beyond_the_patience_ends_with_the_way_back(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running")]
    api.on_look = lambda _: setattr(api, "lost_answers", 99)
    done = run("watch", "imp-1", "--patience", "0")
    assert done.returncode == 1
    assert "tnimport watch imp-1" in done.stderr


def test_an_interrupt_stops_the_watching_only(
    api: PlayedApi, make_view: Make, environment: dict[str, str], command: str
) -> None:
    api.views = [make_view("running")]
    with subprocess.Popen(
        [command, "watch", "imp-1"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert "running" in first
    assert "the import goes on" in rest
    assert "tnimport watch imp-1" in rest
    assert process.returncode == 5
    assert {asked.method for asked in api.asked} == {"GET"}
