"""Who calls back: the carrier, which presents the secret of the account's callback URL by Basic authentication."""

import base64
import hmac
import logging
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse

from tnimport.domain.accounts import Account
from tnimport.web.deps import WebDeps
from tnimport.web.wire.problems import ProblemError

log = logging.getLogger(__name__)
PREFIX: Final = "/callbacks/"
REALM: Final = 'realm="tnimport callbacks"'
_CHALLENGE: Final = f'Basic {REALM}, charset="UTF-8"'
_NOBODYS: Final = secrets.token_hex(32)


def admitted(deps: WebDeps, request: Request, account: str) -> Account:
    """The account that is called; an unknown one is answered like a wrong password, in the same time.

    The first call may come without any password: the answer is the challenge that the carrier waits for.
    """
    presented = _password(request.headers.getlist("authorization"))
    held = deps.accounts.get(account)
    right = _matches(presented, deps.callback_secrets, account)
    if held is None or not right:
        if presented is not None and held is not None:
            # Whoever has an old secret is heard of; guesses at names are not.
            log.warning("callback_refused", extra={"account": held.name})
        raise ProblemError("callback-refused", headers={"WWW-Authenticate": _CHALLENGE})
    return held


def _matches(presented: str | None, known: Mapping[str, str], account: str) -> bool:
    """In constant time. Whoever takes user-info out of a URL may leave it percent-encoded: both forms are right."""
    secret = known.get(account) or _NOBODYS
    given = (presented or "").encode("utf-8", "replace")
    plain = hmac.compare_digest(given, secret.encode())
    quoted = hmac.compare_digest(given, quote(secret, safe="").encode())
    return plain or quoted


def _password(headers: list[str]) -> str | None:
    kind, _, encoded = headers[0].strip().partition(" ") if len(headers) == 1 else ("", "", "")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return None


def proved(deps: WebDeps, request: Request, account: str) -> JSONResponse | None:
    """The answer to a probe, None where the request is none."""
    nonce = request.query_params.get("probe")
    return None if nonce is None else JSONResponse({"proof": proof(deps.callback_secrets[account], nonce)})


def proof(secret: str, nonce: str) -> str:
    """What only a process with this secret can answer to a nonce: so the doctor knows whom its call has reached."""
    return hmac.digest(secret.encode(), f"tnimport probe {nonce}".encode(), "sha256").hex()
