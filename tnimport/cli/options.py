"""The options that commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from tnimport.cli.follow import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Command = TypeVar("Command", bound="Callable[..., Any]")

# The names are those of the API; each becomes a query parameter, or a member of a JSON body.
IMPORT_OPTIONS: dict[str, dict[str, Any]] = {
    "site_id": {"help": "Site (sub-account) that gets the numbers."},
    "sip_peer_id": {"help": "SIP peer (location) that gets the numbers."},
    "customer_order_id": {"help": "Your own name for the order, at most 40 characters."},
    "application_id": {"help": "Application that the numbers are registered to."},
    "application_name": {"help": "Name of an application to find or to create."},
    "application_incoming_message_url": {"help": "Where the new application gets inbound messages."},
    "application_incoming_message_url_callback_timeout": {
        "type": int,
        "help": "Milliseconds to wait for that address.",
    },
    "application_incoming_message_fallback_url": {"help": "Address to use when that one fails."},
    "application_callback_http_method": {
        "type": click.Choice(["GET", "POST"], case_sensitive=False),
        "help": "How inbound messages are sent there.",
    },
    "account": {"help": "Name of the account, when the service has several."},
    "notify_url": {"help": "Address that is told when the import has ended."},
    "client_ref": {"help": "Your own key for this import; it makes repeating harmless."},
    "max_per_minute": {"type": float, "help": "Import at most this many numbers a minute."},
    "on_present": {
        "type": click.Choice(["skip", "fail", "refresh"]),
        "help": "What to do with a number that is there already.",
    },
    "strict": {"is_flag": True, "default": None, "help": "Refuse the whole input for one row that is no number."},
    "verify": {"type": click.Choice(["none", "sample", "all"]), "help": "Prove numbers by test messages."},
    "verify_count": {"type": click.IntRange(min=1), "help": "How many numbers a sample has (10)."},
}


# A number that is taken away goes to no application, is no surprise when it is there, and proves nothing.
_NOT_WITH_REMOVE = frozenset(name for name in IMPORT_OPTIONS if name.startswith("application_")) | {
    "on_present",
    "verify",
    "verify_count",
}


def import_options(command: Command) -> Command:
    """Give a command every option of an import."""
    return _with_options(command, IMPORT_OPTIONS)


def removal_options(command: Command) -> Command:
    """Give a command the options that have a meaning for numbers that are removed."""
    return _with_options(command, {name: how for name, how in IMPORT_OPTIONS.items() if name not in _NOT_WITH_REMOVE})


def _with_options(command: Command, options: Mapping[str, dict[str, Any]]) -> Command:
    for name, how in reversed(list(options.items())):
        command = click.option(f"--{name.replace('_', '-')}", name, **how)(command)
    return command


def json_option(command: Command) -> Command:
    """Give a command --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def wait_options(command: Command) -> Command:
    """Give a command the limits of watching."""
    command = click.option(
        "--patience",
        type=click.FloatRange(min=0),
        default=PATIENCE,
        show_default=True,
        help="Seconds for which the API may be away while watching.",
    )(command)
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=None,
        help="Stop watching after so many seconds (exit code 5); the work goes on.",
    )(command)
