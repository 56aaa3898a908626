"""Which form of an answer a caller wants, and of which form a body is."""

from typing import Final

from fastapi import Request

from tnimport.web.wire.problems import ProblemError

JSON, CSV, TEXT, NDJSON = "application/json", "text/csv", "text/plain", "application/x-ndjson"
BODIES: Final = (JSON, CSV, TEXT, NDJSON)
EXPORTS: Final = (JSON, CSV, NDJSON)
ALIASES: Final = frozenset({"application/csv", "text/tab-separated-values", "application/ndjson", "application/jsonl"})


def wanted(accept: str | None, offers: tuple[str, ...] = EXPORTS) -> str:
    """The offer that an Accept header likes best; the first offer if it likes none or is absent."""
    best, best_weight = offers[0], 0.0
    for item in (accept or "").split(","):
        name, weight = _weighed(item)
        for offer in offers:
            if name in {offer, f"{offer.partition('/')[0]}/*", "*/*"} and weight > best_weight:
                best, best_weight = offer, weight
                break
    return best


def _weighed(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def body_type(request: Request) -> str:
    """The Content-Type, parameters included; one that cannot be read is answered 415."""
    whole = request.headers.get("content-type", "")
    name = whole.partition(";")[0].strip().lower()
    if name not in BODIES and name not in ALIASES:
        said = f"The type {name[:80]!r}" if name else "A body without Content-Type"
        raise ProblemError(
            "unsupported-media-type",
            f"{said} cannot be read. Send one of: {', '.join(BODIES)}.",
            headers={"Accept-Post": ", ".join(BODIES)},
        )
    return whole


def says_gzip(request: Request) -> bool:
    """Whether the body is said to be gzipped; another encoding is answered 415."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"gzip", "x-gzip", "identity", ""}:
        raise ProblemError(
            "unsupported-media-type",
            "Of content encodings only gzip can be read.",
            headers={"Accept-Encoding": "gzip"},
        )
    return coding in {"gzip", "x-gzip"}
