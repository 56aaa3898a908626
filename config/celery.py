"""Celery's configuration: Redis carries wake-ups, the ledger keeps the truth, so most of Celery stays switched off."""

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from kombu.entity import Exchange
from kombu.entity import Queue as KombuQueue

from tnimport.contract import QUEUE_OF, Queue

if TYPE_CHECKING:
    from config.settings import Settings

SOCKET_SECONDS = 3
"""A publish to a hung Redis waits about four times this before it gives up; without it, for ever."""


def celery_config(settings: "Settings", process: str = "tnimport") -> dict[str, Any]:
    """Return what `app.conf.update` takes.

    Args:
        settings: the deployment's settings.
        process: the name that Redis lists for this process's connections.
    """
    url = settings.redis_url.get_secret_value()
    return {
        "broker_url": url,
        "broker_transport_options": transport_options(settings, process),
        # rediss:// alone encrypts without asking who answers; we ask.
        "broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED} if url.startswith("rediss://") else None,
        # A worker that starts before Redis waits for it, as it does when Redis goes away later.
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": SOCKET_SECONDS,
        # No effect on threads, which cannot be cancelled; without it every loss of connection prints a warning.
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        **MESSAGES,
        **QUEUES,
        **WORKER,
    }


def transport_options(settings: "Settings", process: str) -> dict[str, Any]:
    """Return the options of the Redis transport; every app on the same broker must use the same ones."""
    options: dict[str, Any] = {
        # The shortest value on a broker wins. It must exceed the longest task; a task ends with its claim.
        "visibility_timeout": max(600, int(5 * settings.claim_seconds)),
        # A message of a worker that died comes back within 10 s of the timeout above, not within 100 s.
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        # kombu's own default is to wait for ever. `retry_on_timeout` must stay off: it brings that back.
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        # Notices a peer that vanished without closing.
        "socket_keepalive": True,
        "health_check_interval": 15,
        # Shown by CLIENT LIST. There is no global_keyprefix: other services publish submit_import with plain Celery.
        "client_name": process,
    }
    master = parse_qs(urlsplit(settings.redis_url.get_secret_value().rpartition(";")[2]).query).get("master_name")
    return {**options, "master_name": master[0]} if master else options


MESSAGES: dict[str, Any] = {
    # Results are in the ledger. A backend costs a key and a pub/sub channel for each task, and leaks.
    "result_backend": None,
    "task_ignore_result": True,
    # Anything but JSON can run code in whoever reads it.
    "task_serializer": "json",
    "result_serializer": "json",
    "event_serializer": "json",
    "accept_content": ["json"],
    # A publish that fails is tried twice more and then left: the dispatcher finds the work in the ledger again.
    "task_publish_retry_policy": {
        "max_retries": 2,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
    },
    # A stopping worker puts back what it has not finished; the claim in the ledger makes a second run do nothing.
    "task_acks_late": True,
    # A worker that dies leaves a claim that expires, with a count; Redis must not hand the message out at once.
    "task_reject_on_worker_lost": False,
    # Flower shows a task from the moment it is sent, and what it does.
    "task_send_sent_event": True,
    "worker_send_task_events": True,
    "timezone": "UTC",
    "enable_utc": True,
}

EXCHANGE = Exchange("tnimport", type="direct")  # type: ignore[no-untyped-call]  # kombu publishes no types

QUEUES: dict[str, Any] = {
    # Each with a routing key of its own: without one Celery binds all of them to the same key, and a message
    # then goes to every queue.
    "task_queues": tuple(KombuQueue(queue.value, EXCHANGE, routing_key=queue.value) for queue in Queue),  # type: ignore[no-untyped-call]  # as above
    "task_default_exchange": "tnimport",
    "task_default_routing_key": Queue.INTAKE.value,
    # A task that names no queue is someone's mistake from outside; the intake refuses it with a reason.
    "task_default_queue": Queue.INTAKE.value,
    # A misspelt queue is an error, not a list in Redis that nobody reads.
    "task_create_missing_queues": False,
    "task_routes": {task.value: {"queue": queue.value} for task, queue in QUEUE_OF.items()},
}

WORKER: dict[str, Any] = {
    # A worker reserves what it can run: each prefetched message more is one more run twice after a lost connection.
    "worker_prefetch_multiplier": 1,
    # Our logging is set up before Celery's, and masks; Celery's would not.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # Revoking and rate limits are the ledger's work; rate limits here would hold messages back inside the worker.
    "worker_disable_rate_limits": True,
}
