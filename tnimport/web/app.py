"""The web application."""

from functools import partial

from fastapi import FastAPI

from tnimport.ledger.messaging import inbound
from tnimport.web import openapi
from tnimport.web.access import door, guard
from tnimport.web.carrier import callbacks, notifications
from tnimport.web.carrier.callback_store import CallbackStore
from tnimport.web.deps import WebDeps
from tnimport.web.imports import acting, looking, submitting
from tnimport.web.messaging import inbox, outgoing
from tnimport.web.notifying import webhooks
from tnimport.web.operations import health, metrics
from tnimport.web.operations.recent import Recent
from tnimport.web.pages import views
from tnimport.web.wire import faults, head_requests

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
    app.state.callback_store = CallbackStore(partial(inbound.store, deps.ledger))
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
        views,
    ):
        app.include_router(part.router)
    faults.install(app)
    app.add_middleware(door.Door, keyring=deps.keyring)
    app.add_middleware(guard.Guard, hosts=deps.hosts)
    app.add_middleware(head_requests.HeadRequests)
    openapi.install(app)
    return app
