"""Problem documents (RFC 9457): the only form in which this API says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.responses import JSONResponse

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its address below /problems, its status and what it always means."""

    slug: str
    status: int
    title: str
    meaning: str


KINDS: Final = {
    kind.slug: kind
    for kind in (
        Kind(
            "malformed-request",
            400,
            "The request is malformed",
            "A header, a token or the encoding of the request cannot be read. Nothing was changed.",
        ),
        Kind(
            "foreign-origin",
            403,
            "Another web site may not do this",
            "A browser sent this on behalf of a page that is not ours, or under a host name that is not this "
            "service's. Use the API directly.",
        ),
        Kind(
            "key-missing",
            401,
            "A key is needed",
            "Send `Authorization: Bearer` with a key that `tnimport keys create` made and that is still valid.",
        ),
        Kind(
            "key-not-enough",
            403,
            "This key may not do this",
            "Use a key with the scope that WWW-Authenticate names, for all accounts where they are all concerned.",
        ),
        Kind(
            "callback-refused",
            401,
            "Callbacks present the secret of their URL",
            "The user name and password are those of the callback URL as Bandwidth was given it.",
        ),
        Kind("not-found", 404, "There is no such thing", "Nothing has this address or id."),
        Kind(
            "method-not-allowed",
            405,
            "This address does not take this method",
            "The Allow header names the methods that it takes.",
        ),
        Kind(
            "in-progress",
            409,
            "The first request with this Idempotency-Key is still being read",
            "Ask again after Retry-After seconds; the same import will be answered.",
        ),
        Kind(
            "too-large",
            413,
            "The input is too large",
            "`limit` names the limit and `maximum` its value. Split the input; nothing was changed.",
        ),
        Kind(
            "unsupported-media-type",
            415,
            "The body has a type that cannot be read",
            "Send application/json, text/csv, text/plain or application/x-ndjson, each also with "
            "Content-Encoding: gzip.",
        ),
        Kind(
            "refused",
            422,
            "The request was refused as a whole",
            "`errors` names every problem with its place and its fix. Nothing was changed.",
        ),
        Kind(
            "key-reused",
            422,
            "The Idempotency-Key was used for another request",
            "Use a new key for a new request, or send exactly the first request again.",
        ),
        Kind("http-error", 400, "The request cannot be served", "The status says why."),
        Kind("internal-error", 500, "The service made a mistake", "It is logged. Ask again or report it."),
        Kind(
            "keys-unreadable",
            503,
            "The service cannot read its keys",
            "Nobody is let in until TNIMPORT_API_KEYS_FILE is readable again; the log of the web process says why.",
        ),
        Kind(
            "ledger-unavailable",
            503,
            "The ledger does not answer",
            "Nothing was accepted. Ask again after Retry-After seconds.",
        ),
    )
}


@dataclass
class ProblemError(Exception):
    """Ends a request with a problem document.

    Attributes:
        slug: the kind, a key of KINDS.
        detail: what happened this time.
        errors: every single problem: `detail`, and where known `code`, `fix`, `line`, `pointer`, `parameter`.
        more: further members of the document.
        headers: headers of the answer.
        status: the status, if the kind has several.
    """

    slug: str
    detail: str | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None

    def document(self, instance: str) -> dict[str, Any]:
        """The document for the request that asked for `instance`."""
        kind = KINDS[self.slug]
        document = {
            "type": f"/problems/{kind.slug}",
            "title": kind.title,
            "status": self.status or kind.status,
            "detail": self.detail or kind.meaning,
            "instance": instance,
            **self.more,
        }
        return document | ({"errors": [dict(one) for one in self.errors]} if self.errors else {})

    def response(self, instance: str) -> JSONResponse:
        """The answer for the request that asked for `instance`."""
        document = self.document(instance)
        return JSONResponse(document, document["status"], dict(self.headers), MEDIA_TYPE)


def not_found(what: str) -> ProblemError:
    """Nothing has this id; `what` says which thing in words."""
    return ProblemError("not-found", f"There is no {what}.")


def too_large(limit: str, maximum: int, unit: str) -> ProblemError:
    """An input beyond a limit, which the document names."""
    return ProblemError(
        "too-large",
        f"The limit {limit} is {maximum:,} {unit}. Split the input and send it in parts.",
        more={"limit": limit, "maximum": maximum},
    )
