"""`tnimport pause`, `resume` and `cancel`."""

from __future__ import annotations

import json

import click

from tnimport.cli.options import json_option
from tnimport.cli.session import session

_EFFECT = {
    "pause": "Pause import ID: what is under way ends, nothing new starts.",
    "resume": "Let import ID go on, after a pause or after the fault that held it was mended.",
    "cancel": "Cancel import ID: numbers already working stay, the others are not started.",
}


def _command(verb: str) -> click.Command:
    @click.command(verb, help=_EFFECT[verb])
    @click.argument("import_id", metavar="ID")
    @json_option
    def act(import_id: str, *, as_json: bool) -> None:
        from tnimport.cli.follow import view_path  # noqa: PLC0415 - --help needs none of it

        with session(as_json=as_json) as api:
            view = api.post(f"{view_path(import_id)}/{verb}").view()
        click.echo(json.dumps(view) if as_json else f"Import {view['id']}: {view['state']}")

    return act


pause = _command("pause")
resume = _command("resume")
cancel = _command("cancel")
