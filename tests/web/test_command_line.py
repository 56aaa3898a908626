"""The real command line against the real web process: what one says, the other understands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.web.conftest import ACCOUNT
from tnimport.ledger.schema import imports, messages, numbers, orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import Serve, Web
    from tnimport.ledger.engine import Ledger

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROWS = "number,name\n919-555-0001,Ann\n9195550002,Bob\nhello,x\n9195550001,y\n,\n"


@pytest.fixture
def web(serve: Serve, ledger: Ledger) -> Web:
    """A service that the carrier can call, so that receipts have a way to it."""
    called = replace(ACCOUNT, callback_url="https://tn.example/callbacks/default")
    return serve(ledger, accounts={"default": called})


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


def test_an_import_of_nothing_but_rejected_rows_has_ended_and_is_told_by_the_code(tnimport: Run) -> None:
    done = tnimport("import", "-", stdin="bad\nworse\n")
    assert done.returncode == 8
    assert done.stdout.startswith("imp_")
    done = tnimport("import", "-", "--format", "csv", stdin="phone\n")
    assert (done.returncode, "no row" in done.stderr) == (9, True)


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


def test_a_message_from_the_command_line(tnimport: Run, web: Web) -> None:
    ours, theirs = "919-555-0001", "+12065550123"
    refused = tnimport("send", "--from", ours, "--to", theirs, "Good morning")
    assert refused.returncode == 9
    assert "[not_imported]" in refused.stderr
    web.submit(ours)
    with web.ledger.write() as tx:
        tx.run(sa.update(numbers).values(outcome="imported", updated_at=tx.now))
    sent = tnimport("send", "--from", ours, "--to", theirs, "--receipt", "all", "--tag", "t", "Good morning")
    assert sent.returncode == 0, sent.stderr
    message_id = sent.stdout.strip()
    (told,) = web.get("/v1/messages").json()["messages"]
    assert (told["id"], told["tag"], told["receipt_requested"]) == (message_id, "t", "all")
    options = ("--from", ours, "--to", theirs, "--wait", "--timeout", "0", "Again")
    assert tnimport("send", *options).returncode == 5
    with web.ledger.write() as tx:
        tx.run(sa.update(messages).values(state="failed", code="restricted-number"))
    # What a caller's own program would see: the same request again is the same message.
    assert web.get(f"/v1/messages/{message_id}").json()["fix"] == "Use another number."


def test_a_receipt_that_does_not_come_is_said_to_be_waited_for_and_not_for_ever(tnimport: Run, web: Web) -> None:
    web.submit("919-555-0001")
    with web.ledger.write() as tx:
        tx.run(sa.update(numbers).values(outcome="imported", updated_at=tx.now))
        sealing = "CREATE TRIGGER at_once AFTER INSERT ON work WHEN NEW.message_id IS NOT NULL BEGIN {} END"
        tx.connection.exec_driver_sql(sealing.format("UPDATE messages SET state = 'sent' WHERE id = NEW.message_id;"))
    said = ("--from", "919-555-0001", "--to", "+12065550123", "--receipt", "all", "Good morning")
    done = tnimport("send", *said, "--wait", "--timeout", "0")
    assert done.returncode == 5
    assert done.stderr.count("Sent; waits for the receipt.") == 1
    assert "no receipt has come" in done.stderr
    assert tnimport("send", *said[:4], "--wait", "No receipt wanted").returncode == 0


def test_waiting_ends_with_the_message(tnimport: Run, web: Web) -> None:
    web.submit("919-555-0001")
    with web.ledger.write() as tx:
        tx.run(sa.update(numbers).values(outcome="imported", updated_at=tx.now))
        sealing = "CREATE TRIGGER at_once AFTER INSERT ON work WHEN NEW.message_id IS NOT NULL BEGIN {} END"
        fate = "UPDATE messages SET state = 'sent', delivery_state = 'not-delivered' WHERE id = NEW.message_id;"
        tx.connection.exec_driver_sql(sealing.format(fate))
    said = ("--from", "919-555-0001", "--to", "+12065550123", "--receipt", "all", "Good morning")
    done = tnimport("send", *said, "--wait")
    assert (done.returncode, done.stdout.partition(": ")[2]) == (8, "sent, not-delivered\n")
    assert json.loads(tnimport("send", *said, "--wait", "--json").stdout)["state"] == "sent"


def test_the_report_gives_the_reasons_of_what_was_not_proven(tnimport: Run, web: Web) -> None:
    import_id = web.submit("919-555-0001", "919-555-0002")
    with web.ledger.write() as tx:
        unproven = {"stage": "verify", "code": "received_nothing", "description": "No message to it arrived."}
        tx.run(sa.update(numbers).values(outcome="imported", updated_at=tx.now))
        tx.run(sa.update(numbers).where(numbers.c.pos == 1).values(**unproven))
        tx.run(sa.update(orders).values(state="done", open=0))
        tx.run(sa.update(imports).values(requested=0, imported=2, finished_at=tx.now, verify="all"))
    report = tnimport("watch", import_id)
    assert report.returncode == 8
    assert "1 x verify received_nothing: No message to it arrived." in report.stdout
    assert "not proven" in report.stdout
    assert tnimport("watch", import_id, "--json").returncode == 8
    # What the report sends its reader to.
    assert f"tnimport failures {import_id} --csv" in report.stdout
    header, line = tnimport("failures", import_id, "--csv").stdout.splitlines()
    assert dict(zip(header.split(","), line.split(","), strict=False))["code"] == "received_nothing"
    (row,) = json.loads(tnimport("failures", import_id, "--json").stdout)
    assert (row["number"], row["code"]) == ("+19195550002", "received_nothing")
    assert "+19195550002" in tnimport("failures", import_id).stdout


@pytest.mark.parametrize("verify", ["none", "sample"])
def test_what_was_not_to_be_proven_is_no_failure(tnimport: Run, web: Web, verify: str) -> None:
    import_id = web.submit("919-555-0001", "919-555-0002")
    with web.ledger.write() as tx:
        tx.run(sa.update(numbers).values(outcome="imported", updated_at=tx.now))
        tx.run(sa.update(numbers).where(numbers.c.pos == 1).values(outcome="verified"))
        tx.run(sa.update(orders).values(state="done", open=0))
        tx.run(sa.update(imports).values(requested=0, imported=1, verified=1, finished_at=tx.now, verify=verify))
    assert tnimport("watch", import_id).returncode == 0
    assert "nothing was left unproven" in tnimport("failures", import_id).stdout
