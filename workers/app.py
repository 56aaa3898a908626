"""The Celery app: `celery -A workers.app worker`, `celery -A workers.app flower`."""

import sys
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
from workers.boot import boot
from workers.configuration import settings_or_exit
from workers.connecting import sender_of, transport_of
from workers.counting import Calls, Counted
from workers.cpu import Pin
from workers.handing import hand_on_by
from workers.heartbeat import Heartbeat


def _is_worker() -> bool:
    """Whether this process is `celery … worker`."""
    return "celery" in sys.argv[0] and "worker" in sys.argv


app: Final = Celery("tnimport")
# Flower and whoever only publishes need no account. Celery reads this module before it starts a worker, which does:
# it is told here of its accounts, too, so that everything that is wrong is said at once.
app.config_from_object(celery_config(settings_or_exit(accounts_needed=_is_worker())))
stopping: Final = Event()
calls: Final = Calls()
pin: Final = Pin()


@cache
def parts() -> Parts:
    """What the tasks of this process share."""
    booted = boot("worker")
    if booted.settings.pin_workers:
        pin.stay()
    transport = transport_of(booted.settings)
    return Parts(
        ledger=booted.ledger,
        accounts={name: _access(booted.settings, held, transport) for name, held in booted.settings.accounts.items()},
        claim_seconds=booted.settings.claim_seconds,
        http_timeout=booted.settings.http_timeout,
        stopping=stopping,
        retention_days=booted.settings.retention_days,
        sender=sender_of(booted.settings),
        hand_on=hand_on_by(app),
    )


@cache
def heartbeat() -> Heartbeat:
    """The heartbeat of this worker."""
    return Heartbeat(parts().ledger, "worker", calls)


def _access(settings: Settings, held: AccountAccess, transport: Transport) -> Access:
    name = held.account.name
    to_dashboard = Counted(transport, calls, name, "dashboard")
    to_catapult = Counted(transport, calls, name, "catapult")
    return Access(
        account=held.account,
        dashboard=Dashboard(settings.dashboard_url, held.dashboard, to_dashboard),
        catapult=Catapult(settings.catapult_url, held.catapult, held.dashboard, to_catapult),
        callback_secret=held.callback_secret,
    )


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # celery publishes no types
def _keep_our_logs(**_: Any) -> None:  # noqa: ANN401 - whatever Celery sends along
    """A receiver of this signal, whatever it does, keeps Celery from setting up logs of its own, which mask nothing."""


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # as above
def _start(**_: Any) -> None:  # noqa: ANN401 - as above
    """Refuse to start with wrong settings, rather than at the first message."""
    parts()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]  # as above
def _stop(**_: Any) -> None:  # noqa: ANN401 - as above
    """Let every grant stop between two numbers; what is left of it goes back to the ledger."""
    stopping.set()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def _live(**_: Any) -> None:  # noqa: ANN401 - as above
    """From now on this worker takes work: show that it lives."""
    heartbeat().start()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]  # as above
def _leave(**_: Any) -> None:  # noqa: ANN401 - as above
    """Nothing runs any longer: hand in the last counts."""
    heartbeat().stop()


register_all(app, parts)
