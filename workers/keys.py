"""Makes, revokes and lists keys of the HTTP API: `tnimport keys`, which starts `python -m workers.keys` here.

It needs the settings and the file of keys, and nothing else: no ledger, no web process, no account.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from config.settings import Settings
from tnimport.web.access import keys as ring
from tnimport.web.access.keys import Key, KeysUnreadableError, Scope
from workers.configuration import EXIT_CONFIGURATION, settings_or_exit

NOT_FOUND: Final = 3
JSON_OPTION: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class NotUsableError(click.ClickException):
    """The settings or the file of keys are not usable."""

    exit_code = EXIT_CONFIGURATION


class NoSuchKeyError(click.ClickException):
    """There is no key with this id."""

    exit_code = NOT_FOUND


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def keys() -> None:
    """Keys of the HTTP API. They take effect at once; the web process may be down."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.WRITE.value,
    show_default=True,
    help="What it may do.",
)
@click.option("--account", "accounts", multiple=True, help="Bind it to this account; several are possible.")
@click.option("--days", type=click.IntRange(min=1), help="Let it expire after so many days.")
@JSON_OPTION
def create(name: str, scope: str, accounts: tuple[str, ...], days: int | None, *, as_json: bool) -> None:
    """Make a key for NAME, who is to use it, and show it this once."""
    settings = settings_or_exit(accounts_needed=False)
    _check(settings, name, accounts)
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days) if days else None
    key, token = ring.make(name, Scope(scope), accounts=accounts, expires=expires)
    with _edited(_file_of(settings)) as held:
        held[key.id] = key
    if as_json:
        click.echo(json.dumps(_shown(key) | {"key": token}))
        return
    click.echo(token)
    click.echo(f"This is the key of {name}, shown this once. It is used as: Authorization: Bearer …", err=True)


@keys.command()
@click.argument("key_id", metavar="ID")
@JSON_OPTION
def revoke(key_id: str, *, as_json: bool) -> None:
    """Revoke the key with this ID, which `tnimport keys list` shows; its next request is refused."""
    with _edited(_file_of(settings_or_exit(accounts_needed=False))) as held:
        if key_id not in held:
            raise NoSuchKeyError("There is no key with this id; `tnimport keys list` shows all of them.")
        gone = held.pop(key_id)
    click.echo(json.dumps(_shown(gone)) if as_json else f"Revoked the key {gone.id} of {gone.name}.")


@keys.command("list")
@JSON_OPTION
def list_(*, as_json: bool) -> None:
    """Show every key, without what it takes to use it."""
    path = _file_of(settings_or_exit(accounts_needed=False))
    shown = [_shown(key) for key in _read(path).values()]
    if as_json:
        click.echo(json.dumps(shown))
        return
    for key in shown:
        accounts = "all accounts" if key["accounts"] is None else ", ".join(key["accounts"])
        until = f"{'expired' if key['expired'] else 'until'} {key['expires']}" if key["expires"] else "no end"
        click.echo(f"{key['id']}  {key['scope']:5}  {key['name']}  ({accounts}; since {key['created']}, {until})")
    if not shown:
        click.echo("There are no keys: nobody is let in. Make one: tnimport keys create NAME", err=True)


def _check(settings: Settings, name: str, accounts: tuple[str, ...]) -> None:
    if not 0 < len(name) <= 100 or not name.isprintable():  # noqa: PLR2004 - as long as a key's name may be
        raise click.UsageError("NAME must be 1 to 100 printable characters.")
    unknown = sorted(set(accounts) - set(settings.accounts))
    if unknown:
        known = ", ".join(sorted(settings.accounts)) or "none is set"
        raise click.UsageError(f"no such account: {', '.join(unknown)} (there are: {known})")


def _file_of(settings: Settings) -> Path:
    if settings.api_keys_file is None:
        raise NotUsableError("TNIMPORT_API_KEYS_FILE is not set: name a file in which keys are to be kept.")
    return settings.api_keys_file


def _shown(key: Key) -> dict[str, Any]:
    shown = key.model_dump(mode="json", exclude={"sha256"})
    shown["accounts"] = sorted(key.accounts) if key.accounts is not None else None
    return shown | {"expired": key.expired(datetime.now(UTC))}


def _read(path: Path) -> Mapping[str, Key]:
    try:
        return ring.parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, KeysUnreadableError) as error:
        raise NotUsableError(f"{path} cannot be used: {error}") from None


@contextmanager
def _edited(path: Path) -> Iterator[dict[str, Key]]:
    """The keys of a file to change; written back whole, while no other one of us is at it."""
    try:
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            held = dict(_read(path))
            yield held
            _replace(path, ring.written(held.values()))
    except OSError as error:
        raise NotUsableError(f"{path} cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    """Put a new file in the place of the old one; a reader sees one of the two, whole."""
    before = path.stat() if path.exists() else None
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            # The web process may run as another user: it can read the new file as it could the old one.
            Path(name).chmod(before.st_mode & 0o777)
            if os.geteuid() == 0:
                os.chown(name, before.st_uid, before.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    keys(prog_name="tnimport keys")
