"""Is Redis there, does it keep what it is given, and does its clock agree with the ledger's?"""

from collections.abc import Iterator
from time import monotonic
from typing import Any, Final

from celery import Celery

from config.celery import celery_config
from config.settings import Settings
from tnimport.contract import Queue
from tnimport.ledger.engine import Ledger
from workers.checkups.finding import Finding, fault, misset, ok, warning
from workers.publisher import AWAY

AREA: Final = "redis"
SKEW_SECONDS: Final = 5.0
KEEP: Final = "; and in redis.conf, or it is gone with the next restart"


def check(settings: Settings, ledger: Ledger | None) -> tuple[list[Finding], dict[str, int]]:
    """What is found, and how many messages wait in each queue."""
    app = Celery("doctor", set_as_current=False)
    app.config_from_object(celery_config(settings, "tnimport-doctor"))
    try:
        with app.connection_for_read() as connection:
            client = connection.default_channel.client
            began = monotonic()
            client.ping()
            found = [ok(AREA, f"answers in {1000 * (monotonic() - began):.0f} ms")]
            found += [*_policy(client), *_durability(client), *(_clock(client, ledger) if ledger else [])]
            return found, {queue.value: client.llen(queue.value) for queue in Queue}
    except AWAY as error:
        away = f"cannot be reached ({type(error.__cause__ or error).__name__}); imports are accepted, and wait"
        return [fault(AREA, away, "start Redis, or mend TNIMPORT_REDIS_URL")], {}
    finally:
        app.close()


def _policy(client: Any) -> Iterator[Finding]:  # noqa: ANN401 - a client of whichever kind kombu chose
    policy = client.info("memory").get("maxmemory_policy")
    if policy == "noeviction":
        yield ok(AREA, "maxmemory-policy is noeviction")
    elif policy is not None:
        fix = f"redis-cli CONFIG SET maxmemory-policy noeviction{KEEP}"
        yield misset(AREA, f"maxmemory-policy is {policy}: when full it forgets messages instead of refusing", fix)


def _durability(client: Any) -> Iterator[Finding]:  # noqa: ANN401 - as above
    if client.info("persistence").get("aof_enabled"):
        yield ok(AREA, "AOF is on")
    else:
        text = "AOF is off: after a restart submit_import messages of other services are lost"
        yield warning(AREA, text, f"redis-cli CONFIG SET appendonly yes{KEEP}")


def _clock(client: Any, ledger: Ledger) -> Iterator[Finding]:  # noqa: ANN401 - as above
    with ledger.read() as tx:
        seconds, micros = client.time()
        skew = seconds + micros / 1e6 - tx.now
    if abs(skew) > SKEW_SECONDS:
        text = f"its clock differs from the ledger's by {skew:+.0f} s"
        yield warning(AREA, text, "run a time service (chrony, systemd-timesyncd) on both machines")
    else:
        yield ok(AREA, "its clock agrees with the ledger's")
