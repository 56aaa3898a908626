"""Accounts: the one in the environment, those in a file, and what is wrong with them."""

import re
from base64 import b64encode
from pathlib import Path

import pytest

from config.account_table import HIDDEN, LIMITS, SECRET
from config.document import ACCOUNTS
from config.settings import SettingsProblem, load
from tnimport.domain.accounts import Account, Paces

NORTH = """
[accounts.north]
account_id = 9999999
dashboard_username = "wileCoyote"
dashboard_password_file = "password"
catapult_user_id = "u-1"
catapult_token = "t-canary"
catapult_secret = "canary-secret"
site_id = 743
numbers_per_minute = 600
order_size = 50
"""
SOUTH = NORTH.replace("north", "south").replace('dashboard_password_file = "password"', 'dashboard_password = "canary"')


def accounts_file(folder: Path, content: str) -> dict[str, str]:
    (folder / "password").write_text("canary-password\n")
    (folder / "accounts.toml").write_text(content)
    return {"TNIMPORT_ACCOUNTS_FILE": str(folder / "accounts.toml")}


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsProblem) as caught:
        load(environ)
    return caught.value.problems


def test_the_environment_makes_the_account_default(account: dict[str, str]) -> None:
    given = {
        "TNIMPORT_SITE_ID": "743",
        "TNIMPORT_SIP_PEER_ID": "303716",
        "TNIMPORT_APPLICATION_ID": "a-1",
        "TNIMPORT_PUBLIC_URL": "https://example.com/tn/",
        "TNIMPORT_FALLBACK_URL": "https://second.example",
        "TNIMPORT_CALLBACK_TIMEOUT": "2.5",
        "TNIMPORT_NUMBERS_PER_MINUTE": "7",
        "TNIMPORT_ORDER_SETTLE": "60",
    }
    (access,) = load(account | given).accounts.values()
    assert access.account == Account(
        name="default",
        account_id="9999999",
        site_id="743",
        sip_peer_id="303716",
        application_id="a-1",
        callback_url="https://example.com/tn/callbacks/default",
        fallback_url="https://second.example/callbacks/default",
        callback_timeout=2.5,
        orders_url="https://example.com/tn/callbacks/default/orders",
        paces=Paces(numbers_per_minute=7),
        order_settle=60,
    )
    assert access.dashboard.password == "canary-dashboard-password"
    assert (access.catapult.user_id, access.catapult.secret) == ("u-1", "canary-catapult-secret")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PUBLIC_URL": "https://tn.example"}, True),
        ({"PUBLIC_URL": "https://tn.example", "ORDER_NOTIFICATIONS": "0"}, False),
        ({}, False),
    ],
)
def test_orders_are_told_of_where_there_is_an_address_and_nobody_objects(
    account: dict[str, str], given: dict[str, str], *, told: bool
) -> None:
    (access,) = load(account | {f"TNIMPORT_{name}": value for name, value in given.items()}).accounts.values()
    assert (access.account.orders_url is not None) is told


def test_what_the_carrier_presents_is_masked_in_every_form(account: dict[str, str]) -> None:
    settings = load(account | {"TNIMPORT_CALLBACK_SECRET": "canary/callback secret"})
    presented = b64encode(b"tnimport:canary/callback secret").decode()
    assert settings.secrets() >= {"canary/callback secret", "canary%2Fcallback%20secret", presented}


def test_no_account_at_all_is_one_problem_that_names_every_variable(account: dict[str, str]) -> None:
    (problem,) = problems({})
    assert all(name in problem for name in account)
    assert "TNIMPORT_ACCOUNTS_FILE" in problem


def test_a_process_that_needs_no_account_starts_without() -> None:
    assert load({}, accounts_needed=False).accounts == {}


def test_half_an_account_is_refused_even_where_none_is_needed(account: dict[str, str]) -> None:
    del account["TNIMPORT_CATAPULT_TOKEN"]
    with pytest.raises(SettingsProblem, match="TNIMPORT_CATAPULT_TOKEN"):
        load(account, accounts_needed=False)


def test_a_file_names_several_accounts_with_limits_of_their_own(tmp_path: Path) -> None:
    given = accounts_file(tmp_path, NORTH + SOUTH) | {"TNIMPORT_NUMBERS_BURST": "5"}
    accounts = load(given).accounts
    assert accounts.keys() == {"north", "south"}
    north = accounts["north"]
    assert north.dashboard.password == "canary-password"
    assert north.account.site_id == "743"
    assert north.account.order_size == 50
    assert north.account.paces == Paces(numbers_per_minute=600, numbers_burst=5)


def test_the_account_of_the_environment_stands_beside_those_of_the_file(
    account: dict[str, str], tmp_path: Path
) -> None:
    assert load(account | accounts_file(tmp_path, NORTH)).accounts.keys() == {"default", "north"}


def test_two_accounts_named_default_are_refused(account: dict[str, str], tmp_path: Path) -> None:
    (problem,) = problems(account | accounts_file(tmp_path, NORTH.replace("north", "default")))
    assert "both in the environment and in the file" in problem


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", ["names no account"]),
        ("accounts = 3", ["names no account"]),
        ("[accounts", ["is no TOML"]),
        ("[accounts.'a/b']\n", ["[accounts.a/b] is not usable"]),
        ("[accounts]\nnorth = 3\n", ["[accounts.north] is not usable"]),
        (
            NORTH.replace('user_id = "u-1"', 'user = "u-1"'),
            ["user_id is missing", "catapult_user is no value"],
        ),
        (NORTH.replace("order_size = 50", "order_size = 0"), ["order_size 0 must be at least 1"]),
        (NORTH.replace('"password"', '"nowhere"'), ["dashboard_password_file", "nowhere cannot be read"]),
        (NORTH + 'dashboard_password = "canary"\n', ["both set"]),
        (NORTH.replace('catapult_token = "t-canary"\n', ""), ["catapult_token is missing"]),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_every_reason(content: str, says: list[str], tmp_path: Path) -> None:
    said = "\n".join(problems(accounts_file(tmp_path, content)))
    assert all(part in said for part in says), said
    assert "canary" not in said


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (problem,) = problems({"TNIMPORT_ACCOUNTS_FILE": str(tmp_path / "nowhere.toml")})
    assert "cannot be read" in problem


def test_a_callback_secret_is_made_of_the_catapult_secret_unless_it_is_set(account: dict[str, str]) -> None:
    made = load(account).accounts["default"].callback_secret
    assert len(made) == 64
    assert made == load(account).accounts["default"].callback_secret
    assert made != load(account | {"TNIMPORT_CATAPULT_SECRET": "another"}).accounts["default"].callback_secret
    assert load(account | {"TNIMPORT_CALLBACK_SECRET": "set"}).accounts["default"].callback_secret == "set"


INBOUND = {
    "TNIMPORT_WEBHOOK_SECRET": "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0LTEy",
    "TNIMPORT_INBOUND_URL": "https://hooks.example/in",
    "TNIMPORT_INBOUND_TASK": "theirs.received",
    "TNIMPORT_INBOUND_QUEUE": "theirs",
}


def test_where_messages_are_handed_on_to_is_the_environment_s_unless_an_account_has_its_own(tmp_path: Path) -> None:
    south = SOUTH + 'inbound_url = "https://south.example/in"\ninbound_task = ""\ninbound_queue = ""\n'
    accounts = load(accounts_file(tmp_path, NORTH + south) | INBOUND).accounts
    north, south_ = accounts["north"].account, accounts["south"].account
    assert north.inbound_url == "https://hooks.example/in"
    assert (north.inbound_task, north.inbound_queue, north.signs) == ("theirs.received", "theirs", True)
    assert (south_.inbound_url, south_.inbound_task) == ("https://south.example/in", None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"TNIMPORT_WEBHOOK_SECRET": ""}, "set TNIMPORT_WEBHOOK_SECRET"),
        ({"TNIMPORT_INBOUND_QUEUE": ""}, "or neither"),
        ({"TNIMPORT_INBOUND_QUEUE": "numbers"}, "a queue of our own"),
    ],
)
def test_handing_messages_on_needs_all_of_it(account: dict[str, str], given: dict[str, str], told: str) -> None:
    (problem,) = problems(account | INBOUND | given)
    assert told in problem
    assert "`default`" in problem


def test_an_account_s_address_must_be_one_that_can_be_called(tmp_path: Path) -> None:
    (problem,) = problems(accounts_file(tmp_path, NORTH + 'inbound_url = "south.example/?canary"\n'))
    assert "inbound_url" in problem


@pytest.mark.parametrize(
    "wrong",
    [
        'inbound_url = "https://hooks.example/x?token=canary#frag"',
        'inbound_url = "https://someone:canary@hooks.example/x"',
        'inbound_url = "https://someone:canary\u2105@hooks.example/x"',
        'inbound_url = ["https://hooks.example/x?token=canary"]',
    ],
)
def test_an_account_s_address_is_not_shown_when_it_is_wrong(wrong: str, tmp_path: Path) -> None:
    (problem,) = problems(accounts_file(tmp_path, f"{NORTH}{wrong}\n"))
    assert "accounts.toml [accounts.north] inbound_url" in problem
    assert "canary" not in problem


def test_every_secret_of_an_account_is_hidden_in_what_is_wrong_with_it() -> None:
    assert SECRET | {"inbound_url"} == HIDDEN


@pytest.mark.parametrize("name", sorted(set(LIMITS) - {"order_size"}))
@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_limit_of_an_account_is_a_finite_number_as_in_the_environment(name: str, number: str, tmp_path: Path) -> None:
    content = NORTH.replace("numbers_per_minute = 600\n", "") + f"{name} = {number}\n"
    (problem,) = problems(accounts_file(tmp_path, content))
    assert f"[accounts.north] {name} {number} is not a finite number" in problem


def test_everything_that_is_wrong_with_the_accounts_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    north = NORTH + "numbers_burst = inf\npoll_first = 500\npoll_max = 2\n"
    south = SOUTH + "poll_first = 301\n"
    west = SOUTH.replace("south", "west") + 'inbound_url = "https://west.example/in"\n'
    said = problems(accounts_file(tmp_path, north + south + west))
    assert said == (
        "accounts.toml [accounts.north] numbers_burst inf is not a finite number",
        "accounts.toml [accounts.north] poll_first (500) must not be greater than poll_max (2)",
        "accounts.toml [accounts.south] poll_first (301) must not be greater than poll_max (300)",
        "the account `west` hands messages on by webhook: set TNIMPORT_WEBHOOK_SECRET, which signs them",
    )


@pytest.mark.parametrize(
    ("environ", "own"),
    [
        ({"POLL_FIRST": "500"}, ""),
        ({"POLL_MAX": "soon"}, "poll_first = 400\n"),
        ({"POLL_MAX": "0"}, "poll_first = 400\n"),
    ],
)
def test_polls_that_are_wrong_in_the_environment_are_told_of_once(
    environ: dict[str, str], own: str, tmp_path: Path
) -> None:
    given = {f"TNIMPORT_{name}": value for name, value in environ.items()}
    (problem,) = problems(accounts_file(tmp_path, NORTH + SOUTH + own) | given)
    assert "TNIMPORT_POLL" in problem


def test_a_wrong_signing_secret_is_not_reported_as_missing(account: dict[str, str]) -> None:
    (problem,) = problems(account | INBOUND | {"TNIMPORT_WEBHOOK_SECRET": "canary"})
    assert "TNIMPORT_WEBHOOK_SECRET is not usable" in problem


def test_the_example_of_the_page_is_usable_as_it_stands(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", ACCOUNTS, re.DOTALL)
    assert example
    for secret in ("password", "token", "secret"):
        (tmp_path / f"north-{'dashboard' if secret == 'password' else secret}").write_text("canary")
    (access,) = load(accounts_file(tmp_path, example[1]) | INBOUND).accounts.values()
    assert access.account.verify_partner == "9195551234"
