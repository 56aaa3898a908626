"""`tnimport watch` and `tnimport status`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from tnimport.cli import counts, phrases
from tnimport.cli.options import json_option, wait_options
from tnimport.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@click.command()
@click.argument("import_id", metavar="ID")
@wait_options
@json_option
def watch(import_id: str, *, as_json: bool, patience: float, timeout: float | None) -> None:
    """Watch import ID to its end and print the report. Ctrl-C stops the watching only."""
    from tnimport.cli.watching import watch_to_the_end  # noqa: PLC0415 - --help needs none of it

    with session(as_json=as_json) as api:
        sys.exit(watch_to_the_end(api, import_id, as_json=as_json, patience=patience, timeout=timeout))


@click.command()
@click.argument("import_id", metavar="[ID]", required=False)
@click.option("--client-ref", help="Only the import that was submitted with this key.")
@json_option
def status(import_id: str | None, *, client_ref: str | None, as_json: bool) -> None:
    """Tell where import ID stands, or the newest imports."""
    with session(as_json=as_json) as api:
        document = api.get(_one(import_id)).view() if import_id else api.get(_several(client_ref)).json()
    if as_json:
        click.echo(json.dumps(document))
    elif import_id:
        click.echo("\n".join(_told(document)))
    else:
        click.echo("\n".join(_listed(document["imports"])))


def _one(import_id: str) -> str:
    from tnimport.cli.follow import view_path  # noqa: PLC0415 - --help needs none of it

    return view_path(import_id)


def _several(client_ref: str | None) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - --help needs none of it

    return f"/v1/imports?{urlencode({'client_ref': client_ref})}" if client_ref else "/v1/imports"


def _told(view: Mapping[str, Any]) -> Iterator[str]:
    yield f"Import {view['id']}: {view['state']}, {phrases.share(view)}"
    held = view.get("held")
    facts = {
        "action": view.get("action"),
        "account": view.get("account"),
        "client ref": view.get("client_ref"),
        "order name": view.get("customer_order_id"),
        "held": f"{held['code']}: {held['instruction']}" if held else None,
        "waits for": phrases.waiting(view),
        "ready at": None if view.get("finished_at") else view.get("eta"),
        "created": view.get("created_at"),
        "finished": view.get("finished_at"),
    }
    yield from (f"  {name:<12}{value}" for name, value in facts.items() if value)
    yield from (f"  {name:<12}{count:>10,}" for name, count in counts.filled(view))


def _listed(views: list[Mapping[str, Any]]) -> Iterator[str]:
    if not views:
        yield "No imports yet. Start one: tnimport import FILE"
        return
    for view in views:
        line = f"{view['id']}  {view['state']:<9}  {phrases.share(view):<34}  {view.get('created_at') or ''}"
        yield f"{line}  {view.get('client_ref') or ''}".rstrip()
