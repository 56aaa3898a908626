"""`tnimport webhooks` and `replay`: what others were told, and having it told again."""

from __future__ import annotations

import json
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from tnimport.cli.options import json_option
from tnimport.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tnimport.cli.api import Api

_STATES = ["waiting", "delivered", "failed", "disabled"]
_PAGE = 200  # the most that the service gives at once


@click.command()
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--failed", "state", flag_value="failed", help="Only those that failed; the same as --state failed.")
@click.option("--import", "import_id", metavar="ID", help="Only those about import ID.")
@json_option
def webhooks(state: str | None, import_id: str | None, *, as_json: bool) -> None:
    """List what others were told, or are yet to be told, the newest first."""
    asked = {name: value for name, value in (("state", state), ("import_id", import_id)) if value}
    with session(as_json=as_json) as api:
        found = _all(api, asked)
        if as_json:
            click.echo(json.dumps({"webhooks": list(found), "next_page_token": ""}))
            return
        first = next(found, None)
        if first is None:
            click.echo("No webhooks.", err=True)  # and nothing to be replayed
            return
        for one in chain([first], found):
            click.echo(_row(one))


@click.command()
@click.argument("webhook_ids", metavar="ID...", nargs=-1, required=True)
@json_option
def replay(webhook_ids: tuple[str, ...], *, as_json: bool) -> None:
    """Send each webhook ID again, now; its receiver sees the same webhook-id as before.

    `-` reads IDs from standard input, the first word of each line, as `tnimport webhooks` writes them. An ID that
    cannot be sent again ends it; those before it are sent. With --json there is a line for each.
    """
    from urllib.parse import quote  # noqa: PLC0415 - --help needs none of it

    with session(as_json=as_json) as api:
        for one in _named(webhook_ids):
            told = api.post(f"/v1/webhooks/{quote(one, safe='')}/replay").json()
            click.echo(json.dumps(told) if as_json else f"Webhook {told['id']}: {told['state']}")


def _all(api: Api, asked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Every page from the newest to the oldest, each asked for when the one before it has been read."""
    from urllib.parse import urlencode  # noqa: PLC0415 - --help needs none of it

    query: dict[str, str | int] = {**asked, "page_size": _PAGE}
    while True:
        document = api.get(f"/v1/webhooks?{urlencode(query)}").json()
        yield from document["webhooks"]
        if not document["next_page_token"]:
            return
        query["page_token"] = document["next_page_token"]


def _named(webhook_ids: Iterable[str]) -> Iterator[str]:
    for one in webhook_ids:
        if one == "-":
            yield from (line.split()[0] for line in sys.stdin if line.strip())
        else:
            yield one


def _row(one: Mapping[str, Any]) -> str:
    row = f"{one['id']}  {one['type']:<17}  {one['state']:<9}  {one['attempts']:>2}  {one['address']}"
    why = one.get("description")
    return f"{row}  ({why.rstrip('.')})" if why else row
