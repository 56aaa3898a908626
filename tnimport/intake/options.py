"""What may be said of an import beside its numbers: the fields of `POST /v1/imports` and of `tnimport.submit_import`.

One model serves the JSON body, the query parameters and the task's keyword arguments. Unknown fields are refused, so
that a slip of the pen is never silently a default.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from tnimport.domain.proving import SAMPLE_MOST
from tnimport.intake.problems import Problem, problem
from tnimport.intake.sentences import sentence

READING: Final = ("column", "charset")  # how to read a body: query parameters that are no options of the import
_LONGEST_URL: Final = 2048
_CUSTOMER_ORDER_ID: Final = re.compile(r"[A-Za-z0-9 -]{1,40}")
_CALLED_BY_US: Final = "Give a full URL that this service can reach."
_PREFIX: Final = "application_"


def _id(value: object) -> object:
    """An id of digits, which JSON callers may write as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value, re.ASCII):
        return value
    raise PydanticCustomError("invalid_value", "It must be an id of digits.")


def _word(value: object) -> object:
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value
    raise PydanticCustomError("invalid_value", "It must be a text of printable characters.")


def _order_id(value: object) -> object:
    # The carrier shows it without blanks at its ends, and orders are found by it.
    if isinstance(value, str) and _CUSTOMER_ORDER_ID.fullmatch(named := value.strip(" ")):
        return named
    raise PydanticCustomError("invalid_value", "It must be 1 to 40 letters, digits, blanks or dashes.")


def _url(value: object) -> object:
    parts = _split(value) if isinstance(value, str) and len(value) <= _LONGEST_URL else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PydanticCustomError("invalid_url", "It is no http or https URL of at most 2,048 characters.")
    if "@" in parts.netloc:
        raise PydanticCustomError("url_with_credentials", "It has a user name or password before its host.")
    return value


def _split(value: str) -> SplitResult | None:
    if re.search(r"[^!-~]", value):
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    return parts


Id = Annotated[str, BeforeValidator(_id)]
Word = Annotated[str, BeforeValidator(_word), Field(max_length=255)]
Url = Annotated[str, BeforeValidator(_url)]


class Application(BaseModel):
    """The application that numbers are attached to: an id that exists, or what to find or create it by.

    The parameters are those of Bandwidth's guide, step 3; the time-out is in milliseconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Word | None = None
    name: Word | None = None
    incoming_message_url: Url | None = None
    incoming_message_url_callback_timeout: Annotated[int, Field(ge=1, le=10_000)] | None = None
    incoming_message_fallback_url: Url | None = None
    callback_http_method: Literal["POST", "GET"] | None = None


class ImportOptions(BaseModel):
    """Every option of an import, as the caller gave it; None is "not said", and the account's default holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Word | None = None
    action: Literal["IMPORT", "REMOVE"] = "IMPORT"
    site_id: Id | None = None
    sip_peer_id: Id | None = None
    customer_order_id: Annotated[str, BeforeValidator(_order_id)] | None = None
    application: Application | None = None
    client_ref: Word | None = None
    max_per_minute: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    on_present: Literal["skip", "fail", "refresh"] = "skip"
    strict: bool = False
    verify: Literal["none", "sample", "all"] = "none"
    verify_count: Annotated[int, Field(ge=1, le=SAMPLE_MOST)] | None = None
    notify_url: Url | None = None


def read_options(fields: Mapping[str, Any]) -> tuple[ImportOptions, tuple[Problem, ...]]:
    """The options that can be read, and a problem for each that cannot.

    A field with a problem is left at its default, so that the other fields can be judged in the same answer.
    """
    said = {
        name: value for name, value in fields.items() if value is not None or name not in ImportOptions.model_fields
    }
    try:
        return ImportOptions.model_validate(said), ()
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    return ImportOptions.model_validate(_sound(said, errors)), tuple(problem_of(one) for one in errors)


def _sound(fields: Mapping[str, Any], errors: list[ErrorDetails]) -> dict[str, Any]:
    """The fields without those that have an error; of an application, the parts without one.

    An application with an unknown part goes whole: what it lacks may be just what was misspelt.
    """
    wrong = {one["loc"][0] for one in errors}
    sound = {name: value for name, value in fields.items() if name not in wrong}
    inner = [one for one in errors if one["loc"][0] == "application"]
    if inner and all(len(one["loc"]) > 1 and one["type"] != "extra_forbidden" for one in inner):
        parts = {one["loc"][1] for one in inner}
        sound["application"] = {name: value for name, value in fields["application"].items() if name not in parts}
    return sound


def from_query(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Query parameters as the fields they stand for: `application_name=x` is `{"application": {"name": "x"}}`.

    The parameters that say how to read the body (`READING`) are left out. Unknown names stay, to be refused.
    """
    fields: dict[str, Any] = {}
    for name, value in parameters.items():
        if name.startswith(_PREFIX):
            fields.setdefault("application", {})[name.removeprefix(_PREFIX)] = value
        elif name not in READING:
            fields[name] = value
    return fields


def problem_of(error: ErrorDetails, model: type[BaseModel] = ImportOptions, root: str = "") -> Problem:
    """What pydantic found wrong with a field, as a problem; `root` is the pointer of the object it is in."""
    pointer = root + "".join(f"/{_escaped(part)}" for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return problem("unknown_field", pointer, fix=_nearest(error["loc"], model))
    if error["type"] == "missing":
        return problem("required", pointer)
    if error["type"] in {"invalid_url", "url_with_credentials", "not_available"}:
        ours = error["type"] == "invalid_url" and pointer == "/notify_url"
        return problem(error["type"], pointer, error["msg"], _CALLED_BY_US if ours else None)
    return problem("invalid_value", pointer, sentence(error))


def _escaped(part: int | str) -> str:
    return str(part)[:60].replace("~", "~0").replace("/", "~1")


def _nearest(place: tuple[int | str, ...], model: type[BaseModel]) -> str | None:
    fields = model.model_fields if len(place) == 1 else Application.model_fields
    known = [field.alias or name for name, field in fields.items()]
    close = get_close_matches(str(place[-1])[:60].lower(), known, n=1)
    return f"Did you mean {close[0]}?" if close else None
