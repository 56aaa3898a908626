"""`tnimport send`: one message from an imported number."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from tnimport.cli.exits import Exit, for_message
from tnimport.cli.failure import Failure
from tnimport.cli.options import json_option, wait_options
from tnimport.cli.problems import note
from tnimport.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tnimport.cli.api import Api

_LOOK_FIRST, _LOOK_EVERY = 0.1, 2.0
_UNDER_WAY = frozenset({"queued", "sending"})
_UNDELIVERED = frozenset({None, "waiting"})
RECEIPT_SECONDS = 600.0  # most receipts come within seconds, and some never
_WAIT = (
    "Wait until it is sent; with --receipt all until it is delivered, or not, "
    f"for {RECEIPT_SECONDS:.0f} seconds at most if no --timeout is given."
)


@click.command()
@click.option("--from", "sender", required=True, metavar="NUMBER", help="One of your imported numbers.")
@click.option("--to", required=True, metavar="NUMBER", help="Whom it is for; other countries with + and their code.")
@click.option("--media", multiple=True, metavar="URL", help="Address of a picture or the like; may be repeated.")
@click.option("--tag", help="Your own mark, which Bandwidth repeats.")
@click.option("--receipt", type=click.Choice(["none", "all", "error"]), help="Have Bandwidth tell of the delivery.")
@click.option("--account", help="Name of the account, when the service has several.")
@click.option("--wait", is_flag=True, help=_WAIT)
@wait_options
@json_option
@click.argument("text", default="")
def send(text: str, **values: Any) -> None:  # noqa: ANN401 - click hands over one value per option
    """Send TEXT from one of your imported numbers."""
    from tnimport.cli.submitting import submit_json  # noqa: PLC0415 - --help needs none of it

    as_json, wait = values.pop("as_json"), values.pop("wait")
    patience, timeout = values.pop("patience"), values.pop("timeout")
    with session(as_json=as_json, submitting=True) as api:
        view = submit_json(api, "/v1/messages", _message(text, values), patience=patience).json()
    with session(as_json=as_json) as api:
        if wait:
            view = _to_its_end(api, view, patience, timeout)
    click.echo(json.dumps(view) if as_json else _line(view) if wait else view["id"])
    sys.exit(for_message(view) if wait else Exit.DONE)


def _message(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    said = {"from": values["sender"], "text": text, "receipt_requested": values["receipt"]}
    said |= {name: values[name] for name in ("to", "tag", "account")} | {"media": list(values["media"]) or None}
    return {name: value for name, value in said.items() if value is not None}


def _to_its_end(api: Api, view: Mapping[str, Any], patience: float, timeout: float | None) -> Mapping[str, Any]:
    began = time.monotonic()
    deadline = None if timeout is None else began + timeout
    told = None
    for seen in _looks(api, str(view["id"]), patience):
        view = seen
        if not _open(view):
            break
        why = _why(view)
        if why is not None and why != told:
            note(why)
            told = why
        if deadline is None and view["state"] == "sent":
            deadline = time.monotonic() + RECEIPT_SECONDS
        if deadline is not None and time.monotonic() >= deadline:
            raise _over(view, time.monotonic() - began)
    return view


def _why(view: Mapping[str, Any]) -> str | None:
    """Why the wait goes on, where that is not for what is just under way."""
    if view["state"] == "sent":
        return "Sent; waits for the receipt."
    why = view.get("description") if view["state"] == "queued" else None
    return f"It waits: {why}" if why is not None else None


def _over(view: Mapping[str, Any], seconds: float) -> Failure:
    if view["state"] == "sent":
        told = f"Message {view['id']} is sent, and no receipt has come in {seconds:.0f} s."
        return Failure(f"{told} GET /v1/messages/{view['id']} tells when one does.", Exit.STILL_RUNNING)
    return Failure(f"Still {view['state']}; the wait ended and the message goes on.", Exit.STILL_RUNNING)


def _open(view: Mapping[str, Any]) -> bool:
    if view["state"] in _UNDER_WAY:
        return True
    told = view["receipt_requested"] == "all" and view["state"] == "sent"
    return told and view.get("delivery_state") in _UNDELIVERED


def _looks(api: Api, message_id: str, patience: float) -> Iterator[Mapping[str, Any]]:
    """The message again and again, ever more slowly, through outages of the API."""
    from urllib.parse import quote  # noqa: PLC0415 - --help needs none of it

    from tnimport.cli.submitting import through_outages  # noqa: PLC0415 - as above

    pause, path = _LOOK_FIRST, f"/v1/messages/{quote(message_id, safe='')}"
    while True:
        yield through_outages(lambda: api.get(path), patience).json()
        time.sleep(pause)
        pause = min(2 * pause, _LOOK_EVERY)


def _line(view: Mapping[str, Any]) -> str:
    delivery = f", {view['delivery_state']}" if view.get("delivery_state") else ""
    why = " ".join(str(view[name]) for name in ("description", "fix") if view.get(name))
    coded = f" [{view['code']}]" if view.get("code") else ""
    return f"Message {view['id']}: {view['state']}{delivery}{coded}" + (f"\n{why}" if why else "")
