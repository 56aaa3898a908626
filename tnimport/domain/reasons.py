"""The catalogue of reasons: every code that a number, an order, an import or a request can end with.

One short code is used unchanged in ledger, log, metric, HTTP answer, page and CSV. Carrier codes are opaque strings
(Dashboard numbers, Catapult words); their meanings come from api-docs errors.mdx and ap-docs errors.md. The
sentences are data, in `reasons.toml` beside this module; `docs/reasons.md` shows them and a test keeps both equal.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["transient", "permanent", "account"]
Scope = Literal["account", "import"]

_HTTP = re.compile(r"http_([45])\d\d")


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What one code means and what to do about it.

    Attributes:
        code: the code itself.
        title: a few words.
        cause: what happened, one or two plain sentences.
        fix: what a person does; for kind `account` the one instruction shown while an import is held.
        kind: `transient` is tried again by itself, `permanent` ends this number or request, `account` holds imports.
        scope: for kind `account`, whether the fault stops all imports of the account or only this one.
        retryable: whether asking for a retry of the same number can succeed without changing the input.
        group: who speaks the code: `number`, `request`, `own`, `transport`, `dashboard` or `catapult`.
    """

    code: str
    title: str
    cause: str
    fix: str
    kind: Kind
    scope: Scope | None
    retryable: bool
    group: str


def reason_for(code: str) -> Reason:
    """The reason of a code; a code never seen before gets a permanent one that says so. Never fails."""
    known = _CATALOGUE.get(code)
    if known is not None:
        return known
    if found := _HTTP.fullmatch(code):
        return replace(_CATALOGUE[f"http_{found.group(1)}xx"], code=code, title=f"HTTP status {code[5:]}")
    return replace(_CATALOGUE["unknown"], code=code)


def is_known(code: str) -> bool:
    """Whether the catalogue has an entry of its own, or a family of HTTP statuses, for a code."""
    return code in _CATALOGUE or _HTTP.fullmatch(code) is not None


def all_reasons() -> Iterator[Reason]:
    """Every entry, in the order of the catalogue."""
    return iter(_CATALOGUE.values())


def _read_catalogue(tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Reason]:
    return {code: _reason(group, code, entry) for group, entries in tables.items() for code, entry in entries.items()}


def _reason(group: str, code: str, entry: Mapping[str, Any]) -> Reason:
    scope = entry.get("scope")
    kind: Kind = entry.get("kind", "account" if scope else "permanent")
    return Reason(
        code=code,
        title=entry["title"],
        cause=entry["cause"],
        fix=entry["fix"],
        kind=kind,
        scope=scope,
        retryable=entry.get("retryable", kind != "permanent"),
        group=group,
    )


_TABLES = tomllib.loads(files("tnimport.domain").joinpath("reasons.toml").read_text(encoding="utf-8"))
# What is worth saying and stops nothing: code to sentence.
WARNINGS: Mapping[str, str] = _TABLES.pop("warnings")
_CATALOGUE = _read_catalogue(_TABLES)
