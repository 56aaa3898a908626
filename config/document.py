"""Writes docs/settings.md from the settings class: `make settings`. A test holds the two together."""

from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.reading import CLIENT_ONLY, PREFIX, variable
from config.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
HEAD = """# Settings

Environment variables, read once at boot. An empty value counts as not set. A process with a missing or wrong setting
refuses to start and lists everything that is wrong. Where the last column says *or `_FILE`*, the value may instead be
kept in a file, whose path is given in the variable with `_FILE` at its end.

This page is written by `make settings` from `config/settings.py`.

| variable | default | meaning | secret |
| --- | --- | --- | --- |
"""
ACCOUNTS = """
## Several accounts

`TNIMPORT_ACCOUNTS_FILE` names a TOML file. What an account leaves out of its limits follows the variables
above; secrets may stand in files of their own (paths are relative to the TOML file). An `inbound_url` needs
`TNIMPORT_WEBHOOK_SECRET`. The place at Bandwidth (`site_id`,
`sip_peer_id`, `application_id`) and the `verify_partner` follow nothing: left out, there is none.

```toml
[accounts.north]
account_id = "9999999"
dashboard_username = "wileCoyote"
dashboard_password_file = "north-dashboard"
catapult_user_id = "u-1"
catapult_token_file = "north-token"
catapult_secret_file = "north-secret"
site_id = "743"            # optional, as are sip_peer_id and application_id
numbers_per_minute = 600   # optional, as are the other paces and numbers_burst,
poll_max = 600             # and order_size, order_settle, poll_first and verify_seconds
verify_partner = "+19195551234"              # optional: a number that is imported on this account
inbound_url = "https://hooks.example/north"  # optional, as are inbound_task and inbound_queue; "" = nowhere
```
"""
CLIENT = """
## The command line client

It reads these and none of the variables above.

| variable | default | meaning |
| --- | --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    fields = {name: Settings.model_fields[name] for name in Settings.environment_fields()}
    rows = [_row(name, field) for name, field in fields.items()]
    client = [f"| `{PREFIX}{name}` | {_code(usual)} | {text} |" for name, (usual, text) in CLIENT_ONLY.items()]
    return HEAD + "\n".join(rows) + "\n" + ACCOUNTS + CLIENT + "\n".join(client) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    secret = "or `_FILE`" if name in Settings.secret_fields() else ""
    return f"| `{variable(name)}` | {_code(field.default)} | {field.description} | {secret} |"


def _code(value: object) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    return "none" if plain is None else f"`{plain}`"


if __name__ == "__main__":
    PAGE.write_text(page())
