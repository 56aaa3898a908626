"""The settings of the process, all of them environment variables that begin with SANDBOX_."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from sandbox.accounts import SECOND_ACCOUNT, Account, sites_of
from sandbox.digits import whole
from sandbox.switches import Switches, from_environment

_LAST_PORT: Final = 65535
_DEFAULTS: Final = {
    "SANDBOX_HOST": "127.0.0.1",
    "SANDBOX_PORT": "8900",
    "SANDBOX_ACCOUNT_ID": "9999999",
    "SANDBOX_USERNAME": "wileCoyote",
    "SANDBOX_PASSWORD": "catchThatBird",
    "SANDBOX_USER_ID": "u-1",
    "SANDBOX_TOKEN": "t-1",
    "SANDBOX_SECRET": "s-1",
    "SANDBOX_SITE_ID": "743",
    "SANDBOX_SIP_PEER_ID": "303716",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to listen, who may call, how to behave."""

    host: str
    port: int
    accounts: tuple[Account, ...]
    switches: Switches


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment asks for; ValueError says what in it does not fit."""
    known = _DEFAULTS.keys() | {f"SANDBOX_{item.name.upper()}" for item in fields(Switches)}
    unknown = sorted(name for name in environment if name.startswith("SANDBOX_") and name not in known)
    if unknown:
        raise ValueError(f"no such setting: {', '.join(unknown)}")
    values = _DEFAULTS | {name: environment[name] for name in _DEFAULTS.keys() & environment.keys()}
    for name in ("SANDBOX_PORT", "SANDBOX_SITE_ID", "SANDBOX_SIP_PEER_ID"):
        given = whole(values[name])
        if given is None or (name == "SANDBOX_PORT" and given > _LAST_PORT):
            raise ValueError(f"{name} must be a number" + (f" up to {_LAST_PORT}" if name == "SANDBOX_PORT" else ""))
    return Settings(
        host=values["SANDBOX_HOST"],
        port=int(values["SANDBOX_PORT"]),
        accounts=(_first_account(values), SECOND_ACCOUNT),
        switches=from_environment(environment),
    )


def _first_account(values: Mapping[str, str]) -> Account:
    return Account(
        account_id=values["SANDBOX_ACCOUNT_ID"],
        username=values["SANDBOX_USERNAME"],
        password=values["SANDBOX_PASSWORD"],
        user_id=values["SANDBOX_USER_ID"],
        token=values["SANDBOX_TOKEN"],
        secret=values["SANDBOX_SECRET"],
        sites=sites_of(values["SANDBOX_SITE_ID"], values["SANDBOX_SIP_PEER_ID"]),
    )
