"""The real command line against the real web process: what one says, the other understands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import Web

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROWS = "number,name\n919-555-0001,Ann\n9195550002,Bob\nhello,x\n9195550001,y\n,\n"


@pytest.fixture
def tnimport(web: Web) -> Run:
    def _run(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("tnimport")), *args],
            input=stdin,
            capture_output=True,
            text=True,
            env=os.environ | {"TNIMPORT_URL": web.url},
            timeout=30,
            check=False,
        )

    return _run


def test_an_import_from_the_first_command_to_the_last(tnimport: Run) -> None:
    accepted = tnimport("import", "-", "--client-ref", "r-1", "--strict", stdin=ROWS)
    assert accepted.returncode == 9
    assert "line 4" in accepted.stderr
    accepted = tnimport("import", "-", "--client-ref", "r-1", stdin=ROWS)
    assert accepted.returncode == 0, accepted.stderr
    import_id = accepted.stdout.strip()
    repeated = tnimport("import", "-", "--client-ref", "r-1", stdin=ROWS)
    assert repeated.stdout.strip() == import_id
    assert "submitted before" in repeated.stderr
    assert import_id in tnimport("status").stdout
    assert "5 rows" in tnimport("status", import_id).stdout
    assert tnimport("watch", import_id, "--timeout", "0").returncode == 5
    assert tnimport("pause", import_id).stdout == f"Import {import_id}: paused\n"
    assert tnimport("resume", import_id).stdout == f"Import {import_id}: queued\n"
    assert tnimport("cancel", import_id).stdout == f"Import {import_id}: cancelled\n"
    ended = tnimport("watch", import_id)
    assert ended.returncode == 8
    assert "5 = 5 rows" in ended.stdout
    assert "rejected" in ended.stdout


def test_every_form_of_the_failures_holds_the_rejected_row(tnimport: Run) -> None:
    import_id = tnimport("import", "-", stdin=ROWS).stdout.strip()
    assert "hello" in tnimport("failures", import_id).stdout
    (row,) = json.loads(tnimport("failures", import_id, "--json").stdout)
    assert (row["line"], row["number"], row["state"]) == (4, "hello", "rejected")
    header, line = tnimport("failures", import_id, "--csv").stdout.splitlines()
    assert header.startswith("number,line,state")
    assert line.startswith("hello,4,rejected")


def test_options_by_query_and_in_json_arrive(tnimport: Run) -> None:
    options = ("--customer-order-id", "A-1", "--max-per-minute", "60", "--application-id", "a-2")
    for text in ("9195550001\n", '["9195550001"]'):
        view = json.loads(
            tnimport("remove" if text[0] == "[" else "import", "-", *options[:4], "--json", stdin=text).stdout
        )
        assert view["customer_order_id"] == "A-1"
    assert view["action"] == "REMOVE"
    wrong = tnimport("import", "-", "--site-id", "x", *options, stdin="9195550001\n")
    assert wrong.returncode == 9
    assert "/site_id" in wrong.stderr


def test_an_unknown_import_is_not_found(tnimport: Run) -> None:
    assert tnimport("status", "imp_unknown").returncode == 3
    assert tnimport("failures", "imp_unknown").returncode == 3
