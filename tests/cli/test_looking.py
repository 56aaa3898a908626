from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Make, PlayedApi, Run


def test_status_tells_one_import(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running", waiting_on="order 211a", eta="2026-11-23T18:00:00Z", client_ref="r-1")]
    told = run("status", "imp-1").stdout
    for part in ("running", "order 211a", "r-1", "8 of 8 rows", "2026-11-23T18:00:00Z"):
        assert part in told


def test_status_tells_why_an_import_is_held(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("held", held={"code": "c-1", "instruction": "Do this."})]
    assert "c-1: Do this." in run("status", "imp-1").stdout


def test_status_alone_lists_the_newest(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running"), make_view("complete", client_ref="r-7")]
    first, second = run("status").stdout.splitlines()
    assert (first.split()[:2], second.split()[:2]) == (["imp-1", "running"], ["imp-1", "complete"])
    assert (first.split()[-1], second.split()[-1]) == ("2026-11-23T10:00:00Z", "r-7")


def test_an_import_that_has_ended_is_ready_at_no_time_to_come(run: Run, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("complete", eta="2026-11-23T10:01:05Z")]
    assert "ready at" not in run("status", "imp-1").stdout


def test_status_of_nothing_says_how_to_begin(run: Run, api: PlayedApi) -> None:
    api.views = []
    assert "tnimport import FILE" in run("status").stdout


def test_status_by_the_callers_own_key(run: Run, api: PlayedApi) -> None:
    run("status", "--client-ref", "a&b")
    assert api.asked[0].query == {"client_ref": ["a&b"]}


@pytest.mark.parametrize("args", [["status"], ["status", "imp-1"], ["pause", "imp-1"]])
def test_json_everywhere(run: Run, args: str) -> None:
    assert json.loads(run(*args, "--json").stdout)


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_a_verb_posts_and_tells_the_state(run: Run, api: PlayedApi, make_view: Make, verb: str) -> None:
    api.views = [make_view("paused")]
    assert run(verb, "imp/1").stdout == "Import imp-1: paused\n"
    assert (api.asked[0].method, api.asked[0].path) == ("POST", f"/v1/imports/imp%2F1/{verb}")


def test_failures_are_a_table_and_the_causes_with_their_fix(run: Run, api: PlayedApi, make_failed_row: Make) -> None:
    api.rows = {"failed": [make_failed_row()], "unaccounted": [make_failed_row(state="unaccounted", code="none")]}
    lines = run("failures", "imp-1").stdout.splitlines()
    assert lines[0].split() == ["NUMBER", "LINE", "STATE", "STAGE", "CODE", "DESCRIPTION"]
    assert lines[1].split()[:5] == ["+19195551234", "2", "failed", "order", "7518"]
    assert lines[2].split()[2] == "unaccounted"
    assert "    fix: Activate it first." in lines


def test_control_characters_of_a_row_do_not_reach_the_terminal(run: Run, api: PlayedApi, make_failed_row: Make) -> None:
    api.rows = {"rejected": [make_failed_row(number="\x1b[2J", state="rejected")]}
    assert "\x1b" not in run("failures", "imp-1").stdout


def test_no_failures_are_said_to_be_none(run: Run) -> None:
    done = run("failures", "imp-1")
    assert (done.returncode, done.stdout) == (
        0,
        "Nothing failed, nothing is unaccounted for, nothing was rejected, nothing was left unproven.\n",
    )


def test_failures_as_csv_have_one_header(run: Run, api: PlayedApi, make_failed_row: Make) -> None:
    api.rows = {"failed": [make_failed_row()], "rejected": [make_failed_row(line=9)]}
    assert run("failures", "imp-1", "--csv").stdout == ("number,line,code\n9195551234,2,7518\n9195551234,9,7518\n")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_failures_as_json_are_one_array(run: Run, api: PlayedApi, make_failed_row: Make, count: int) -> None:
    api.rows = {"failed": [make_failed_row(line=line) for line in range(count)]}
    assert [row["line"] for row in json.loads(run("failures", "imp-1", "--json").stdout)] == list(range(count))


def test_failures_of_one_code(run: Run, api: PlayedApi) -> None:
    run("failures", "imp-1", "--code", "7518")
    assert {asked.query["code"][0] for asked in api.asked} == {"7518"}
    api.asked.clear()
    run("failures", "imp-1", "--code", "no_partner")
    assert [asked.query for asked in api.asked] == [{"state": ["imported"], "code": ["no_partner"]}]


def test_failures_take_one_form_at_a_time(run: Run) -> None:
    assert run("failures", "imp-1", "--csv", "--json").returncode == 2


def test_an_export_that_breaks_off_is_no_success(run: Run, api: PlayedApi, make_failed_row: Make) -> None:
    api.rows = {"failed": [make_failed_row()]}
    api.broken_export = True
    assert run("failures", "imp-1", "--csv").returncode == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(run: Run, shell: str) -> None:
    script = run("completion", shell).stdout
    assert "_TNIMPORT_COMPLETE" in script


def test_the_shell_completes_our_commands(run: Run) -> None:
    done = run(COMP_WORDS="tnimport pa", COMP_CWORD="1", _TNIMPORT_COMPLETE="bash_complete")
    assert done.stdout == "plain,pause\n"
