"""`tnimport webhooks` and `replay`: what others were told, and having it told again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tnimport.cli.options import json_option
from tnimport.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATES = ["waiting", "delivered", "failed", "disabled"]


@click.command()
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--failed", "state", flag_value="failed", help="Only those that failed; the same as --state failed.")
@click.option("--import", "import_id", metavar="ID", help="Only those about import ID.")
@json_option
def webhooks(state: str | None, import_id: str | None, *, as_json: bool) -> None:
    """List what others were told, or are yet to be told, the newest first."""
    from urllib.parse import urlencode  # noqa: PLC0415 - --help needs none of it

    asked = {name: value for name, value in (("state", state), ("import_id", import_id)) if value}
    with session(as_json=as_json) as api:
        document = api.get("/v1/webhooks" + (f"?{urlencode(asked)}" if asked else "")).json()
    click.echo(json.dumps(document) if as_json else "\n".join(_listed(document["webhooks"])))


@click.command()
@click.argument("webhook_id", metavar="ID")
@json_option
def replay(webhook_id: str, *, as_json: bool) -> None:
    """Send webhook ID again, now; its receiver sees the same webhook-id as before."""
    from urllib.parse import quote  # noqa: PLC0415 - --help needs none of it

    with session(as_json=as_json) as api:
        told = api.post(f"/v1/webhooks/{quote(webhook_id, safe='')}/replay").json()
    click.echo(json.dumps(told) if as_json else f"Webhook {told['id']}: {told['state']}")


def _listed(found: list[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        yield "No webhooks."
    for one in found:
        row = f"{one['id']}  {one['type']:<17}  {one['state']:<9}  {one['attempts']:>2}  {one['address']}"
        why = one.get("description")
        yield f"{row}  ({why.rstrip('.')})" if why else row
