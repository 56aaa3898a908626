"""What one account of a deployment is made of, wherever it is set."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from config import kinds

NEEDED = (
    "account_id",
    "dashboard_username",
    "dashboard_password",
    "catapult_user_id",
    "catapult_token",
    "catapult_secret",
)
SECRET = frozenset({"dashboard_password", "catapult_token", "catapult_secret"})


class AccountTable(BaseModel):
    """One account with its secrets; a value is of the same kind as the setting of that name."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    account_id: kinds.Text
    dashboard_username: kinds.Text
    dashboard_password: Annotated[kinds.Text, Field(repr=False)]
    catapult_user_id: kinds.Text
    catapult_token: Annotated[kinds.Text, Field(repr=False)]
    catapult_secret: Annotated[kinds.Text, Field(repr=False)]
    site_id: str | None
    sip_peer_id: str | None
    application_id: str | None
    numbers_per_minute: kinds.Pace
    numbers_burst: kinds.Pace
    messages_per_second: kinds.Pace
    applications_per_second: kinds.Pace
    lookups_per_second: kinds.Pace
    dashboard_per_second: kinds.Pace
    order_size: kinds.OrderSize
    order_settle: kinds.Seconds
    poll_first: kinds.Seconds
    poll_max: kinds.Seconds
    inbound_url: Annotated[Annotated[str, AfterValidator(kinds.receiver_url)] | None, Field(repr=False)]
    inbound_task: str | None
    inbound_queue: str | None
    verify_seconds: kinds.Seconds
    verify_partner: kinds.OwnNumber | None


PLACES = ("site_id", "sip_peer_id", "application_id", "verify_partner")
INBOUND = ("inbound_url", "inbound_task", "inbound_queue")
# What is not shown when it is wrong.
HIDDEN = frozenset(name for name, field in AccountTable.model_fields.items() if not field.repr)
LIMITS = tuple(name for name in AccountTable.model_fields if name not in {*NEEDED, *PLACES, *INBOUND})


def plain(value: SecretStr | str | None) -> str | None:
    """A value of the settings as it is put into a table."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value
