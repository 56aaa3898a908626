"""The shapes that the OpenAPI document promises, with examples; a test holds the answers to them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, RootModel

from tnimport.domain.life import Action, ImportState, NumberState, OrderState
from tnimport.domain.messages import MessageState
from tnimport.domain.webhooks import DeliveryState, Target
from tnimport.web.wire.problems import KINDS, ProblemError

COUNTS: Final = {
    "requested": 0,
    "ordered": 0,
    "available": 0,
    "released": 0,
    "imported": 940,
    "verified": 0,
    "removed": 0,
    "present": 0,
    "failed": 40,
    "unaccounted": 5,
    "cancelled": 0,
    "rejected": 8,
    "duplicate": 5,
    "blank": 2,
    "rows": 1000,
}


# Blank rows are counted; nothing is known of one that could be listed.
LISTED_STATES: Final = (*(state.value for state in NumberState), "rejected", "duplicate")


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Held(_Shape):
    """Why an import is held, and the one thing to do about it."""

    code: str = Field(examples=["http_401"])
    instruction: str = Field(examples=["Correct the Dashboard password of this account, then resume."])


class Wait(_Shape):
    """The one thing that keeps an import from being through; which facts there are depends on `what`."""

    what: str = Field(
        examples=["pace"],
        description="`cancelling`, `held`, `paused`, `rate_limit` (Bandwidth asked for a pause), `worker` (none takes "
        "its work), `application`, `carrier_order` (Bandwidth works on it), `pace` (a limit of the settings or of the "
        "caller), `calls` (under way, nothing holds them back), or `verify` (messages that prove its numbers)",
    )
    text: str = Field(examples=["the pace of number imports (100 a minute), 41,200 left"], description="in plain words")
    since: str | None = Field(None, examples=[None])
    until: str | None = Field(None, examples=["2026-11-24T09:12:00.000Z"], description="not before then")
    left: int | None = Field(None, examples=[41200], description="calls that are yet to be made; of `verify`: numbers")
    per_minute: float | None = Field(None, examples=[100], description="of `pace`: the calls that it allows")
    action: Action | None = Field(None, examples=["IMPORT"])
    code: str | None = Field(None, examples=[None], description="of `held`")
    instruction: str | None = Field(None, examples=[None], description="of `held`: the one thing to do")
    lane: str | None = Field(None, examples=[None], description="of `rate_limit`: the limited endpoint")
    order: int | None = Field(None, examples=[None], description="of `carrier_order`: the `id` of one of `orders`")
    carrier_order_id: str | None = Field(None, examples=[None], description="of `carrier_order`: Bandwidth's own id")
    status: str | None = Field(None, examples=[None], description="of `carrier_order`: as Bandwidth last said")


class Order(_Shape):
    """One order of an import at Bandwidth: numbers of one kind for one site."""

    id: int = Field(examples=[3], description="`order` of its numbers")
    kind: str = Field(examples=["local"], description="what its numbers have in common: `local` or `toll_free`")
    state: OrderState = Field(examples=["accepted"])
    reference: str = Field(examples=["ICPA123ABC-3f9k2m7x1q5w"], description="the CustomerOrderId that we sent")
    carrier_order_id: str | None = Field(
        examples=["211ac66e-0d36-4bfb-8f0a-1d3c6bd5d4b9"], description="Bandwidth's own id; `order_id` of its numbers"
    )
    carrier_status: str | None = Field(examples=["PROCESSING"], description="as Bandwidth last said")
    size: int = Field(examples=[1000], description="its numbers")
    open: int = Field(examples=[1000], description="those without an outcome of their own")
    polls: int = Field(examples=[4], description="how often it was looked at")
    attempts: int = Field(examples=[1], description="how often it was sent")
    sent_at: str | None = Field(examples=["2026-11-23T16:30:01.000Z"])
    accepted_at: str | None = Field(examples=["2026-11-23T16:30:01.400Z"])
    finished_at: str | None = Field(examples=[None], description="when Bandwidth was done with it")
    code: str | None = Field(examples=[None], description="why all its open numbers failed together")
    description: str | None = Field(examples=[None])


class Import(_Shape):
    """An import. `counts` add up to `rows`, always; `state` is computed from them."""

    id: str = Field(examples=["imp_7r2k9c3d1m5x8w0q"])
    state: ImportState = Field(examples=["running"])
    action: Action = Field(examples=["IMPORT"])
    account: str = Field(examples=["default"])
    customer_order_id: str | None = Field(examples=["ICPA123ABC"])
    client_ref: str | None = Field(examples=["crm-4711"])
    verify: str = Field(examples=["none"], description="which imported numbers are proven: `none`, `sample` or `all`")
    counts: dict[str, int] = Field(examples=[COUNTS])
    waiting_on: Wait | None
    eta: str | None = Field(examples=["2026-11-24T09:12:00.000Z"])
    created_at: str | None = Field(examples=["2026-11-23T16:30:00.000Z"])
    finished_at: str | None = Field(examples=[None])
    held: Held | None
    orders: list[Order]
    links: dict[str, str] = Field(examples=[{"self": "/v1/imports/imp_7r2k9c3d1m5x8w0q"}])


class OneProblem(BaseModel):
    """One thing that is wrong, where, and what to do about it."""

    model_config = ConfigDict(extra="allow")

    detail: str = Field(examples=["is not a telephone number"])
    code: str | None = Field(None, examples=["not_a_number"])
    fix: str | None = Field(None, examples=["Write ten digits, such as 919-555-1234."])
    line: int | None = Field(None, examples=[17])
    pointer: str | None = Field(None, examples=["/numbers/16"])
    parameter: str | None = Field(None, examples=["page_token"])
    header: str | None = Field(None, examples=["Idempotency-Key"])


class ImportsPage(_Shape):
    """Imports, the newest first, without their orders; `next_page_token` is empty at the end."""

    imports: list[Import]
    refusal: list[OneProblem] | None = Field(
        None,
        description="why the latest task message with this client_ref was refused, if no import was made with it since",
    )
    next_page_token: str = Field(examples=[""])


class Number(_Shape):
    """One row of an import."""

    number: str | None = Field(examples=["+19195551234"], description="E.164; the input's text if it is no number")
    line: int | None = Field(examples=[17], description="line of the input, from 1")
    state: str = Field(examples=["failed"], json_schema_extra={"enum": [*LISTED_STATES]})
    stage: str | None = Field(examples=["order"])
    code: str | None = Field(examples=["7518"])
    description: str | None = Field(examples=["Telephone number is not active"])
    fix: str | None = Field(examples=["Activate the number first, then import it again."])
    retryable: bool | None = Field(examples=[False])
    attempts: int | None = Field(examples=[1])
    number_id: str | None = Field(examples=["n-abc123"])
    order_id: str | None = Field(
        examples=["211ac66e-0d36-4bfb-8f0a-1d3c6bd5d4b9"], description="Bandwidth's order that named the number"
    )
    order: int | None = Field(examples=[3], description="our own order: the `id` of one of the import's `orders`")
    first_line: int | None = Field(examples=[None], description="of a duplicate: where the number stood first")
    updated_at: str | None = Field(examples=["2026-11-23T16:31:07.250Z"])


class NumbersPage(_Shape):
    """Rows of an import in the order of the input; `next_page_token` is empty at the end."""

    numbers: list[Number]
    next_page_token: str = Field(examples=[""])


class Inbound(_Shape):
    """A message that came in."""

    id: int = Field(examples=[7], description="ours; grows with every message")
    account: str = Field(examples=["default"])
    message_id: str = Field(examples=["m-id3x6rblp4jrkih2u7zxjdy"])
    type: str = Field(examples=["sms"], description="sms or mms")
    from_: str = Field(alias="from", examples=["+13233326955"])
    to: str = Field(examples=["+14352154439"])
    text: str = Field(examples=["Good morning"])
    media: list[str] = Field(examples=[[]], description="addresses of pictures and the like")
    tag: str | None = Field(examples=[None])
    application_id: str | None = Field(examples=["a-1a2b3c"])
    time: str | None = Field(examples=["2026-11-25T16:13:06Z"], description="when, in the carrier's own words")
    received_at: str | None = Field(examples=["2026-11-25T16:13:06.500Z"])


class InboundPage(_Shape):
    """Messages that came in, the newest first; `next_page_token` is empty at the end."""

    inbound: list[Inbound]
    next_page_token: str = Field(examples=[""])


class Message(_Shape):
    """A message that goes out or went out."""

    id: str = Field(examples=["msg_7r2k9c3d1m5x8w0q"])
    account: str = Field(examples=["default"])
    from_: str = Field(alias="from", examples=["+14352154439"])
    to: str = Field(examples=["+13233326955"])
    text: str = Field(examples=["Good morning"])
    media: list[str] = Field(examples=[[]])
    tag: str | None = Field(examples=[None])
    receipt_requested: str = Field(examples=["all"])
    state: MessageState = Field(
        description="`unknown`: Bandwidth may have sent it, and nobody but a person sends it again"
    )
    code: str | None = Field(examples=[None], description="why it failed, is unknown, or still waits")
    description: str | None = Field(examples=[None])
    fix: str | None = Field(examples=[None])
    carrier_id: str | None = Field(examples=["m-id3x6rblp4jrkih2u7zxjdy"], description="Bandwidth's own id")
    delivery_state: str | None = Field(examples=["delivered"], description="as receipts tell, where any was asked for")
    delivery_code: str | None = Field(examples=["0"])
    delivery_description: str | None = Field(examples=["Message delivered to carrier."])
    attempts: int = Field(examples=[1], description="how often Bandwidth was called for it")
    import_id: str | None = Field(examples=[None], description="the import whose number it proves")
    created_at: str = Field(examples=["2026-11-25T16:13:06.500Z"])
    sent_at: str | None = Field(examples=["2026-11-25T16:13:07.000Z"])
    updated_at: str = Field(examples=["2026-11-25T16:13:09.120Z"])
    links: dict[str, str] = Field(examples=[{"self": "/v1/messages/msg_7r2k9c3d1m5x8w0q"}])


class Messages(_Shape):
    """The messages of one request, in its order."""

    messages: list[Message]


class SentMessages(RootModel[Message | Messages]):
    """The message of a request, or all messages of a list."""


class MessagesPage(_Shape):
    """Messages, the newest first; `next_page_token` is empty at the end."""

    messages: list[Message]
    next_page_token: str = Field(examples=[""])


class Webhook(_Shape):
    """One thing that somebody is told: by a signed POST, or by a task of the operator's."""

    id: str = Field(examples=["whk_7r2k9c3d1m5x8w0q"], description="the `webhook-id` that the receiver sees")
    account: str = Field(examples=["default"])
    type: str = Field(examples=["import.finished"])
    target: Target
    address: str = Field(examples=["https://hooks.example/tn?…"], description="without its query; or a task's name")
    import_id: str | None = Field(examples=["imp_7r2k9c3d1m5x8w0q"])
    inbound_id: int | None = Field(examples=[None], description="the message or receipt that is handed on")
    state: DeliveryState
    attempts: int = Field(examples=[3])
    status: int | None = Field(examples=[503], description="of the latest answer")
    code: str | None = Field(examples=["http_503"], description="why the latest attempt was in vain")
    description: str | None = Field(examples=["The receiver answered 503."])
    created_at: str = Field(examples=["2026-11-25T03:00:00.000Z"])
    updated_at: str = Field(examples=["2026-11-25T03:35:05.120Z"])
    next_attempt_at: str | None = Field(examples=["2026-11-25T05:35:05.120Z"], description="of one that waits")
    links: dict[str, str]


class WebhooksPage(_Shape):
    """Webhooks, the newest first; `next_page_token` is empty at the end."""

    webhooks: list[Webhook]
    next_page_token: str = Field(examples=[""])


class Event(BaseModel):
    """Something that happened to an import, an order or a number, with the facts that belong to its kind."""

    model_config = ConfigDict(extra="allow")

    at: str = Field(examples=["2026-11-23T16:30:01.400Z"])
    kind: str = Field(examples=["order_accepted"])
    text: str = Field(examples=["Bandwidth accepted the order as 211ac66e-0d36-4bfb-8f0a-1d3c6bd5d4b9."])


class Passage(_Shape):
    """What became of a number in one import."""

    import_id: str = Field(examples=["imp_7r2k9c3d1m5x8w0q"])
    now: Number
    events: list[Event] = Field(description="in the order in which they happened, its own end among them")


class History(_Shape):
    """Everything known of one number over all imports, the newest first, with what happened in plain words."""

    number: str = Field(examples=["+19195551234"])
    imports: list[Passage]


class Check(_Shape):
    """One check of readiness."""

    name: str = Field(examples=["ledger"])
    ok: bool
    detail: str | None = Field(
        None, description="Left out without a key, where there are keys.", examples=["can be written"]
    )


class Health(_Shape):
    """Whether the process serves; `checks` only when asked for."""

    status: str = Field(examples=["ok"])
    checks: list[Check] | None = None


class ProblemDocument(BaseModel):
    """RFC 9457: what is wrong with a request, all of it at once."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/refused"])
    title: str = Field(examples=["The request was refused as a whole"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["`errors` names every problem. Nothing was changed."])
    instance: str = Field(examples=["/v1/imports"])
    errors: list[OneProblem] | None = None


def answers(
    model: type[BaseModel],
    *refusals: int,
    status: int = 200,
    exports: tuple[str, ...] = (),
    headers: Mapping[str, Any] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """The entries of an operation that answers with this shape, or as text, or refuses with these statuses."""
    text = {media: {"schema": {"type": "string"}} for media in exports}
    good = {"model": model} | ({"content": text} if text else {}) | ({"headers": headers} if headers else {})
    return {status: good} | problems(*refusals)


def header(meaning: str, example: str | int, *, required: bool = False) -> dict[str, Any]:
    """A header of an answer, for the OpenAPI document."""
    kind = "integer" if isinstance(example, int) else "string"
    return {"description": meaning, "required": required, "schema": {"type": kind}, "example": example}


REPLAYED: Final = header("`true` where the same request was accepted before, and this is its answer", "true")
_AGAIN: Final = header("seconds after which it is worth asking again", 1)
_HEADERS: Final = {
    401: {"WWW-Authenticate": header("how to present a key", 'Bearer realm="tnimport"')},
    409: {"Retry-After": _AGAIN},
    503: {"Retry-After": _AGAIN},
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The entries of an operation that refuses with these statuses, each with an example."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    kinds = [kind for kind in KINDS.values() if kind.status == status]
    shown = kinds if status == HTTPStatus.SERVICE_UNAVAILABLE else kinds[:1]  # the others belong to single addresses
    examples = {kind.slug: {"value": ProblemError(kind.slug).document("/v1/imports")} for kind in shown}
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    told: dict[str, Any] = {
        "description": ", or: ".join(kind.title for kind in shown),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }
    return told | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
