"""The servers that other tests stand on."""

import os
import socket

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text


def test_redis_answers_and_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_redis_is_empty_again_after_a_test_that_left_something_behind(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_both_kinds_of_database_are_real_and_new(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE only_here (x INTEGER)"))
        assert connection.execute(text("SELECT count(*) FROM only_here")).scalar() == 0
    engine.dispose()


def test_postgres_is_version_18(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.info.server_version // 10000 == 18


def test_no_setting_of_the_person_reaches_the_tests() -> None:
    assert not [name for name in os.environ if name.startswith("TNIMPORT_")]


def test_a_test_that_looks_up_another_host_fails() -> None:
    with pytest.raises(AssertionError, match=r"dashboard\.bandwidth\.com"):
        socket.create_connection(("dashboard.bandwidth.com", 443), timeout=1)
