"""Every setting of a deployment, read once at boot: nothing else reads the service's `TNIMPORT_*` variables.

`load` promises settings in which every value is usable, or one `SettingsProblem` that lists everything that is wrong.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import kinds
from config.accounts import AccountAccess, read_accounts
from config.checks import cross_check
from config.kinds import OrderSize, Pace, Seconds, Text
from config.reading import PREFIX, Problem, SettingsProblem, explain, read_environment


class Settings(BaseSettings):
    """The settings of one deployment; immutable, and safe to print: secrets show as stars."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, hide_input_in_errors=True)

    redis_url: kinds.RedisUrl = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="The broker; `rediss://`, `sentinel://a:26379;sentinel://b:26379/0?master_name=…` and "
        "password URLs work too.",
    )
    database_url: kinds.DatabaseUrl = Field(
        SecretStr("sqlite:///var/ledger.db"),
        description="The ledger; `postgresql+psycopg://…` on servers.",
    )
    dashboard_url: kinds.HttpUrl = Field(
        "https://dashboard.bandwidth.com/api",
        description="Base of the Dashboard API; `/accounts/…` is appended.",
    )
    catapult_url: kinds.HttpUrl = Field(
        "https://api.catapult.inetwork.com/v1",
        description="Base of the Communication API; `/users/…` is appended.",
    )
    account_id: Text | None = Field(None, description="Dashboard account number of the account named `default`.")
    dashboard_username: Text | None = Field(None, description="Dashboard user of the account named `default`.")
    dashboard_password: SecretStr | None = Field(None, description="Password of that Dashboard user.")
    catapult_user_id: Text | None = Field(None, description="Catapult user id (`u-…`) of the account `default`.")
    catapult_token: SecretStr | None = Field(None, description="Catapult API token (`t-…`) of that user.")
    catapult_secret: SecretStr | None = Field(None, description="Catapult API secret of that user.")
    accounts_file: Path | None = Field(
        None,
        description="A TOML file of several named accounts, each with the six values above and its own limits.",
    )
    order_size: OrderSize = Field(1000, description="Most numbers in one externalTns order.")
    numbers_per_minute: Pace = Field(100, description="Pace of POST phoneNumbers per account; `0` = no limit.")
    numbers_burst: Pace = Field(800, description="How many POST phoneNumbers an idle account may burst.")
    messages_per_second: Pace = Field(1, description="Pace of POST messages per account; `0` = no limit.")
    applications_per_second: Pace = Field(
        1, description="Pace of the applications endpoint per account; `0` = no limit."
    )
    lookups_per_second: Pace = Field(10, description="Pace of Catapult GETs per account; `0` = no limit.")
    dashboard_per_second: Pace = Field(1, description="Pace of Dashboard calls per account; `0` = no limit.")
    poll_first: Seconds = Field(2, description="Seconds from an order's acceptance to the first look at it.")
    poll_max: Seconds = Field(300, description="Seconds: the longest wait between two looks at an order.")
    ca_file: Path | None = Field(
        None,
        description="A PEM file of the certificates that are trusted when Bandwidth and receivers of webhooks are "
        "called, in the place of the usual ones.",
    )
    http_timeout: Seconds = Field(30, description="Seconds for one call to Bandwidth, in all.")
    api_keys_file: Path | None = Field(
        None, description="Hashed keys for the HTTP API; without it, it listens on loopback only."
    )
    order_settle: Seconds = Field(900, description="Seconds for which an order with a lost answer may still appear.")
    claim_seconds: Seconds = Field(120, description="Seconds for which one run may hold its work.")
    retention_days: float = Field(
        30,
        ge=0,
        allow_inf_nan=False,
        description="Days for which finished imports, refusals, messages (in and out) and webhooks are kept; then they "
        "and their keys are forgotten. `0` = for ever.",
    )
    verify_seconds: Seconds = Field(
        600, description="Seconds that a message has to arrive which proves an imported number."
    )
    verify_partner: kinds.OwnNumber | None = Field(
        None,
        description="A number imported on the account `default` that proves a number which is verified alone.",
    )
    site_id: Text | None = Field(None, description="Default site of the account `default`.")
    sip_peer_id: Text | None = Field(None, description="Default SIP peer of the account `default`.")
    application_id: Text | None = Field(None, description="Default application (`a-…`) of the account `default`.")
    public_url: kinds.HttpUrl | None = Field(None, description="Where Bandwidth reaches our callbacks.")
    fallback_url: kinds.HttpUrl | None = Field(
        None,
        description="Where Bandwidth turns with messages when `TNIMPORT_PUBLIC_URL` fails: a second way to a web "
        "process.",
    )
    callback_timeout: Annotated[float, Field(ge=0.001, le=10)] | None = Field(
        None, description="Seconds that Bandwidth waits for our answer to a message before that; its own default is 10."
    )
    order_notifications: bool = Field(
        True,  # noqa: FBT003 - a default
        description="Whether the Dashboard is asked to tell `TNIMPORT_PUBLIC_URL` of ended orders, which are then "
        "polled less; without that address it is not.",
    )
    callback_secret: SecretStr | None = Field(
        None,
        description="User-info password that inbound callbacks must present; by default an HMAC of the "
        "Catapult secret.",
    )
    webhook_secret: kinds.WebhookSecrets | None = Field(
        None, description="Signs our webhooks (`whsec_…` of 24 to 64 bytes; several, comma-separated, for rotation)."
    )
    max_body: Annotated[int, Field(ge=1024)] = Field(
        268_435_456, description="Most bytes of the body of a request, counted as sent and again as unpacked."
    )
    max_rows: Annotated[int, Field(ge=1)] = Field(2_000_000, description="Most rows of one import by HTTP.")
    webhook_allow: kinds.Reachable | None = Field(
        None,
        description="Networks and host names outside the public internet that webhooks may be sent to, "
        "comma-separated (`10.1.0.0/16,hooks.internal`); without it, none.",
    )
    inbound_url: kinds.ReceiverUrl | None = Field(
        None, description="Where messages that come in, and receipts, are handed on as signed webhooks."
    )
    inbound_task: Text | None = Field(
        None, description="Name of a Celery task that they are handed on to, on the queue of `TNIMPORT_INBOUND_QUEUE`."
    )
    inbound_queue: Text | None = Field(None, description="The queue of that task, on the same broker.")
    web_bind: kinds.Bind = Field("127.0.0.1:8080", description="Address of the web process.")
    flower_bind: kinds.Bind = Field("127.0.0.1:5555", description="Address of Flower.")
    flower_auth: kinds.UserAndPassword | None = Field(
        None, description="`user:password` for Flower; without it, Flower listens on loopback only."
    )
    pin_workers: bool = Field(
        default=True,
        description="Keep each worker process on a CPU of its own: its threads share one anyway, and cost half as much "
        "there. `0` = wherever the system likes.",
    )
    log_level: kinds.LogLevel = Field("INFO", description="Least level that is logged.")

    accounts: Mapping[str, AccountAccess] = Field(
        default_factory=dict, description="Every usable account by name; made by `load`.", repr=False
    )
    made_by_load: ClassVar[frozenset[str]] = frozenset({"accounts"})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's, here and below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` passes in: the environment is an argument, never reached for."""
        return (init_settings,)

    @classmethod
    def environment_fields(cls) -> list[str]:
        """The names of the fields that have a variable, in the order of the documentation."""
        return [name for name in cls.model_fields if name not in cls.made_by_load]

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        """Fields that may hold a secret; each can also be given as `…_FILE`."""
        return frozenset(name for name in cls.environment_fields() if kinds.holds_secret(cls.model_fields[name]))

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets, the first of which signs and all of which are valid."""
        return tuple(self.webhook_secret.get_secret_value().split(",")) if self.webhook_secret else ()

    @property
    def webhook_allowed(self) -> tuple[str, ...]:
        """The networks and hosts outside the public internet that webhooks may be sent to."""
        return tuple(self.webhook_allow.split(",")) if self.webhook_allow else ()

    @property
    def web_address(self) -> tuple[str, int]:
        """Host and port of the web process."""
        return kinds.host_and_port(self.web_bind)

    @property
    def flower_address(self) -> tuple[str, int]:
        """Host and port of Flower."""
        return kinds.host_and_port(self.flower_bind)

    def describe(self) -> dict[str, str | int | float | None]:
        """Every setting as it may be logged: secrets as stars, URLs without user-info, accounts by name."""
        shown = {name: kinds.shown(getattr(self, name)) for name in self.environment_fields()}
        return {**shown, "accounts": ", ".join(sorted(self.accounts)) or None}

    def secrets(self) -> frozenset[str]:
        """Every secret value of this deployment in every form that is sent anywhere, for the log's mask."""
        own = [value.get_secret_value() for name in self.secret_fields() if (value := getattr(self, name))]
        forms = {form for value in own for form in kinds.secret_forms(value)}
        if self.flower_auth:
            forms.add(self.flower_auth.get_secret_value().partition(":")[2])
        return frozenset(forms.union(*(access.secrets() for access in self.accounts.values())))


def load(environ: Mapping[str, str], *, accounts_needed: bool = True) -> Settings:
    """Return the settings of this environment.

    Args:
        environ: the variables of the process; an empty value counts as not set.
        accounts_needed: whether it is a problem that no account at all is set.

    Raises:
        SettingsProblem: with every problem at once, each with what to do about it. No secret is in its text.
    """
    fields, secrets = Settings.environment_fields(), Settings.secret_fields()
    given, problems = read_environment(environ, fields, secrets)
    draft, wrong = _draft(given)
    problems += wrong
    usable = frozenset(fields) - {problem.field for problem in problems}
    problems += cross_check(draft, usable)
    accounts, wrong = read_accounts(draft, usable, needed=accounts_needed)
    problems += wrong
    if problems:
        raise SettingsProblem(problems)
    return draft.model_copy(update={"accounts": accounts})


def _draft(given: dict[str, str]) -> tuple[Settings, list[Problem]]:
    """Settings of the values that are fine by themselves, and what is wrong with the others."""
    try:
        return Settings.model_validate(given), []
    except ValidationError as error:
        wrong = explain(error, Settings.secret_fields())
    faulty = {problem.field for problem in wrong}
    return Settings.model_validate({field: given[field] for field in given.keys() - faulty}), wrong
