"""Can Bandwidth call us? What we can see of it: whether our public addresses lead to this deployment.

The doctor calls as Bandwidth does: first without credentials, and with them only where our challenge came back. What is
answered then only a process with the same secret can know.
"""

import secrets
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import requests

from config.accounts import AccountAccess
from config.settings import Settings
from tnimport.domain.callbacks import MESSAGES, ORDERS, USER
from tnimport.web.carrier.callers import REALM, proof
from workers.checkups.finding import Finding, fault, misset, ok, warning

AREA: Final = "callbacks"
PUBLIC: Final = "TNIMPORT_PUBLIC_URL"
SECONDS: Final = 5.0
MEND: Final = "start the web process, mend the proxy in front of it, or set {name} right"
SECRET: Final = "give every process the same settings, and start the web process anew"  # noqa: S105 - an instruction


def check(settings: Settings) -> Iterator[Finding]:
    """Whether each address that Bandwidth is given is one of this deployment."""
    if settings.public_url is None:
        text = "there is no public address: orders are polled, and inbound messages do not arrive"
        yield warning(AREA, text, "set TNIMPORT_PUBLIC_URL to the address at which Bandwidth reaches the web process")
        return
    yield from _address(settings, settings.public_url, PUBLIC)
    if settings.fallback_url is not None:
        yield from _address(settings, settings.fallback_url, "TNIMPORT_FALLBACK_URL")


def _address(settings: Settings, base: str, name: str) -> Iterator[Finding]:
    here, there = _is_here(base), _is_here(settings.catapult_url)
    if here and not there:
        yield misset(AREA, f"{base} is this machine's own address, which Bandwidth cannot reach", f"set {name}")
    elif not here and base.startswith("http:"):
        yield warning(AREA, f"{base} is no https: messages and our secret pass in the clear", f"set {name} to https")
    for held in settings.accounts.values():
        paths = [MESSAGES, ORDERS] if held.account.orders_url and name == PUBLIC else [MESSAGES]
        for path in paths:
            yield _probed(f"{base}/callbacks/{held.account.name}{path}", held, MEND.format(name=name))


def _probed(url: str, held: AccountAccess, mend: str) -> Finding:
    nonce = secrets.token_hex(16)
    try:
        challenge = _get(url, nonce)
        if challenge.status_code != requests.codes.unauthorized or REALM not in challenge.headers.get(
            "WWW-Authenticate", ""
        ):
            return fault(AREA, f"{url} {_told(challenge)}", mend)
        answer = _get(url, nonce, (USER, held.callback_secret))
        if answer.status_code == requests.codes.unauthorized:
            return fault(AREA, f"{url} is answered by a web process that has another callback secret", SECRET)
        ours = answer.status_code == requests.codes.ok and _proves(answer, held.callback_secret, nonce)
    except requests.RequestException as error:
        return fault(AREA, f"{url} does not answer as our web process does ({type(error).__name__})", mend)
    return ok(AREA, f"{url} leads to us") if ours else fault(AREA, f"{url} {_told(answer)}", mend)


def _get(url: str, nonce: str, credentials: tuple[str, str] | None = None) -> requests.Response:
    # Not followed elsewhere: Bandwidth may not, and our secret is for this address.
    return requests.get(url, {"probe": nonce}, auth=credentials, timeout=SECONDS, allow_redirects=False)


def _proves(answer: requests.Response, secret: str, nonce: str) -> bool:
    try:
        said = answer.json()
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("proof") == proof(secret, nonce)


def _told(answer: requests.Response) -> str:
    if answer.is_redirect:
        return f"answers {answer.status_code}, and sends its callers elsewhere"
    return f"answers {answer.status_code}, and not as our web process does"


def _is_here(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
