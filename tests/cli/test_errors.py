from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tnimport.cli.api import Answer, Unreachable

if TYPE_CHECKING:
    from tests.cli.conftest import PlayedApi, PlayedServer, Run


PROBLEM = {
    "title": "The request has 2 problems",
    "status": 422,
    "detail": "Nothing was started.",
    "errors": [
        {"detail": "is no number", "line": 7, "code": "not-a-number", "fix": "Write ten digits."},
        {"detail": "must be a number", "pointer": "/site_id", "code": "bad-option"},
    ],
}


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 9), (401, 4), (403, 4), (404, 3), (413, 9), (415, 9), (422, 9), (429, 7), (500, 1), (405, 1)],
)
def test_each_refusal_of_an_input_has_its_exit_code(
    run: Run, api: PlayedApi, numbers_csv: str, status: int, code: int
) -> None:
    api.problem = (status, {"title": "no", "status": status})
    assert run("import", numbers_csv, "--patience", "0").returncode == code


@pytest.mark.parametrize(
    ("args", "status", "code"),
    [("status", 400, 2), ("failures", 404, 3), ("pause", 429, 7), ("watch", 401, 4)],
)
def test_elsewhere_a_bad_request_is_wrong_usage(run: Run, api: PlayedApi, args: str, status: int, code: int) -> None:
    api.problem = (status, {"title": "no", "status": status})
    assert run(args, "x").returncode == code


def test_every_problem_is_shown_with_its_place_and_fix(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    api.problem = (422, PROBLEM)
    done = run("import", numbers_csv)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "The request has 2 problems",
        "Nothing was started.",
        "  line 7: is no number [not-a-number]",
        "    fix: Write ten digits.",
        "  /site_id: must be a number [bad-option]",
    ]


def test_with_json_the_problem_is_a_document_too(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    api.problem = (422, PROBLEM)
    done = run("import", numbers_csv, "--json")
    assert json.loads(done.stdout) == PROBLEM
    assert "line 7: is no number" in done.stderr


@pytest.mark.parametrize(
    "args",
    [("status",), ("status", "imp-1"), ("watch", "imp-1"), ("pause", "imp-1"), ("failures", "imp-1"), ("webhooks",)],
)
def test_with_json_there_is_one_object_on_standard_output_while_the_api_is_away(
    run: Run, server: PlayedServer, api: PlayedApi, args: tuple[str, ...]
) -> None:
    server.stop()
    done = run(*args, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert api.url in told["title"]
    assert done.stderr.strip() == told["detail"]


def test_with_json_what_is_refused_without_a_document_is_told_in_one(run: Run, api: PlayedApi) -> None:
    api.garbage = 404
    assert json.loads(run("failures", "imp-1", "--json").stdout)["title"] == "The API answered HTTP 404"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("args", [["status"], ["--help"], ["failures", "imp-1", "--json"]])
def test_an_output_that_takes_nothing_is_said_in_one_line(
    environment: dict[str, str], command: str, args: list[str]
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - as a shell does
        done = subprocess.run(
            [command, *args], stdout=full, stderr=subprocess.PIPE, env=environment, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "Reading or writing failed: No space left on device.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_error_that_cannot_be_said_is_none_the_less_an_error(
    environment: dict[str, str], command: str, api: PlayedApi
) -> None:
    api.problem = (404, {})
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - as a shell does
        assert (
            subprocess.run([command, "status", "x"], stdout=full, stderr=full, env=environment, check=False).returncode
            == 1
        )


def test_a_missing_key_is_answered_with_what_to_set(run: Run, api: PlayedApi) -> None:
    api.problem = (401, {})
    assert "TNIMPORT_API_KEY" in run("status", "x").stderr


def test_the_key_is_sent_and_shown_nowhere(run: Run, api: PlayedApi) -> None:
    done = run("status", "imp-1", TNIMPORT_API_KEY="bwi_1_canary")
    assert api.asked[0].headers["authorization"] == "Bearer bwi_1_canary"
    assert "canary" not in done.stdout + done.stderr


def test_an_unusable_key_is_not_repeated(run: Run) -> None:
    done = run("status", TNIMPORT_API_KEY="canary\n")
    assert done.returncode == 2
    assert "canary" not in done.stderr


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "http://", "http://h:x", "http://u:p@h", "http://a b"])
def test_an_unusable_address_is_wrong_usage(run: Run, url: str) -> None:
    done = run("status", TNIMPORT_URL=url)
    assert done.returncode == 2
    assert "TNIMPORT_URL" in done.stderr


def test_nobody_listening_is_said_at_once(run: Run, server: PlayedServer, api: PlayedApi, numbers_csv: str) -> None:
    server.stop()
    done = run("import", numbers_csv)
    assert done.returncode == 1
    assert api.url in done.stderr
    assert "TNIMPORT_URL" in done.stderr


def test_something_else_at_the_address_is_recognised(run: Run, api: PlayedApi) -> None:
    api.views = [{"hello": "world"}]
    done = run("watch", "imp-1")
    assert done.returncode == 1
    assert "not the tnimport API" in done.stderr


def test_each_answer_of_something_else_has_an_error_of_its_own() -> None:
    errors = []
    for body in (b"x", b"x", b"[]", b"[]"):
        with pytest.raises(Unreachable) as caught:
            Answer(200, {}, body).view()
        errors.append(caught.value)
    assert len(set(map(id, errors))) == len(errors)


@pytest.mark.parametrize(("status", "code", "words"), [(200, 1, "not the tnimport API"), (404, 3, "HTTP 404")])
def test_an_answer_that_is_no_json_is_told_by_what_is_known(
    run: Run, api: PlayedApi, *, status: int, code: int, words: str
) -> None:
    api.garbage = status
    done = run("status")
    assert (done.returncode, words in done.stderr) == (code, True)


@pytest.mark.parametrize("args", [["import"], ["nonsense"], ["watch"], ["import", "-", "--on-present", "eat"]])
def test_wrong_usage_ends_with_two(run: Run, args: str) -> None:
    assert run(*args).returncode == 2


def test_a_key_may_be_kept_in_a_file(run: Run, api: PlayedApi, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("tni_1_canary\n")
    assert run("status", "imp-1", TNIMPORT_API_KEY_FILE=str(path)).returncode == 0
    assert api.asked[0].headers["authorization"] == "Bearer tni_1_canary"


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"", "is empty"), (b"\xff", "not text")])
def test_a_file_that_holds_no_key_is_named_and_nothing_is_sent(
    run: Run, api: PlayedApi, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    done = run("status", TNIMPORT_API_KEY_FILE=str(path))
    assert (done.returncode, said in done.stderr) == (2, True)
    assert api.asked == []


def test_a_key_and_a_file_of_one_are_one_too_many(run: Run, api: PlayedApi) -> None:
    done = run("status", TNIMPORT_API_KEY="canary", TNIMPORT_API_KEY_FILE="key")
    assert (done.returncode, "are both set" in done.stderr, "canary" in done.stderr) == (2, True, False)
    assert api.asked == []
