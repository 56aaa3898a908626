"""What addresses and queries may hold; whatever does not fit is answered before the ledger is asked."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from tnimport.domain.messages import MessageState
from tnimport.domain.telephone import Telephone, parse, to_e164
from tnimport.domain.webhooks import DeliveryState
from tnimport.intake.messages import e164
from tnimport.web.wire import tokens
from tnimport.web.wire.invalid import ours
from tnimport.web.wire.problems import not_found
from tnimport.web.wire.schemas import LISTED_STATES

LARGEST_PAGE: Final = 1000
_OF_PAGES: Final = frozenset({"page_token", "page_size"})
LARGEST_LIST: Final = 200  # an import costs a few queries, a number does not
_NO_NUL: Final = r"^[^\x00]*$"

Ref = Annotated[str, Field(max_length=255, pattern=_NO_NUL)]
Token = Annotated[str, Field(max_length=500)]
PageSize = Annotated[int, Field(ge=1, description="most entries of a page; more than the service gives is no fault")]


def _row_state(value: str) -> str:
    if value == "blank":
        raise PydanticCustomError(
            "invalid_value", "Blank rows are counted and not listed: their count is `blank` in the counts of the import"
        )
    if value not in LISTED_STATES:
        raise PydanticCustomError("invalid_value", "{text}", {"text": f"It must be one of {', '.join(LISTED_STATES)}"})
    return value


def _our_number(value: str) -> str:
    """E.164; any usual way of writing it will do."""
    read = parse(value)
    if isinstance(read, Telephone):
        return to_e164(read.number)
    raise ours(read.code, read.detail, read.fix)


OurNumber = Annotated[str, Field(max_length=40, pattern=_NO_NUL), AfterValidator(_our_number)]
AnyNumber = Annotated[
    str, Field(max_length=40, pattern=_NO_NUL), AfterValidator(lambda value: e164(value) or _our_number(value))
]
RowState = Annotated[str, AfterValidator(_row_state), Field(json_schema_extra={"enum": [*LISTED_STATES]})]


class _Listing(BaseModel):
    """A query for the pages of a list. Filters come before `page_token`, which is checked against them."""

    model_config = ConfigDict(extra="forbid")
    keys: ClassVar[re.Pattern[str]]

    @property
    def filters(self) -> Mapping[str, Any]:
        """Which entries of the list are asked for, as the page's token has to tell it."""
        return _filters(self.model_dump())

    @property
    def after(self) -> str | None:
        """The ledger's key that the token holds."""
        return tokens.key_of(self.page_token, self.keys, self.filters)  # type: ignore[attr-defined]  # of each of them

    @field_validator("page_token", check_fields=False)
    @classmethod
    def _fits(cls, token: str | None, info: ValidationInfo) -> str | None:
        filters = _filters(info.data)
        right = filters.keys() == cls.model_fields.keys() - _OF_PAGES
        tokens.key_of(token, cls.keys, filters if right else None)
        return token


def _filters(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in values.items() if name not in _OF_PAGES}


class ImportsQuery(_Listing):
    """The query of GET /v1/imports."""

    keys = tokens.IMPORTS

    client_ref: Ref | None = None
    page_token: Token | None = None
    page_size: PageSize = 50


class NumbersQuery(_Listing):
    """The query of GET /v1/imports/{id}/numbers."""

    keys = tokens.NUMBERS

    state: RowState | None = Field(None, description="only rows in this state")
    code: str | None = Field(None, max_length=64, pattern=_NO_NUL, description="only rows with this code")
    page_token: Token | None = None
    page_size: PageSize = 100


class InboundQuery(_Listing):
    """The query of GET /v1/inbound."""

    keys = tokens.INBOUND

    number: OurNumber | None = Field(None, description="only messages to this number")
    page_token: Token | None = None
    page_size: PageSize = 50


class MessagesQuery(_Listing):
    """The query of GET /v1/messages."""

    keys = tokens.IMPORTS

    from_: OurNumber | None = Field(None, alias="from", description="only messages from this number")
    to: AnyNumber | None = Field(None, description="only messages to this number")
    state: MessageState | None = Field(None, description="only messages in this state")
    page_token: Token | None = None
    page_size: PageSize = 50


class WebhooksQuery(_Listing):
    """The query of GET /v1/webhooks."""

    keys = tokens.IMPORTS

    state: DeliveryState | None = Field(None, description="only webhooks in this state")
    import_id: str | None = Field(None, max_length=24, pattern=_NO_NUL, description="only those about this import")
    page_token: Token | None = None
    page_size: PageSize = 50


class ReadyQuery(BaseModel):
    """The query of GET /readyz."""

    model_config = ConfigDict(extra="forbid")

    verbose: str | None = Field(None, description="present = list every check")


ImportsAsked = Annotated[ImportsQuery, Query()]
NumbersAsked = Annotated[NumbersQuery, Query()]
InboundAsked = Annotated[InboundQuery, Query()]
MessagesAsked = Annotated[MessagesQuery, Query()]
WebhooksAsked = Annotated[WebhooksQuery, Query()]
ReadyAsked = Annotated[ReadyQuery, Query()]
ImportId = Annotated[str, Path(description="the id of an import", examples=["imp_7r2k9c3d1m5x8w0q"])]
MessageId = Annotated[str, Path(description="the id of a message", examples=["msg_7r2k9c3d1m5x8w0q"])]
WebhookId = Annotated[str, Path(description="the id of a webhook", examples=["whk_7r2k9c3d1m5x8w0q"])]


def known_form(given: str, what: str = "import") -> str:
    """The id, if an import, or what else is meant, could have it; else there is none."""
    if not (given.isascii() and given.replace("_", "").isalnum() and len(given) <= 24):  # noqa: PLR2004 - its column
        raise not_found(f"{what} with this id")
    return given
