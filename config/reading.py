"""From the environment to raw values: names, empty strings, secrets kept in files, and what is wrong with them."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

PREFIX = "TNIMPORT_"
CLIENT_ONLY = {
    "URL": ("http://127.0.0.1:8080", "Where the command line client finds the HTTP API."),
    "API_KEY": (None, "The key that the command line client presents."),
    "API_KEY_FILE": (None, "A file that holds this key, in the place of `TNIMPORT_API_KEY`."),
}
"""Variables that the command line client reads and the service does not."""


class Problem(NamedTuple):
    """One thing that is wrong: the field it concerns ("" if none has that name), and what to do, free of secrets."""

    field: str
    text: str


class SettingsProblem(Exception):
    """The settings are not usable; its text lists every problem, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problem.text for problem in problems)
        count = len(self.problems)
        super().__init__("\n".join([f"{count} problem{'s' * (count > 1)} in the settings:", *self.problems]))


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def read_environment(
    environ: Mapping[str, str], fields: Collection[str], secrets: Collection[str]
) -> tuple[dict[str, str], list[Problem]]:
    """Return the raw value of each field that is set, and what is wrong with names and files."""
    given: dict[str, str] = {}
    problems = _strays(environ, fields, secrets)
    for field in fields:
        plain = environ.get(variable(field), "").strip()
        path = environ.get(variable(field) + "_FILE", "").strip() if field in secrets else ""
        value, problem = read_value(
            (field, variable(field), variable(field) + "_FILE"), plain, Path(path) if path else None
        )
        if value:
            given[field] = value
        problems += [problem] if problem else []
    return given, problems


def read_value(names: tuple[str, str, str], plain: str, path: Path | None) -> tuple[str, Problem | None]:
    """Return a value given plainly or in a file, or what is wrong; both at once is a problem.

    Args:
        names: of the field, of the place of the value, and of the place of the file's path.
        plain: the value if it was given plainly, else "".
        path: the file if one was given.
    """
    field, name, file_name = names
    if path is None:
        return plain, None
    if plain:
        return "", Problem(field, f"{name} and {file_name} are both set: set one of them")
    try:
        content = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        return "", Problem(field, f"{file_name}: {path} cannot be read ({reason}): mend the path or its permissions")
    return content, None if content else Problem(field, f"{file_name}: {path} is empty: write the value into it")


def _strays(environ: Mapping[str, str], fields: Collection[str], secrets: Collection[str]) -> list[Problem]:
    known = {variable(field) for field in fields} | {variable(field) + "_FILE" for field in secrets}
    known |= {PREFIX + name for name in CLIENT_ONLY}
    strays = sorted(name for name, value in environ.items() if name.startswith(PREFIX) and name not in known and value)
    return [Problem("", f"{name} is no setting{_nearest(name, known)}") for name in strays]


def _nearest(name: str, known: Collection[str]) -> str:
    own = {setting.removeprefix(PREFIX): setting for setting in known}
    nearest = get_close_matches(name.removeprefix(PREFIX), own, n=1)
    return f": did you mean {own[nearest[0]]}?" if nearest else ": docs/settings.md lists every setting"


ADVICE = {
    "float_parsing": "is not a number: write for instance 2 or 0.5",
    "int_parsing": "is not a whole number: write for instance 1000",
    "int_from_float": "is not a whole number: write for instance 1000",
    "finite_number": "is not a finite number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "missing": "is missing",
    "extra_forbidden": "is no value of an account",
    "value_error": "is not usable: {error}",
}


def explain(error: ValidationError, secrets: Collection[str], where: str = "") -> list[Problem]:
    """Say for each wrong value which one it is and what to write; what is or may hold a secret is not shown.

    Args:
        error: what pydantic found.
        secrets: the fields whose value must not be shown.
        where: a prefix for the names of values in a file; without it they are named by their variable.
    """
    found = []
    for detail in error.errors(include_url=False):
        field = str(detail["loc"][0])
        advice = ADVICE.get(detail["type"], detail["msg"]).format_map(detail.get("ctx", {}))
        hidden = field in secrets or detail["type"] in {"missing", "extra_forbidden"} or _may_hold_a_secret(detail)
        value = "" if hidden else f" {detail['input']!r}"
        found.append(Problem(field, f"{where + field if where else variable(field)}{value} {advice}"))
    return found


def _may_hold_a_secret(detail: ErrorDetails) -> bool:
    """Whether a value that should hold none may hold one: URLs carry passwords before `@`, and keys behind `?`, `#`."""
    return any(mark in str(detail["input"]) for mark in "@?#")
