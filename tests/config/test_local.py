"""The environment of a stack on one machine."""

import socket
from pathlib import Path

import pytest

from config.local import SANDBOX_ACCOUNT, free_port, local_environment
from config.settings import load

REAL = {
    "TNIMPORT_ACCOUNT_ID": "1",
    "TNIMPORT_DASHBOARD_USERNAME": "u",
    "TNIMPORT_DASHBOARD_PASSWORD": "canary",
    "TNIMPORT_CATAPULT_USER_ID": "u-2",
    "TNIMPORT_CATAPULT_TOKEN": "t-2",
    "TNIMPORT_CATAPULT_SECRET": "canary",
}


@pytest.mark.parametrize("environ", [{}, {"SANDBOX": "1"}, REAL, {"TNIMPORT_ACCOUNTS_FILE": "real.toml"}])
def test_with_the_sandbox_nothing_points_to_bandwidth(environ: dict[str, str], tmp_path: Path) -> None:
    settings = load(local_environment(environ, tmp_path))
    made = local_environment(environ, tmp_path)
    assert settings.dashboard_url.startswith("http://127.0.0.1:")
    assert settings.catapult_url.startswith("http://127.0.0.1:")
    (access,) = settings.accounts.values()
    assert access.account.account_id == SANDBOX_ACCOUNT["ACCOUNT_ID"]
    assert access.account.paces.numbers_per_minute == 0
    assert "canary" not in "".join(made.values())


def test_without_the_sandbox_the_real_apis_and_credentials_stay(tmp_path: Path) -> None:
    settings = load(local_environment(REAL | {"SANDBOX": "0"}, tmp_path))
    assert settings.dashboard_url == "https://dashboard.bandwidth.com/api"
    assert settings.accounts["default"].account.account_id == "1"
    assert settings.numbers_per_minute == 100


def test_a_pace_that_is_set_is_kept_in_the_sandbox_too(tmp_path: Path) -> None:
    assert load(local_environment({"TNIMPORT_NUMBERS_PER_MINUTE": "60"}, tmp_path)).numbers_per_minute == 60


def test_webhooks_are_signed_and_may_be_sent_to_this_machine_unless_something_is_set(tmp_path: Path) -> None:
    settings = load(local_environment({}, tmp_path))
    assert (len(settings.webhook_secrets), settings.webhook_allowed) == (1, ("127.0.0.0/8",))
    given = {"TNIMPORT_WEBHOOK_SECRET": "whsec_b3VyIG93biB3ZWJob29rIHNlY3JldCAh"}
    settings = load(local_environment(given, tmp_path))
    assert (settings.webhook_secrets, settings.webhook_allowed) == (("whsec_b3VyIG93biB3ZWJob29rIHNlY3JldCAh",), ())


def test_the_files_of_a_run_are_in_its_folder_unless_set(tmp_path: Path) -> None:
    assert local_environment({}, tmp_path)["TNIMPORT_DATABASE_URL"] == f"sqlite:///{tmp_path}/ledger.db"
    given = {"TNIMPORT_DATABASE_URL": "postgresql+psycopg://h/n", "TNIMPORT_REDIS_URL": "redis://h:1/0"}
    made = local_environment(given, tmp_path)
    assert made.items() >= given.items()
    assert "REDIS_PORT" not in made


def test_a_port_that_is_taken_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
        made = local_environment({"TNIMPORT_WEB_BIND": f"127.0.0.1:{port}"}, tmp_path)
        assert made["TNIMPORT_WEB_BIND"] != f"127.0.0.1:{port}"
    assert free_port(port) == port


def test_free_ports_differ_and_no_outgoing_connection_is_given_one() -> None:
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == len(ports)
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert 1024 < min(ports) <= max(ports) < min(lowest_outgoing, 32_768)
