"""The web application."""

from fastapi import FastAPI

from tnimport.web import acting, door, faults, guard, health, looking, metrics, openapi, pages, submitting
from tnimport.web.deps import WebDeps

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
    for router in (submitting.router, looking.router, acting.router, health.router, metrics.router, pages.router):
        app.include_router(router)
    faults.install(app)
    app.add_middleware(door.Door, keyring=deps.keyring)
    app.add_middleware(guard.Guard, hosts=deps.hosts)
    openapi.install(app)
    return app
