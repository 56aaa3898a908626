"""The web page: what the API says, for people. No script, no asset from elsewhere; it refreshes itself."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tnimport.domain.life import FINAL, NumberState
from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading import listing, reads
from tnimport.web.deps import Deps
from tnimport.web.imports.looking import seen
from tnimport.web.imports.rendering import import_json, number_json
from tnimport.web.wire.problems import KINDS, not_found

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
LISTED: Final = 50
FAILURES: Final = 100
REFRESH: Final = 2  # seconds
_STYLE: Final = files("tnimport.web.pages").joinpath("templates/page.css").read_text(encoding="utf-8")
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TEMPLATES: Final = Environment(
    loader=PackageLoader("tnimport.web.pages"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get("/")
def home(deps: Deps) -> HTMLResponse:
    """The newest imports."""
    found, _ = reads.imports_page(deps.ledger, accounts=deps.visible, limit=LISTED, paces=deps.paces)
    imports = [_shown(import_json(view)) for view in found]
    busy = any(view.finished_at is None for view in found)
    return _page("home.html", imports=imports, refresh=REFRESH if busy else REFRESH * 5)


@router.get("/imports/{import_id}")
def one(deps: Deps, import_id: str) -> HTMLResponse:
    """One import: how far it is, what it waits for, what failed."""
    view = seen(deps, import_id)
    shown = _shown(import_json(view))
    failures = _failures(deps.ledger, import_id, shown["counts"])
    refresh = None if view.finished_at is not None else REFRESH
    return _page("import.html", view=shown, failures=failures, most=FAILURES, refresh=refresh)


@router.get("/problems/{slug}")
def problem(slug: str) -> HTMLResponse:
    """What a kind of problem means; the `type` of a problem document leads here."""
    if slug not in KINDS:
        raise not_found("kind of problem with this name")
    return _page("problem.html", kind=KINDS[slug], refresh=None)


def _page(name: str, **facts: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
    text = _TEMPLATES.get_template(name).render(style=_STYLE, **facts)
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})


def _shown(view: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, int] = view["counts"]
    done = sum(counts[name] for name in (*FINAL, *reads.ROW_KINDS))
    buckets = [(name, counts[name]) for name in (*NumberState, *reads.ROW_KINDS) if counts[name]]
    return view | {"done": done, "rows": counts["rows"], "buckets": buckets}


def _failures(ledger: Ledger, import_id: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    """The first rows that did not become working numbers; a state that has none costs no query."""
    found: list[dict[str, Any]] = []
    for state in ("failed", "unaccounted", "rejected"):
        room = FAILURES - len(found)
        if counts[state] and room:
            rows, _ = listing.numbers_page(ledger, import_id, state=state, limit=room)
            found += [number_json(row) for row in rows]
    return found
