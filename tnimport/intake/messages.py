"""What `POST /v1/messages` takes: one message or a list of them, judged as a whole."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from tnimport.domain.accounts import Account
from tnimport.domain.messages import BATCH_MOST, MEDIA_MOST, TEXT_MOST
from tnimport.domain.telephone import Telephone, parse, to_e164, to_ten
from tnimport.intake.options import Url, Word, problem_of
from tnimport.intake.problems import Problem, Refused, problem
from tnimport.intake.request import account_of
from tnimport.ledger.engine import Ledger
from tnimport.ledger.messaging.outgoing import NewMessage, held

_E164: Final = re.compile(r"\+(?:[2-9][0-9]{6,14}|1[2-9][0-9]{9})")
_SPACING: Final = re.compile(r"[-. ()]")


def _sender(value: object) -> str:
    read = parse(value) if isinstance(value, str) else None
    if isinstance(read, Telephone):
        return to_e164(read.number)
    detail = read.detail if read is not None else "It must be a text."
    raise PydanticCustomError("number", "{detail}", {"detail": detail, "code": read.code if read else "invalid_value"})


def e164(value: str) -> str | None:
    """The number if it is written with its country code; whether it exists is the carrier's to say."""
    plain = _SPACING.sub("", value)
    return plain if _E164.fullmatch(plain) else None


def _recipient(value: object) -> str:
    """E.164, whatever the country; without a country code one of ours, in any usual way of writing."""
    if isinstance(value, str) and value.lstrip().startswith("+"):
        found = e164(value)
        if found is None:
            raise PydanticCustomError("invalid_value", "It is no telephone number with its country code.")
        return found
    return _sender(value)


def _text(value: object) -> object:
    if isinstance(value, str) and ("\0" in value or _broken(value)):
        raise PydanticCustomError("invalid_value", "It has characters that cannot be sent.")
    return value


def _broken(value: str) -> bool:
    """Whether the text holds halves of surrogate pairs, which JSON can name and nothing can send."""
    return any("\ud800" <= character <= "\udfff" for character in value)


class MessageRequest(BaseModel):
    """One message as its caller gave it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    account: Word | None = None
    sender: Annotated[str, BeforeValidator(_sender)] = Field(alias="from")
    to: Annotated[str, BeforeValidator(_recipient)]
    text: Annotated[str, BeforeValidator(_text), Field(max_length=TEXT_MOST)] = ""
    media: Annotated[list[Url], Field(max_length=MEDIA_MOST)] = []
    tag: Annotated[str, BeforeValidator(_text), Field(max_length=255)] | None = None
    receipt_requested: Literal["none", "all", "error"] = "none"


def unreadable(root: str = "", detail: str | None = None) -> Problem:
    """What is sent is no message, whatever else it may be."""
    example = '{"from": "+19195551234", "to": "+12065550100", "text": "Good morning"}'
    return problem("unreadable_json", root, detail, f"Send {example}, or a list of such messages.")


def read_messages(body: object, accounts: Mapping[str, Account], ledger: Ledger) -> list[NewMessage]:
    """The messages of a body.

    Args:
        body: what the JSON says.
        accounts: the accounts that the caller may name.
        ledger: tells which numbers are imported.

    Raises:
        Refused: with every problem of every message; none is sent.
    """
    bodies = body if isinstance(body, list) else [body]
    if not bodies:
        raise Refused([problem("required", "", "The list of messages is empty.", "Give 1 to 50 messages.")])
    if len(bodies) > BATCH_MOST:
        raise Refused([problem("too_many_messages")])
    problems: list[Problem] = []
    new: dict[str, NewMessage] = {}
    for place, one in enumerate(bodies):
        root = f"/{place}" if isinstance(body, list) else ""
        message = _read(one, accounts, root, problems)
        if message is not None:
            new[root] = message
    problems += _not_imported(ledger, new)
    if problems:
        raise Refused(problems)
    return list(new.values())


def _read(body: object, accounts: Mapping[str, Account], root: str, problems: list[Problem]) -> NewMessage | None:
    """The message if it is sound by itself; what is wrong is added to the problems."""
    if not isinstance(body, dict):
        problems.append(unreadable(root, "A message is a JSON object."))
        return None
    said = {name: value for name, value in body.items() if value is not None}
    found: list[Problem] = []
    try:
        asked = MessageRequest.model_validate(said)
    except ValidationError as error:
        found += [_problem(one, root) for one in error.errors(include_url=False, include_input=False)]
        asked = None
    named = said.get("account")
    account = account_of(named if isinstance(named, str) else None, accounts)
    if isinstance(account, Problem):
        found.append(Problem(**{**vars(account), "pointer": f"{root}{account.pointer}"}))
    found += _together(said, root)
    if asked and isinstance(account, Account) and asked.receipt_requested != "none" and account.callback_url is None:
        found.append(problem("receipt_without_callback", f"{root}/receipt_requested"))
    problems += found
    if found or asked is None or isinstance(account, Problem):
        return None
    return NewMessage(
        account=account.name,
        sender=to_ten(asked.sender),
        recipient=asked.to,
        text=asked.text,
        media=asked.media,
        tag=asked.tag,
        receipt_requested=asked.receipt_requested,
    )


def _together(said: Mapping[str, Any], root: str) -> list[Problem]:
    """What does not go together."""
    if said.get("media") and said.get("receipt_requested", "none") != "none":
        return [problem("receipt_with_media", f"{root}/receipt_requested")]
    text = said.get("text", "")
    if not said.get("media") and isinstance(text, str) and not text.strip():
        return [problem("required", f"{root}/text", "A message has a text, or media, or both.", "Give a text.")]
    return []


def _problem(error: ErrorDetails, root: str) -> Problem:
    if error["type"] != "number":
        return problem_of(error, MessageRequest, root)
    told = error["ctx"]
    return problem(told["code"], f"{root}/{error['loc'][0]}", told["detail"])


def _not_imported(ledger: Ledger, new: Mapping[str, NewMessage]) -> list[Problem]:
    """Senders that no import has brought to their account."""
    tens: dict[str, set[str]] = {}
    for one in new.values():
        tens.setdefault(one.account, set()).add(one.sender)
    here = {account: held(ledger, account, senders) for account, senders in tens.items()}
    return [problem("not_imported", f"{root}/from") for root, one in new.items() if one.sender not in here[one.account]]
