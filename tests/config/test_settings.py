"""Settings: usable, or refused with everything that is wrong."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.document import PAGE, page
from config.reading import variable
from config.settings import Settings, SettingsProblem, load

CONTRACT = {
    "redis_url": "redis://127.0.0.1:6379/0",
    "database_url": "sqlite:///var/ledger.db",
    "dashboard_url": "https://dashboard.bandwidth.com/api",
    "catapult_url": "https://api.catapult.inetwork.com/v1",
    "account_id": None,
    "dashboard_username": None,
    "dashboard_password": None,
    "catapult_user_id": None,
    "catapult_token": None,
    "catapult_secret": None,
    "accounts_file": None,
    "order_size": 1000,
    "numbers_per_minute": 100,
    "numbers_burst": 800,
    "messages_per_second": 1,
    "applications_per_second": 1,
    "lookups_per_second": 10,
    "dashboard_per_second": 1,
    "poll_first": 2,
    "poll_max": 300,
    "ca_file": None,
    "http_timeout": 30,
    "api_keys_file": None,
    "order_settle": 900,
    "claim_seconds": 120,
    "retention_days": 30,
    "verify_seconds": 600,
    "verify_partner": None,
    "site_id": None,
    "sip_peer_id": None,
    "application_id": None,
    "public_url": None,
    "fallback_url": None,
    "callback_timeout": None,
    "order_notifications": True,
    "callback_secret": None,
    "webhook_secret": None,
    "max_body": 256 * 1024 * 1024,
    "max_rows": 2_000_000,
    "webhook_allow": None,
    "inbound_url": None,
    "inbound_task": None,
    "inbound_queue": None,
    "web_bind": "127.0.0.1:8080",
    "flower_bind": "127.0.0.1:5555",
    "flower_auth": None,
    "pin_workers": True,
    "log_level": "INFO",
}
OLDER = "whsec_" + "A" * 32
WHSEC = "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0LTEy"
SECRETS = {
    "redis_url": "redis://:canary@h:6379/1",
    "database_url": "postgresql+psycopg://u:canary@h/n",
    "dashboard_password": "canary",
    "catapult_token": "canary",
    "catapult_secret": "canary",
    "callback_secret": "canary",
    "webhook_secret": WHSEC,
    "inbound_url": "https://hooks.example/in?token=canary",
    "flower_auth": "someone:canary",
}


def plain(value: object) -> object:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def problems(environ: dict[str, str], **options: bool) -> tuple[str, ...]:
    with pytest.raises(SettingsProblem) as caught:
        load(environ, **options)
    assert str(caught.value).splitlines()[1:] == list(caught.value.problems)
    return caught.value.problems


def test_every_variable_has_the_documented_default() -> None:
    settings = load({}, accounts_needed=False)
    assert {name: plain(getattr(settings, name)) for name in Settings.environment_fields()} == CONTRACT


def test_the_page_of_settings_is_the_one_the_class_makes() -> None:
    assert PAGE.read_text() == page(), "run `make settings`"


@pytest.mark.parametrize("name", CONTRACT)
def test_every_variable_is_described_in_a_sentence(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("order_size", "250", 250),
        ("numbers_per_minute", "0", 0.0),
        ("messages_per_second", "2.5", 2.5),
        ("redis_url", "rediss://h:6380/1", "rediss://h:6380/1"),
        ("redis_url", "sentinel://a:1;sentinel://b:2/0?master_name=m", "sentinel://a:1;sentinel://b:2/0?master_name=m"),
        ("database_url", "postgresql+psycopg://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        ("dashboard_url", "http://127.0.0.1:8900/api/", "http://127.0.0.1:8900/api"),
        ("web_bind", "[::1]:80", "[::1]:80"),
        ("log_level", "debug", "DEBUG"),
        ("order_settle", " 60 ", 60.0),
        ("public_url", "", None),
        ("poll_first", "", 2.0),
    ],
)
def test_a_usable_value_is_taken_and_an_empty_one_is_not_set(name: str, raw: str, value: object) -> None:
    settings = load({variable(name): raw}, accounts_needed=False)
    assert plain(getattr(settings, name)) == value


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("order_size", "many", "not a whole number"),
        ("order_size", "1.5", "not a whole number"),
        ("order_size", "0", "at least 1"),
        ("order_size", "5001", "at most 5000"),
        ("numbers_burst", "nan", "finite"),
        ("numbers_per_minute", "-1", "at least 0"),
        ("http_timeout", "soon", "not a number"),
        ("http_timeout", "0", "more than 0"),
        ("redis_url", "http://h", "redis://"),
        ("redis_url", "sentinel://a:1", "master_name"),
        ("database_url", "postgres://h/n", r"postgresql\+psycopg://"),
        ("database_url", "sqlite://", "sqlite:///file"),
        ("database_url", "sqlite:///:memory:", "not memory"),
        ("dashboard_url", "dashboard.bandwidth.com", "https://"),
        ("catapult_url", "https://user:canary@h/v1", "without user"),
        ("public_url", "https://h/v1?key=canary", "without user"),
        ("fallback_url", "//user:canary@h", "https://"),
        ("dashboard_url", "https://user:canary\u2105@h", "https://"),
        ("redis_url", "redis://user:canary\u2105@h", "redis://"),
        ("inbound_url", "https://user:canary\u2105@h", "http://"),
        ("web_bind", "8080", "host:port"),
        ("web_bind", "127.0.0.1:99999", "host:port"),
        ("web_bind", "127.0.0.1:http", "host:port"),
        ("webhook_secret", "canary", "whsec_"),
        ("webhook_allow", "10.0.0.0/8, hooks.internal", "no spaces"),
        ("webhook_allow", "10.0.0.1/8", "networks"),
        ("webhook_allow", "10.0.0", "networks"),
        ("inbound_url", "hooks.example/canary", "http://"),
        ("inbound_url", "https://user:canary@hooks.example/", "without user"),
        ("webhook_secret", f"{WHSEC},whsec_*canary*", "whsec_"),
        ("webhook_secret", "whsec_YQ==", "24 to 64 bytes.*openssl rand"),
        ("webhook_secret", f"{WHSEC},whsec_{'AAAA' * 22}", "24 to 64 bytes"),
        ("webhook_secret", WHSEC.removeprefix("whsec_"), "whsec_"),
        ("flower_auth", "canary", "user:password"),
        ("log_level", "loud", "'DEBUG', 'INFO'"),
    ],
)
def test_an_unusable_value_is_refused_by_name_with_what_to_write(name: str, raw: str, says: str) -> None:
    (problem,) = problems({variable(name): raw}, accounts_needed=False)
    assert problem.startswith(variable(name))
    assert re.search(says, problem)
    assert "canary" not in problem


def test_all_problems_are_listed_at_once(account: dict[str, str], tmp_path: Path) -> None:
    del account["TNIMPORT_CATAPULT_USER_ID"]
    wrong = {
        "TNIMPORT_REDSI_URL": "redis://h",
        "TNIMPORT_HTTP_TIMEOUT": "120",
        "TNIMPORT_POLL_FIRST": "400",
        "TNIMPORT_ORDER_SIZE": "x",
        "TNIMPORT_WEB_BIND": "0.0.0.0:8080",
        "TNIMPORT_FLOWER_BIND": "0.0.0.0:5555",
        "TNIMPORT_CALLBACK_SECRET_FILE": str(tmp_path / "nowhere"),
    }
    said = problems(account | wrong)
    for part in (
        "did you mean TNIMPORT_REDIS_URL?",
        "smaller than TNIMPORT_CLAIM_SECONDS",
        "greater than TNIMPORT_POLL_MAX",
        "TNIMPORT_ORDER_SIZE 'x' is not a whole number",
        "set TNIMPORT_API_KEYS_FILE",
        "set TNIMPORT_FLOWER_AUTH",
        "nowhere cannot be read (No such file or directory)",
        "lacks TNIMPORT_CATAPULT_USER_ID",
    ):
        assert len([problem for problem in said if part in problem]) == 1, part
    assert len(said) == 8
    assert "canary" not in "\n".join(said)


def test_a_check_between_settings_waits_until_each_is_fine_by_itself() -> None:
    (problem,) = problems({"TNIMPORT_HTTP_TIMEOUT": "500", "TNIMPORT_CLAIM_SECONDS": "x"}, accounts_needed=False)
    assert problem.startswith("TNIMPORT_CLAIM_SECONDS")


def test_a_variable_like_no_other_is_refused_too() -> None:
    (problem,) = problems({"TNIMPORT_QQQQQQQ": "1"}, accounts_needed=False)
    assert "docs/settings.md" in problem


@pytest.mark.parametrize("name", ["TNIMPORT_URL", "TNIMPORT_API_KEY", "PATH", "CELERY_BROKER_URL"])
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert load({name: "x"}, accounts_needed=False)


def test_exactly_the_secrets_can_be_kept_in_files() -> None:
    assert Settings.secret_fields() == SECRETS.keys()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_read_from_a_file_without_the_space_around_it(
    name: str, account: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(f"  {SECRETS[name]}\n")
    needed = account | {"TNIMPORT_WEBHOOK_SECRET": WHSEC}
    needed.pop(variable(name), None)
    settings = load(needed | {variable(name) + "_FILE": str(tmp_path / "secret")})
    assert plain(getattr(settings, name)) == SECRETS[name]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_given_twice_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    given = {variable(name): "canary", variable(name) + "_FILE": str(tmp_path / "secret")}
    (problem,) = problems(given, accounts_needed=False)
    assert "both set" in problem
    assert "canary" not in problem


@pytest.mark.parametrize(("content", "says"), [(b"", "is empty"), (b"\xff\xfe", "not text")])
def test_a_secret_file_without_a_secret_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(content)
    (problem,) = problems({"TNIMPORT_CALLBACK_SECRET_FILE": str(tmp_path / "secret")}, accounts_needed=False)
    assert says in problem


def test_a_setting_that_is_no_secret_has_no_file() -> None:
    (problem,) = problems({"TNIMPORT_SITE_ID_FILE": "x"}, accounts_needed=False)
    assert "TNIMPORT_SITE_ID" in problem


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load({}, accounts_needed=False).order_size = 1


def test_nothing_printed_of_the_settings_shows_a_secret(account: dict[str, str]) -> None:
    given = {variable(name): value for name, value in SECRETS.items()} | account
    settings = load(given)
    for shown in (repr(settings), str(settings), str(settings.describe()), repr(settings.accounts)):
        assert "canary" not in shown
        assert "whsec_" not in shown
    assert settings.describe()["redis_url"] == "redis://h:6379/1"
    assert settings.describe()["accounts"] == "default"


def test_every_secret_is_handed_to_the_mask_in_every_form(account: dict[str, str]) -> None:
    given = {
        "TNIMPORT_REDIS_URL": "redis://:red%40is@h:6379/1",
        "TNIMPORT_DATABASE_URL": "postgresql+psycopg://u:data@h/n",
        "TNIMPORT_WEBHOOK_SECRET": f"{WHSEC},{WHSEC[:-2]}Mz",
        "TNIMPORT_FLOWER_AUTH": "someone:flowerpot",
        "TNIMPORT_CALLBACK_SECRET": "callback",
        "TNIMPORT_INBOUND_URL": "https://hooks.example/in?token=of-theirs",
    }
    secrets = load(account | given).secrets()
    basic = "d2lsZUNveW90ZTpjYW5hcnktZGFzaGJvYXJkLXBhc3N3b3Jk"
    assert secrets >= {
        "red%40is",
        "red@is",
        "data",
        WHSEC,
        f"{WHSEC[:-2]}Mz",
        "flowerpot",
        "callback",
        basic,
        "token=of-theirs",
    }
    assert secrets >= {"canary-dashboard-password", "canary-catapult-secret", "t-canary-token"}
    assert not secrets & {"redis://:red%40is@h:6379/1", "wileCoyote", "9999999"}


def test_webhook_secrets_come_in_the_order_given() -> None:
    settings = load({"TNIMPORT_WEBHOOK_SECRET": f"{WHSEC},{OLDER}"}, accounts_needed=False)
    assert settings.webhook_secrets == (WHSEC, OLDER)
    assert load({}, accounts_needed=False).webhook_secrets == ()


def test_what_webhooks_may_reach_beside_the_public_internet_is_a_list() -> None:
    settings = load({"TNIMPORT_WEBHOOK_ALLOW": "10.1.0.0/16,::1,hooks.internal,localhost"}, accounts_needed=False)
    assert settings.webhook_allowed == ("10.1.0.0/16", "::1", "hooks.internal", "localhost")
    assert load({}, accounts_needed=False).webhook_allowed == ()


def test_an_address_is_logged_without_its_query(account: dict[str, str]) -> None:
    given = {"TNIMPORT_INBOUND_URL": "https://hooks.example/in?token=t", "TNIMPORT_WEBHOOK_SECRET": WHSEC}
    assert load(account | given).describe()["inbound_url"] == "https://hooks.example/in?…"


def test_addresses_come_as_host_and_port() -> None:
    settings = load({"TNIMPORT_WEB_BIND": "[::1]:80", "TNIMPORT_FLOWER_BIND": "localhost:81"}, accounts_needed=False)
    assert settings.web_address == ("::1", 80)
    assert settings.flower_address == ("localhost", 81)


def test_the_file_of_keys_need_not_exist_yet_but_its_folder_must(tmp_path: Path) -> None:
    assert load({"TNIMPORT_API_KEYS_FILE": str(tmp_path / "keys")}, accounts_needed=False)
    (problem,) = problems({"TNIMPORT_API_KEYS_FILE": str(tmp_path / "no" / "keys")}, accounts_needed=False)
    assert "does not exist" in problem
    (problem,) = problems({"TNIMPORT_API_KEYS_FILE": str(tmp_path)}, accounts_needed=False)
    assert "cannot be read" in problem


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("", "holds no certificate"),
        ("canary", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n", "holds no certificate"),
    ],
)
def test_a_file_of_certificates_must_hold_one(content: str | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    (problem,) = problems({"TNIMPORT_CA_FILE": str(path)}, accounts_needed=False)
    assert problem.startswith(f"TNIMPORT_CA_FILE: {path} {says}")
    assert "canary" not in problem


def test_a_folder_is_no_file_of_certificates(tmp_path: Path) -> None:
    (problem,) = problems({"TNIMPORT_CA_FILE": str(tmp_path)}, accounts_needed=False)
    assert "cannot be read (Is a directory)" in problem
