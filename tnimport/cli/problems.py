"""Errors as a person reads them: every problem with its place and its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from tnimport.cli.exits import Exit, for_status
from tnimport.cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tnimport.cli.address import Address
    from tnimport.cli.api import Refusal, Unreachable

_ADVICE = {
    401: "Set TNIMPORT_API_KEY (or TNIMPORT_API_KEY_FILE) to a key that `tnimport keys` made.",
    403: "The key may not do this; ask for one with the right scope.",
}


def text_of(refusal: Refusal) -> str:
    """The whole problem document in lines, nothing of it left out that helps."""
    return "\n".join(_lines(refusal))


def _lines(refusal: Refusal) -> Iterator[str]:
    problem = refusal.problem
    yield str(problem.get("title") or f"The API answered HTTP {refusal.status}")
    if problem.get("detail"):
        yield str(problem["detail"])
    for one in problem.get("errors") or []:
        yield f"  {_one(one)}"
        if one.get("fix"):
            yield f"    fix: {one['fix']}"
    if refusal.status in _ADVICE:
        yield _ADVICE[refusal.status]
    if refusal.retry_after:
        yield f"Try again in {refusal.retry_after:.0f} s."


def _one(one: dict[str, Any]) -> str:
    named = next((f"{one[name]}: " for name in ("pointer", "parameter", "header") if one.get(name)), "")
    place = f"line {one['line']}: " if one.get("line") else named
    code = f" [{one['code']}]" if one.get("code") else ""
    return f"{place}{one.get('detail') or one.get('description') or 'wrong'}{code}"


def end_refused(refusal: Refusal, *, submitting: bool = False) -> NoReturn:
    """End the command over a refusal; what is an unreadable input when submitting is wrong usage elsewhere."""
    code = for_status(refusal.status)
    if code is Exit.REFUSED and not submitting:
        code = Exit.USAGE
    raise Failure(text_of(refusal), code, refusal.problem)


def end_unreachable(fault: Unreachable, address: Address) -> NoReturn:
    """End the command because the API cannot be reached, saying where it was looked for."""
    raise Failure(
        f"No answer from the tnimport API at {address.url}: {fault.reason}.\n"
        "Is the web process running there? TNIMPORT_URL tells where it is.",
        Exit.OUR_ERROR,
    )


def note(text: str) -> None:
    """Say something that is no result."""
    click.echo(text, err=True)
