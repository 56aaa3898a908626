"""Looks at everything that an import needs, and says for each fault how to mend it: `tnimport doctor`.

Exit codes: 0 all well (warnings are told), 1 something does not work, 4 settings or an account must be changed.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import Final

import click

from config.logging import configure
from config.reading import SettingsProblem
from config.settings import Settings, load
from tnimport.ledger.engine import Ledger
from workers.checkups import access, broker, callbacks, carrier, ledger, notified, processes
from workers.checkups.finding import Finding, Grade, misset, ok
from workers.connecting import transport_of

_EXIT: Final = {Grade.OK: 0, Grade.WARNING: 0, Grade.FAULT: 1, Grade.MISSET: 4}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(*, as_json: bool) -> None:
    """Check settings, keys, ledger, Redis, processes, callbacks, and each account at Bandwidth. Nothing is changed."""
    found: list[Finding] = []
    for finding in findings():
        found.append(finding)
        if not as_json:
            _print(finding)
    code = max(_EXIT[finding.grade] for finding in found)
    if as_json:
        document = {"ok": code == 0, "findings": [finding.as_json() for finding in found]}
        click.echo(json.dumps(document, ensure_ascii=False))
    sys.exit(code)


def findings() -> Iterator[Finding]:
    """Everything that is found, the foundations first; what stands on a fault is not looked at."""
    try:
        settings = load(os.environ)
    except SettingsProblem as problem:
        for text in problem.problems:
            yield misset("settings", text, "change it in the environment of every process; docs/settings.md")
        return
    # Libraries may warn; the findings have standard output for themselves.
    configure("doctor", secrets=settings.secrets(), level="ERROR", stream=sys.stderr)
    yield ok("settings", f"usable; accounts: {', '.join(sorted(settings.accounts))}")
    yield from access.check(settings.api_keys_file)
    opened = Ledger(settings.database_url.get_secret_value())
    try:
        yield from _here(settings, opened)
    finally:
        opened.close()
    yield from callbacks.check(settings)
    transport = transport_of(settings)
    try:
        yield from carrier.check(settings, transport)
    finally:
        transport.close()


def _here(settings: Settings, opened: Ledger) -> Iterator[Finding]:
    """The ledger, Redis, and the processes that the ledger knows of."""
    of_ledger = list(ledger.check(opened))
    yield from of_ledger
    usable = all(finding.grade is Grade.OK for finding in of_ledger)
    of_broker, waiting = broker.check(settings, opened if usable else None)
    yield from of_broker
    if usable:
        yield from processes.check(opened, waiting)
        yield from notified.check(settings, opened)


def _print(finding: Finding) -> None:
    mark = {Grade.OK: "ok", Grade.WARNING: "warn"}.get(finding.grade, "FAULT")
    click.echo(f"{mark:6} {finding.area}: {finding.text}")
    if finding.fix:
        click.echo(f"       fix: {finding.fix}")


if __name__ == "__main__":
    doctor(prog_name="tnimport doctor")
