"""What must hold between settings that are each fine by themselves."""

import os
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from config.kinds import is_loopback
from config.reading import Problem

if TYPE_CHECKING:
    from config.settings import Settings


def cross_check(settings: "Settings", usable: frozenset[str]) -> list[Problem]:
    """Return what does not fit together; a check is left out while one of its own values is wrong by itself."""
    return [Problem(fields[0], text) for fields, check in CHECKS if usable >= set(fields) for text in check(settings)]


def _timeout(settings: "Settings") -> Iterator[str]:
    if settings.http_timeout >= settings.claim_seconds:
        yield (
            f"TNIMPORT_HTTP_TIMEOUT ({settings.http_timeout:g}) must be smaller than TNIMPORT_CLAIM_SECONDS "
            f"({settings.claim_seconds:g}): a call must end before its claim does"
        )


def _polls(settings: "Settings") -> Iterator[str]:
    first, most = ("TNIMPORT_POLL_FIRST", settings.poll_first), ("TNIMPORT_POLL_MAX", settings.poll_max)
    yield from poll_order(first, most)


def poll_order(first: tuple[str, float], most: tuple[str, float]) -> Iterator[str]:
    """What is wrong between the wait before an order's first look and the longest one, each with its name."""
    if first[1] > most[1]:
        yield f"{first[0]} ({first[1]:g}) must not be greater than {most[0]} ({most[1]:g})"


def _web(settings: "Settings") -> Iterator[str]:
    if settings.api_keys_file is None and not is_loopback(settings.web_bind):
        yield (
            f"TNIMPORT_WEB_BIND {settings.web_bind} is reached from other machines: set TNIMPORT_API_KEYS_FILE, "
            "or bind to 127.0.0.1"
        )


def _flower(settings: "Settings") -> Iterator[str]:
    if settings.flower_auth is None and not is_loopback(settings.flower_bind):
        yield (
            f"TNIMPORT_FLOWER_BIND {settings.flower_bind} is reached from other machines: set TNIMPORT_FLOWER_AUTH, "
            "or bind to 127.0.0.1"
        )


def _keys_file(settings: "Settings") -> Iterator[str]:
    # The file itself may not exist yet: `tnimport keys` makes it, and loads these settings to find out where.
    path = settings.api_keys_file
    if path is None:
        return
    if not path.parent.is_dir():
        yield f"TNIMPORT_API_KEYS_FILE: the folder {path.parent} does not exist"
    elif path.exists() and not (path.is_file() and os.access(path, os.R_OK)):
        yield f"TNIMPORT_API_KEYS_FILE: {path} cannot be read: mend the path or its permissions"


def _ca_file(settings: "Settings") -> Iterator[str]:
    path = settings.ca_file
    if path is None:
        return
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        path.read_bytes()
        trusted.load_verify_locations(path)
    except ssl.SSLError:
        pass
    except OSError as error:
        yield f"TNIMPORT_CA_FILE: {path} cannot be read ({error.strerror}): mend the path or its permissions"
        return
    if not trusted.cert_store_stats()["x509"]:
        yield f"TNIMPORT_CA_FILE: {path} holds no certificate that can be used: write them into it as PEM"


CHECKS: tuple[tuple[tuple[str, ...], Callable[["Settings"], Iterator[str]]], ...] = (
    (("http_timeout", "claim_seconds"), _timeout),
    (("poll_first", "poll_max"), _polls),
    (("web_bind", "api_keys_file"), _web),
    (("flower_bind", "flower_auth"), _flower),
    (("api_keys_file",), _keys_file),
    (("ca_file",), _ca_file),
)
