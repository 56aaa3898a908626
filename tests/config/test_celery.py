"""Celery's configuration, read by Celery itself and tried on a real broker."""

import ssl
from pathlib import Path

import pytest
from celery import Celery
from celery.app.defaults import SETTING_KEYS
from kombu.exceptions import OperationalError

from config.celery import celery_config
from config.settings import load
from tnimport.contract import QUEUE_OF, Queue


def app_for(**settings: str) -> Celery:
    environ = {f"TNIMPORT_{name.upper()}": value for name, value in settings.items()}
    app = Celery("test", set_as_current=False)
    app.conf.update(celery_config(load(environ, accounts_needed=False), "tnimport-test"))
    return app


def test_every_option_is_one_that_celery_knows() -> None:
    assert celery_config(load({}, accounts_needed=False)).keys() <= SETTING_KEYS


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("result_backend", None),
        ("task_ignore_result", True),
        ("accept_content", ["json"]),
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", False),
        ("worker_prefetch_multiplier", 1),
        ("worker_send_task_events", True),
        ("task_send_sent_event", True),
        ("worker_hijack_root_logger", False),
        ("broker_connection_retry_on_startup", True),
        ("timezone", "UTC"),
        ("beat_schedule", {}),
    ],
)
def test_the_options_that_the_design_stands_on(option: str, value: object) -> None:
    assert app_for().conf[option] == value


def test_a_message_is_hidden_for_longer_than_any_claim() -> None:
    assert app_for().conf.broker_transport_options["visibility_timeout"] == 600
    assert app_for(claim_seconds="300").conf.broker_transport_options["visibility_timeout"] == 1500


def test_every_queue_of_the_contract_exists_and_every_task_has_its_own() -> None:
    conf = app_for().conf
    assert [queue.name for queue in conf.task_queues] == [queue.value for queue in Queue]
    assert {name: route["queue"] for name, route in conf.task_routes.items()} == {
        task.value: queue.value for task, queue in QUEUE_OF.items()
    }


def test_the_worker_of_the_procfile_consumes_every_queue() -> None:
    lines = Path("Procfile").read_text().splitlines()
    (worker,) = [line for line in lines if line.startswith("worker:")]
    assert f"-Q {','.join(Queue)} " in worker


def test_tls_asks_who_answers() -> None:
    assert app_for(redis_url="rediss://h:6380/0").conf.broker_use_ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert app_for().conf.broker_use_ssl is None


def test_sentinel_is_told_the_name_of_the_group() -> None:
    conf = app_for(redis_url="sentinel://a:26379;sentinel://b:26379/0?master_name=main").conf
    assert conf.broker_transport_options["master_name"] == "main"


@pytest.mark.parametrize(("task", "queue"), [*QUEUE_OF.items(), ("unknown", Queue.INTAKE)])
def test_a_task_reaches_its_queue_and_no_other(task: str, queue: str, redis_url: str) -> None:
    app = app_for(redis_url=redis_url)
    with app.connection_for_write() as connection:
        app.send_task(str(task), kwargs={"work": 1}, connection=connection)
        client = connection.default_channel.client
        assert {name: client.llen(name) for name in Queue} == {name: int(name == queue) for name in Queue}


def test_another_service_reaches_the_intake_with_plain_celery(redis_url: str) -> None:
    other = Celery("other", broker=redis_url, set_as_current=False)
    other.send_task("tnimport.submit_import", kwargs={"numbers": []}, queue="intake")
    with app_for(redis_url=redis_url).connection_for_read() as connection:
        message = connection.SimpleQueue("intake").get(timeout=5)
        assert message.headers["task"] == "tnimport.submit_import"


def test_redis_lists_the_connection_by_the_name_of_the_process(redis_url: str) -> None:
    with app_for(redis_url=redis_url).connection_for_write() as connection:
        clients = connection.default_channel.client.client_list()
    assert "tnimport-test" in {entry["name"] for entry in clients}


def test_a_misspelt_queue_is_an_error_and_no_list_in_redis(redis_url: str) -> None:
    with pytest.raises(Exception, match="oders"):
        app_for(redis_url=redis_url).send_task("tnimport.poll_order", queue="oders")


def test_publishing_without_a_broker_gives_up_soon(free_port: int) -> None:
    with pytest.raises(OperationalError):
        app_for(redis_url=f"redis://127.0.0.1:{free_port}/0").send_task("tnimport.poll_order", kwargs={})
