"""The kinds of value a setting may have: each accepts what is usable and says what to write instead."""

import base64
import binascii
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo

from tnimport.domain.telephone import Telephone, parse, to_e164

USER_INFO = re.compile(r"(?<=//)[^/?#\s]*@|(?<=;sentinel://)[^/?#\s;]*@")
STARS = "**********"
KEY_BYTES = range(24, 65)  # of a secret that signs, as Standard Webhooks has it
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def _redis_url(value: SecretStr) -> SecretStr:
    scheme = _split(value.get_secret_value()).scheme
    if scheme not in {"redis", "rediss", "sentinel", "redis+socket"}:
        raise ValueError("write redis://host:6379/0, rediss://…, redis+socket:///path or sentinel://…")
    if scheme == "sentinel" and "master_name=" not in value.get_secret_value():
        raise ValueError("name the group of servers: sentinel://a:26379;sentinel://b:26379/0?master_name=…")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///") and ":memory:" not in url:
        return value
    if url.startswith("postgresql+psycopg://"):
        return value
    raise ValueError(
        "write postgresql+psycopg://user@host/name, or sqlite:///file for one machine (a file, not memory)"
    )


def _split(value: str) -> SplitResult:
    """The parts of a URL; none of what cannot be split, since urllib's own complaint repeats user and password."""
    try:
        return urlsplit(value)
    except ValueError:
        return urlsplit("")


def _http_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write http://… or https://… with a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("write it without user, password, ? and #")
    return value.rstrip("/")


def _bind(value: str) -> str:
    try:
        host, port = host_and_port(value)
    except ValueError:
        host, port = "", 0
    if not host or not 0 < port < 65536:  # noqa: PLR2004 - the highest port
        raise ValueError("write host:port, for instance 127.0.0.1:8080 or [::1]:8080")
    return value


def _webhook_secrets(value: SecretStr) -> SecretStr:
    for secret in value.get_secret_value().split(","):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if not secret.startswith("whsec_") or len(key) not in KEY_BYTES:
            how = 'make one with: echo "whsec_$(openssl rand -base64 32)"; several with commas, no spaces'
            raise ValueError(f"write whsec_ and base64 of 24 to 64 bytes; {how}")
    return value


def _receiver_url(value: SecretStr) -> SecretStr:
    receiver_url(value.get_secret_value())
    return value


def receiver_url(value: str) -> str:
    """An address that webhooks are sent to; its query may hold a secret of the receiver's."""
    parts = _split(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not re.fullmatch(r"[!-~]{1,2048}", value):
        raise ValueError("write http://… or https://… with a host, at most 2,048 characters")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("write it without user, password and #")
    return value


def _reachable(value: str) -> str:
    for entry in value.split(","):
        try:
            ip_network(entry)
        except ValueError:
            if not _HOST.fullmatch(entry) or entry.replace(".", "").isdigit():
                raise ValueError(
                    "write networks (10.1.0.0/16) and host names, several with commas, no spaces"
                ) from None
    return value


def _user_and_password(value: SecretStr) -> SecretStr:
    user, _, password = value.get_secret_value().partition(":")
    if not user or not password:
        raise ValueError("write user:password")
    return value


def _own_number(value: str) -> str:
    read = parse(value)
    if not isinstance(read, Telephone):
        raise ValueError(f"write a number as +19195551234. {read.detail}")  # noqa: TRY004 - pydantic wants ValueError
    return to_e164(read.number)


Pace = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
OrderSize = Annotated[int, Field(ge=1, le=5000)]
Text = Annotated[str, Field(min_length=1)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Bind = Annotated[str, AfterValidator(_bind)]
ReceiverUrl = Annotated[SecretStr, AfterValidator(_receiver_url)]
Reachable = Annotated[str, AfterValidator(_reachable)]
OwnNumber = Annotated[str, AfterValidator(_own_number)]
WebhookSecrets = Annotated[SecretStr, AfterValidator(_webhook_secrets)]
UserAndPassword = Annotated[SecretStr, AfterValidator(_user_and_password)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)]


def host_and_port(bind: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host stands in brackets and comes back without them."""
    host, _, port = bind.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(bind: str) -> bool:
    """Whether only this machine reaches that address."""
    host, _ = host_and_port(bind)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def holds_secret(field: FieldInfo) -> bool:
    """Whether a field's value may hold a secret, by its annotation."""
    pending: list[object] = [field.annotation]
    while pending:
        annotation = pending.pop()
        if annotation is SecretStr:
            return True
        pending += get_args(annotation)
    return False


def shown(value: object) -> str | int | float | None:
    """A setting as it may be logged: a URL without user-info, any other secret as stars."""
    if isinstance(value, SecretStr):
        plain = value.get_secret_value()
        return USER_INFO.sub("", _without_query(plain)) if "://" in plain else STARS
    return str(value) if isinstance(value, Path) else value  # type: ignore[return-value]  # no other kinds exist


def _without_query(url: str) -> str:
    """An HTTP address without its query; in the addresses of databases and brokers it holds options."""
    bare, query, _ = url.partition("?")
    return f"{bare}?…" if query and url.startswith("http") else url


def secret_forms(value: str) -> frozenset[str]:
    """The parts of a secret setting that must never be seen: a URL's passwords, else each value of the list.

    Of an HTTP address it is the query.
    """
    if value.startswith(("http://", "https://")):
        return frozenset({query} if (query := urlsplit(value).query) else ())
    if "://" not in value:
        return frozenset({value, *(value.split(",") if value.startswith("whsec_") else ())})
    passwords = [found.rstrip("@").partition(":")[2] for found in USER_INFO.findall(value)]
    return frozenset(form for password in passwords for form in (password, unquote(password)) if form)
