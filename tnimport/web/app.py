"""The web application."""

from functools import partial

from fastapi import FastAPI

from tnimport.ledger import inbound
from tnimport.web import (
    acting,
    callbacks,
    door,
    faults,
    guard,
    heads,
    health,
    inbox,
    looking,
    metrics,
    notifications,
    openapi,
    outgoing,
    pages,
    submitting,
    webhooks,
)
from tnimport.web.deps import WebDeps
from tnimport.web.mailroom import Mailroom
from tnimport.web.recent import Recent

__all__ = ["WebDeps", "create_app"]


def create_app(deps: WebDeps) -> FastAPI:
    """The ASGI application: HTTP API, health and page. It opens nothing; what it works with is in `deps`."""
    app = FastAPI(
        title="tnimport",
        summary="Imports telephone numbers in bulk into a Bandwidth account and accounts for every row",
        version=deps.version,
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.deps = deps
    app.state.ledger_check = Recent(partial(health.ledger_check, deps.ledger))
    app.state.mailroom = Mailroom(partial(inbound.store, deps.ledger))
    for part in (
        callbacks,  # first, for they come by the hundred a second
        notifications,
        submitting,
        looking,
        outgoing,
        inbox,
        webhooks,
        acting,
        health,
        metrics,
        pages,
    ):
        app.include_router(part.router)
    faults.install(app)
    app.add_middleware(door.Door, keyring=deps.keyring)
    app.add_middleware(guard.Guard, hosts=deps.hosts)
    app.add_middleware(heads.Heads)
    openapi.install(app)
    return app
