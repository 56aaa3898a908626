"""Keys of the HTTP API: what a token is, what the file of keys holds, and whether a token is one of them.

A token is `tni_<id>_<secret>`; its secret has 192 random bits, so that one fast hash of it protects it as well as a
slow one would. The file holds hashes only, and whoever reads it can present none of them.
"""

import hmac
import re
import secrets
import string
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

TOKEN: Final = re.compile(r"tni_([a-z0-9]{8})_([0-9a-f]{48})", re.ASCII)
_SECRET_BYTES: Final = 24
_ID_LETTERS: Final = string.ascii_lowercase + string.digits
_HEAD: Final = (
    "# Keys of the HTTP API, hashes only. `tnimport keys` writes this file; the web process reads every change.\n"
)


class KeysUnreadableError(Exception):
    """The file of keys is not usable; its text says why, and holds no hash."""


class Scope(StrEnum):
    """What a key may do; each includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Whether this one is enough where the other is asked for."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


class Key(BaseModel):
    """One key. `accounts` are those that it is bound to, none = all; times are in UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9]{8}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    scope: Scope
    accounts: frozenset[Annotated[str, Field(min_length=1)]] | None = None
    created: AwareDatetime
    expires: AwareDatetime | None = None

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires


def make(name: str, scope: Scope, *, accounts: Iterable[str] = (), expires: datetime | None = None) -> tuple[Key, str]:
    """A new key and its token, which is kept nowhere."""
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
    token = f"tni_{key_id}_{secrets.token_hex(_SECRET_BYTES)}"
    key = Key(
        id=key_id,
        name=name,
        sha256=_hash(token),
        scope=scope,
        accounts=frozenset(accounts) or None,
        created=datetime.now(UTC).replace(microsecond=0),
        expires=expires,
    )
    return key, token


def matching(keys: Mapping[str, Key], token: str) -> Key | None:
    """The key whose token this is, expired ones too; None for anything else."""
    found = TOKEN.fullmatch(token)
    key = keys.get(found.group(1)) if found else None
    expected = key.sha256 if key else _hash("")
    same = hmac.compare_digest(_hash(token), expected)
    return key if same else None


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def parse(text: str) -> dict[str, Key]:
    """The keys in the text of a file, by id.

    Raises:
        KeysUnreadableError: it is no such file; a half of the keys is never taken for all of them.
    """
    try:
        tables = tomllib.loads(text).get("keys", {})
        return {name: Key(id=name, **table) for name, table in tables.items()}
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise KeysUnreadableError(f"a key's {place} is not usable: {error.errors()[0]['msg']}") from None
    except (tomllib.TOMLDecodeError, AttributeError, TypeError) as error:
        raise KeysUnreadableError(f"it is no file of keys ({type(error).__name__})") from None


def written(keys: Iterable[Key]) -> str:
    """The text of a file of these keys."""
    return _HEAD + "".join(_table(key) for key in sorted(keys, key=lambda key: (key.created, key.id)))


def _table(key: Key) -> str:
    lines = {"name": _quoted(key.name), "sha256": _quoted(key.sha256), "scope": _quoted(key.scope)}
    if key.accounts is not None:
        lines["accounts"] = f"[{', '.join(map(_quoted, sorted(key.accounts)))}]"
    lines["created"] = _instant(key.created)
    if key.expires is not None:
        lines["expires"] = _instant(key.expires)
    return f"\n[keys.{key.id}]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())


def _quoted(text: str) -> str:
    """A TOML string: everything but letters that print as they are goes as an escape."""
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    plain = letter.isprintable() and letter not in '"\\'
    return letter if plain else f"\\U{ord(letter):08X}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
