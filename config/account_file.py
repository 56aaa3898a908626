"""The accounts of the file that `TNIMPORT_ACCOUNTS_FILE` names: every one that is usable, or all that is wrong."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from config.account_table import HIDDEN, INBOUND, LIMITS, PLACES, SECRET, AccountTable, plain
from config.checks import poll_order
from config.reading import Problem, explain, read_value, variable

if TYPE_CHECKING:
    from config.settings import Settings

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
POLLS = ("poll_first", "poll_max")


def of_file(settings: "Settings", usable: frozenset[str]) -> tuple[dict[str, AccountTable], list[Problem]]:
    """Every usable account of the accounts file by name, and what is wrong with the others.

    Args:
        settings: the values that are fine by themselves; limits that an account leaves out follow them.
        usable: the names of those.
    """
    path = settings.accounts_file
    if path is None:
        return {}, []
    try:
        named = tomllib.loads(path.read_text()).get("accounts")
    except OSError as error:
        return {}, [_file_problem(f"{path} cannot be read ({error.strerror}): mend the path or its permissions")]
    except ValueError as error:
        return {}, [_file_problem(f"{path} is no TOML ({error})")]
    if not isinstance(named, dict) or not named:
        return {}, [_file_problem(f"{path} names no account: write a table [accounts.<name>] for each")]
    tables: dict[str, AccountTable] = {}
    problems: list[Problem] = []
    for name, raw in named.items():
        where = f"{path.name} [accounts.{name}] "
        if not NAME.fullmatch(name) or not isinstance(raw, dict):
            problems.append(_file_problem(f"{where}is not usable: a table, with a name of letters, digits, - and _"))
            continue
        table, wrong = _of_table(settings, usable, path.parent, where, raw)
        problems += wrong
        if table:
            tables[name] = table
    return tables, problems


def _of_table(
    settings: "Settings", usable: frozenset[str], folder: Path, where: str, raw: Mapping[str, Any]
) -> tuple[AccountTable | None, list[Problem]]:
    usual = {name: plain(getattr(settings, name)) for name in (*LIMITS, *INBOUND)}
    values: dict[str, Any] = {**dict.fromkeys(PLACES), **usual, **raw}
    values |= {name: values[name] or None for name in INBOUND}  # "" is how an account has none though others do
    problems = _read_secrets(values, folder, where)
    table = None
    try:
        table = AccountTable(**values)
    except ValidationError as error:
        problems += explain(error, HIDDEN, where)
    problems += _polls(values, raw.keys(), usable - raw.keys(), problems, where)
    return (None if problems else table), problems


def _read_secrets(values: dict[str, Any], folder: Path, where: str) -> list[Problem]:
    """Put each secret in the place of the file that holds it."""
    problems = []
    for secret in sorted(SECRET):
        beside = values.pop(f"{secret}_file", None)
        file = folder / str(beside) if beside else None
        value, problem = read_value(
            (secret, where + secret, f"{where}{secret}_file"), str(values.get(secret, "")), file
        )
        problems += [problem] if problem else []
        if value or problem:
            values[secret] = value or "unreadable"
    return problems


def _polls(
    values: Mapping[str, Any], own: Collection[str], usual: Collection[str], found: Iterable[Problem], where: str
) -> list[Problem]:
    """Whether an account has its orders looked at in a way that cannot be; what it has not set itself is told once."""
    fine = ({*own} | {*usual}) - {problem.field for problem in found}
    if not fine >= {*POLLS} or not {*POLLS} & {*own}:
        return []
    first, most = (f"{where}{POLLS[0]}", float(values[POLLS[0]])), (POLLS[1], float(values[POLLS[1]]))
    return [Problem(POLLS[0], text) for text in poll_order(first, most)]


def _file_problem(text: str) -> Problem:
    return Problem("accounts_file", f"{variable('accounts_file')}: {text}")
