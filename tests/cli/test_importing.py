from __future__ import annotations

import gzip
import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Make, PlayedApi, Run


CSV = b"number\n9195551234\n"


def test_an_accepted_file_prints_the_id_alone_on_standard_output(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    done = run("import", numbers_csv)
    assert (done.returncode, done.stdout) == (0, "imp-1\n")
    assert "tnimport watch imp-1" in done.stderr
    assert api.asked[0].body == Path(numbers_csv).read_bytes()


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("a.csv", "text/csv"),
        ("a.TXT", "text/plain"),
        ("a.ndjson", "application/x-ndjson"),
        ("a.jsonl", "application/x-ndjson"),
        ("a.json", "application/json"),
    ],
)
def test_the_suffix_tells_the_type(run: Run, api: PlayedApi, tmp_path: Path, name: str, media: str) -> None:
    (tmp_path / name).write_bytes(b"9195551234\n")
    assert run("import", str(tmp_path / name)).returncode == 0
    assert api.asked[0].headers["content-type"] == media


@pytest.mark.parametrize(
    ("text", "media"),
    [
        (b"9195551234\n", "text/plain"),
        (b"number,name\n", "text/csv"),
        (b"number;name\n", "text/csv"),
        (b'\xef\xbb\xbf{"numbers": ["9195551234"]}', "application/json"),
        (b'{"number": "9195551234"}\n{"number": "9195551235"}\n', "application/x-ndjson"),
    ],
)
def test_standard_input_is_recognised_by_its_first_line(run: Run, api: PlayedApi, text: bytes, media: str) -> None:
    assert run("import", "-", stdin=text).returncode == 0
    assert (api.asked[0].headers["content-type"], api.asked[0].body) == (media, text)


def test_a_given_format_wins_over_the_name(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    run("import", numbers_csv, "--format", "txt")
    assert api.asked[0].headers["content-type"] == "text/plain"


def test_gzip_passes_as_it_is(run: Run, api: PlayedApi, tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV))
    assert run("import", str(tmp_path / "a.csv.gz")).returncode == 0
    assert (api.asked[0].headers["content-type"], api.asked[0].text) == ("text/csv", CSV)


def test_gzip_on_standard_input_needs_a_format(run: Run) -> None:
    assert run("import", "-", stdin=gzip.compress(CSV)).returncode == 2
    assert run("import", "-", "--format", "csv", stdin=gzip.compress(CSV)).returncode == 0


def test_options_travel_as_query_parameters(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    run("import", numbers_csv, "--site-id", "743", "--application-name", "a b", "--strict", "--on-present", "fail")
    assert api.asked[0].query == {
        "site_id": ["743"],
        "application_name": ["a b"],
        "strict": ["true"],
        "on_present": ["fail"],
    }


def test_options_join_the_members_of_a_json_body(run: Run, api: PlayedApi, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"numbers": ["9195551234"], "site_id": 1}')
    run("import", str(tmp_path / "a.json"), "--site-id", "743", "--application-id", "a-1")
    assert api.asked[0].query == {}
    assert json.loads(api.asked[0].body) == {
        "numbers": ["9195551234"],
        "site_id": "743",
        "application": {"id": "a-1"},
    }


def test_a_bare_json_list_is_wrapped(run: Run, api: PlayedApi) -> None:
    run("import", "-", stdin=b'["9195551234"]')
    assert json.loads(api.asked[0].body) == {"numbers": ["9195551234"]}


@pytest.mark.parametrize("body", [b"[", b"[1", b"\x1f\x8b["])
def test_broken_json_that_needs_options_is_refused_here(run: Run, api: PlayedApi, body: bytes) -> None:
    assert run("import", "-", "--format", "json", "--account", "a", stdin=body).returncode == 9
    assert api.asked == []


def test_json_that_is_no_object_is_refused_here(run: Run) -> None:
    assert run("import", "-", "--format", "json", "--account", "a", stdin=b"7").returncode == 9


def test_remove_is_an_import_with_another_action(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    assert run("remove", numbers_csv).returncode == 0
    assert api.asked[0].query == {"action": ["REMOVE"]}


@pytest.mark.parametrize("option", ["--application-id", "--application-name", "--on-present", "--verify"])
def test_remove_offers_nothing_that_has_no_meaning_for_it(run: Run, api: PlayedApi, option: str) -> None:
    assert option in run("import", "--help").stdout
    assert option not in run("remove", "--help").stdout
    assert run("remove", "-", option, "all", stdin=b"9195551234\n").returncode == 2
    assert api.asked == []


def test_the_same_wish_has_the_same_key_and_another_wish_another(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    for args in ([], [], ["--account", "b"], ["--again"], ["--again"]):
        run("import", numbers_csv, *args)
    run("remove", numbers_csv)
    first, second, other, again, once_more, removal = (one.headers["idempotency-key"] for one in api.asked)
    assert first == second
    assert len({first, other, again, once_more, removal}) == 5


def test_a_repetition_is_said_to_be_one(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    api.replayed = True
    done = run("import", numbers_csv)
    assert done.stdout == "imp-1\n"
    assert "submitted before" in done.stderr
    assert "--again" in done.stderr


def test_json_prints_the_import(run: Run, numbers_csv: str) -> None:
    assert json.loads(run("import", numbers_csv, "--json").stdout)["id"] == "imp-1"


def test_a_lost_answer_is_asked_for_again_with_the_same_key(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    api.lost_answers = 1
    done = run("import", numbers_csv)
    assert (done.returncode, done.stdout) == (0, "imp-1\n")
    first, second = api.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_a_lost_answer_beyond_the_patience_is_our_error(run: Run, api: PlayedApi, numbers_csv: str) -> None:
    api.lost_answers = 99
    assert run("import", numbers_csv, "--patience", "0").returncode == 1


def test_a_missing_file_is_wrong_usage(run: Run) -> None:
    done = run("import", "nowhere.csv")
    assert done.returncode == 2
    assert "nowhere.csv" in done.stderr


@pytest.mark.parametrize(
    "body", [b"", b"\n \n", b"\xef\xbb\xbf", b"[]", b'{"numbers": []}', gzip.compress(b""), gzip.compress(b"[ ]")]
)
def test_an_empty_input_is_refused_before_anything_is_sent(run: Run, api: PlayedApi, body: bytes) -> None:
    done = run("import", "-", stdin=body)
    assert (done.returncode, done.stdout, api.asked) == (9, "", [])
    assert done.stderr == "Standard input is empty: nothing was sent.\n"


def test_an_empty_file_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "none.csv").touch()
    assert "none.csv is empty" in run("import", str(tmp_path / "none.csv")).stderr


@pytest.mark.parametrize("body", [b"\n" * 5000 + b"9195551234\n", gzip.compress(CSV)[:-9], b"\x1f\x8b"])
def test_what_only_looks_empty_is_sent(run: Run, api: PlayedApi, body: bytes) -> None:
    assert run("import", "-", "--format", "txt", stdin=body).returncode == 0
    assert api.asked[0].body == body


@pytest.mark.parametrize(
    ("state", "counts", "code"),
    [
        ("complete", {"imported": 0, "rejected": 2, "rows": 2}, 8),
        ("partial", {"failed": 1}, 8),
        ("complete", {}, 0),
        ("complete", {"imported": 0, "rows": 0}, 9),
        ("running", {}, 0),
        ("held", {}, 0),
    ],
)
def test_an_import_that_has_ended_when_it_is_accepted_says_so_by_its_code(
    run: Run, api: PlayedApi, make_view: Make, numbers_csv: str, *, state: str, counts: dict[str, int], code: int
) -> None:
    api.views = [make_view(state, counts=counts)]
    done = run("import", numbers_csv)
    assert (done.returncode, done.stdout) == (code, "imp-1\n")
    assert ("tnimport failures imp-1" in done.stderr) == (code == 8)


def test_wait_ends_with_the_report(run: Run, api: PlayedApi, make_view: Make, numbers_csv: str) -> None:
    api.views = [make_view("queued"), make_view("complete")]
    done = run("import", numbers_csv, "--wait")
    assert done.returncode == 0
    assert "sum" in done.stdout
    assert "= 8 rows" in done.stdout


def test_wait_with_json_prints_one_document_and_that_is_the_end(
    run: Run, api: PlayedApi, make_view: Make, numbers_csv: str
) -> None:
    api.views = [make_view("queued"), make_view("complete")]
    assert json.loads(run("import", numbers_csv, "--wait", "--json").stdout)["state"] == "complete"


@pytest.mark.parametrize(("args", "words"), [([], "starts nothing twice"), (["--again"], "tnimport status")])
def test_an_interrupt_while_sending_says_what_to_do(
    api: PlayedApi, environment: dict[str, str], command: str, numbers_csv: str, *, args: list[str], words: str
) -> None:
    api.silent.set()
    with subprocess.Popen(
        [command, "import", numbers_csv, *args], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert api.silent_to.acquire(timeout=60)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 1
    assert words in told
