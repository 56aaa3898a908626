"""The environment of a whole stack on one machine: its folder, its ports, and the sandbox instead of Bandwidth."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from itertools import chain, count, islice
from pathlib import Path

from config.reading import PREFIX

SANDBOX_ACCOUNT = {
    "ACCOUNT_ID": "9999999",
    "DASHBOARD_USERNAME": "wileCoyote",
    "DASHBOARD_PASSWORD": "catchThatBird",
    "CATAPULT_USER_ID": "u-1",
    "CATAPULT_TOKEN": "t-1",
    "CATAPULT_SECRET": "s-1",
    "SITE_ID": "743",
    "SIP_PEER_ID": "303716",
}
"""The sandbox's documented credentials: they open nothing but the sandbox."""
SANDBOX_WEBHOOKS = {"WEBHOOK_SECRET": "whsec_dGhlIHNhbmRib3gncyBvd24gc2VjcmV0", "WEBHOOK_ALLOW": "127.0.0.0/8"}
"""What webhooks of a stack with the sandbox are signed with, and that they may be sent to this machine."""
UNLIMITED = (
    "NUMBERS_PER_MINUTE",
    "MESSAGES_PER_SECOND",
    "APPLICATIONS_PER_SECOND",
    "LOOKUPS_PER_SECOND",
    "DASHBOARD_PER_SECOND",
)
REAL_ONLY = ("ACCOUNTS_FILE", "DASHBOARD_PASSWORD_FILE", "CATAPULT_TOKEN_FILE", "CATAPULT_SECRET_FILE")
WEB, FLOWER, REDIS, SANDBOX = 8080, 5555, 6379, 8900
LOWEST, PORTS, STRETCH = 16_384, 16_384, 64
"""Where free ports are looked for: below those that systems give to outgoing connections, so that none of these takes
a port between its choice and its use. Each process begins at a stretch of its own."""


def wants_sandbox(environ: Mapping[str, str]) -> bool:
    """Whether the stack talks to the sandbox; `SANDBOX=0` means the real APIs."""
    return environ.get("SANDBOX", "1") != "0"


def embeds_redis(environ: Mapping[str, str]) -> bool:
    """Whether the stack brings its own Redis-protocol server, as it does where no broker is set."""
    return not any(environ.get(f"{PREFIX}REDIS_URL{suffix}") for suffix in ("", "_FILE"))


def local_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of the stack's processes: what is set stays, what is not lives in the folder.

    Ports are those that are set or usual, or free ones where these are taken, so that two stacks can run at once.
    With the sandbox, addresses and credentials of Bandwidth are replaced whatever is set.
    """
    made = dict(environ)
    made["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    made["PYTHONUNBUFFERED"] = "1"
    made["STACK_FOLDER"] = str(folder)
    if embeds_redis(environ):
        made["REDIS_PORT"] = str(free_port(int(environ.get("REDIS_PORT") or REDIS)))
        made[PREFIX + "REDIS_URL"] = f"redis://127.0.0.1:{made['REDIS_PORT']}/0"
    if not any(environ.get(f"{PREFIX}DATABASE_URL{suffix}") for suffix in ("", "_FILE")):
        made[PREFIX + "DATABASE_URL"] = f"sqlite:///{folder / 'ledger.db'}"
    made[PREFIX + "WEB_BIND"] = _bind(environ.get(PREFIX + "WEB_BIND"), WEB)
    made[PREFIX + "FLOWER_BIND"] = _bind(environ.get(PREFIX + "FLOWER_BIND"), FLOWER)
    return _with_sandbox(made) if wants_sandbox(environ) else made


def free_port(wished: int = 0) -> int:
    """Return the port that is wished for if it is free on loopback, else one that is, each time another one."""
    for port in chain([wished] if wished else [], islice(_candidates, PORTS)):
        if _is_free(port):
            return port
    raise OSError("no port is free on 127.0.0.1")


def _ports() -> Iterator[int]:
    for step in count(os.getpid() * STRETCH):
        yield LOWEST + step % PORTS


_candidates = _ports()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _bind(wished: str | None, usual: int) -> str:
    host, _, port = (wished or f"127.0.0.1:{usual}").rpartition(":")
    return f"{host}:{free_port(int(port))}"


def _with_sandbox(made: dict[str, str]) -> dict[str, str]:
    port = free_port(int(made.get("SANDBOX_PORT") or SANDBOX))
    own = {
        **SANDBOX_ACCOUNT,
        "DASHBOARD_URL": f"http://127.0.0.1:{port}/api",
        "CATAPULT_URL": f"http://127.0.0.1:{port}/v1",
        "PUBLIC_URL": f"http://{made[PREFIX + 'WEB_BIND']}",
    }
    kept = {name: value for name, value in made.items() if name.removeprefix(PREFIX) not in REAL_ONLY}
    paces = {PREFIX + name: made.get(PREFIX + name) or "0" for name in UNLIMITED}
    unsigned = not any(made.get(f"{PREFIX}WEBHOOK_{name}") for name in ("SECRET", "SECRET_FILE", "ALLOW"))
    webhooks = {PREFIX + name: value for name, value in SANDBOX_WEBHOOKS.items() if unsigned}
    return (
        kept
        | paces
        | webhooks
        | {PREFIX + name: value for name, value in own.items()}
        | {
            "SANDBOX_PORT": str(port),
            "SANDBOX_RATE_LIMITS": made.get("SANDBOX_RATE_LIMITS") or "0",
        }
    )
