"""What addresses and queries may hold; whatever does not fit is answered before the ledger is asked."""

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tnimport.domain.messages import MessageState
from tnimport.domain.webhooks import DeliveryState
from tnimport.web.problems import not_found
from tnimport.web.schemas import LISTED_STATES

LARGEST_PAGE: Final = 1000
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


RowState = Annotated[str, AfterValidator(_row_state), Field(json_schema_extra={"enum": [*LISTED_STATES]})]


class ImportsQuery(BaseModel):
    """The query of GET /v1/imports."""

    model_config = ConfigDict(extra="forbid")

    client_ref: Ref | None = None
    page_token: Token | None = None
    page_size: PageSize = 50


class NumbersQuery(BaseModel):
    """The query of GET /v1/imports/{id}/numbers."""

    model_config = ConfigDict(extra="forbid")

    state: RowState | None = Field(None, description="only rows in this state")
    code: str | None = Field(None, max_length=64, pattern=_NO_NUL, description="only rows with this code")
    page_token: Token | None = None
    page_size: PageSize = 100


class InboundQuery(BaseModel):
    """The query of GET /v1/inbound."""

    model_config = ConfigDict(extra="forbid")

    number: str | None = Field(None, max_length=40, pattern=_NO_NUL, description="only messages to this number")
    page_token: Token | None = None
    page_size: PageSize = 50


class MessagesQuery(BaseModel):
    """The query of GET /v1/messages."""

    model_config = ConfigDict(extra="forbid")

    from_: str | None = Field(
        None, alias="from", max_length=40, pattern=_NO_NUL, description="only messages from this number"
    )
    to: str | None = Field(None, max_length=40, pattern=_NO_NUL, description="only messages to this number")
    state: MessageState | None = Field(None, description="only messages in this state")
    page_token: Token | None = None
    page_size: PageSize = 50


class WebhooksQuery(BaseModel):
    """The query of GET /v1/webhooks."""

    model_config = ConfigDict(extra="forbid")

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
