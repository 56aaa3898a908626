"""The Celery app: `celery -A workers.app worker`, `celery -A workers.app flower`."""

from functools import cache
from threading import Event
from typing import Any, Final

from celery import Celery, signals

from config.accounts import AccountAccess
from config.celery import celery_config
from config.settings import Settings
from tasks.catalogue import register_all
from tasks.parts import Access, Parts
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.bandwidth.transport import Transport
from workers.boot import boot, settings_or_exit

# Flower and whoever only publishes need no account; a worker asks for them all when it starts.
app: Final = Celery("tnimport")
app.config_from_object(celery_config(settings_or_exit(accounts_needed=False)))
stopping: Final = Event()


@cache
def parts() -> Parts:
    """What the tasks of this process share."""
    booted = boot("worker")
    transport = Transport()
    return Parts(
        ledger=booted.ledger,
        accounts={name: _access(booted.settings, held, transport) for name, held in booted.settings.accounts.items()},
        claim_seconds=booted.settings.claim_seconds,
        http_timeout=booted.settings.http_timeout,
        stopping=stopping,
    )


def _access(settings: Settings, held: AccountAccess, transport: Transport) -> Access:
    return Access(
        account=held.account,
        dashboard=Dashboard(settings.dashboard_url, held.dashboard, transport),
        catapult=Catapult(settings.catapult_url, held.catapult, held.dashboard, transport),
    )


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # celery publishes no types
def _keep_our_logs(**_: Any) -> None:  # noqa: ANN401  # whatever Celery sends along
    """A receiver of this signal, whatever it does, keeps Celery from setting up logs of its own, which mask nothing."""


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # as above
def _start(**_: Any) -> None:  # noqa: ANN401  # as above
    """Refuse to start with wrong settings, rather than at the first message."""
    parts()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]  # as above
def _stop(**_: Any) -> None:  # noqa: ANN401  # as above
    """Let every grant stop between two numbers; what is left of it goes back to the ledger."""
    stopping.set()


register_all(app, parts)
