"""Who may come in: every request but those for health and documentation presents a key, where there are keys."""

import base64
import logging
from datetime import UTC, datetime
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tnimport.web.access import keys
from tnimport.web.access.keyring import Keyring
from tnimport.web.access.keys import Key, KeysUnreadableError
from tnimport.web.wire.problems import ProblemError

log = logging.getLogger(__name__)
ACCOUNTS: Final = "tnimport.accounts"  # of a request's scope: the accounts its key is bound to, None = all
METRICS: Final = "/metrics"
READY: Final = "/readyz"
_KNOWN: Final = "tnimport.known"  # of a request's scope: whether its caller may see what an open answer keeps back
_OPEN: Final = frozenset({"/livez", READY, "/openapi.json"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER: Final = 'Bearer realm="tnimport"'
_BASIC: Final = 'Basic realm="tnimport", charset="UTF-8"'


class Door:
    """ASGI middleware; without a keyring everybody may pass, and the process listens on loopback only."""

    def __init__(self, app: ASGIApp, keyring: Keyring | None) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] == "http" and self._keyring is not None and not _is_open(scope["path"]):
            try:
                scope[ACCOUNTS] = _admit(self._keyring, scope).accounts
            except ProblemError as problem:
                await problem.response(scope["path"])(scope, receive, send)
                return
        if scope["type"] == "http" and scope["path"] == READY:
            scope[_KNOWN] = self._keyring is None or _has_key(self._keyring, scope)
        await self._app(scope, receive, send)


def is_known(scope: Scope) -> bool:
    """Whether the caller of an open address may see details: everybody where there are no keys, else who has one."""
    return bool(scope.get(_KNOWN))


def _has_key(keyring: Keyring, scope: Scope) -> bool:
    if "authorization" not in Headers(scope=scope):
        return False
    try:
        _admit(keyring, scope)
    except ProblemError:
        return False
    return True


def _is_open(path: str) -> bool:
    # Callbacks present a secret of their own.
    return path in _OPEN or path.startswith(("/problems/", "/callbacks/"))


def _admit(keyring: Keyring, scope: Scope) -> Key:
    """The key of this request, if it has one that is enough."""
    method, path = scope["method"], scope["path"]
    token = token_of(Headers(scope=scope).getlist("authorization"), safe=method in _SAFE)
    try:
        key = keys.matching(keyring.keys(), token) if token else None
    except KeysUnreadableError as error:
        log.error("api_keys_unreadable", extra={"why": str(error)})  # noqa: TRY400 - the trace tells nothing more
        raise ProblemError("keys-unreadable", headers={"Retry-After": "5"}) from None
    if key is None:
        raise _unknown(path, presented=token is not None)
    if key.expired(datetime.now(UTC)):
        raise _refused(key, 401, "This key has expired.", f'{_BEARER}, error="invalid_token"')
    needed = keys.Scope.READ if method in _SAFE else keys.Scope.WRITE
    if not key.scope.includes(needed):
        detail = f"This key may {key.scope}; {method} needs the scope {needed}."
        raise _refused(key, 403, detail, f'{_BEARER}, error="insufficient_scope", scope="{needed}"')
    if path == METRICS and key.accounts is not None:
        raise _refused(key, 403, "This key is bound to accounts, and the metrics are of all of them.", _BEARER)
    return key


def token_of(headers: list[str], *, safe: bool) -> str | None:
    """The token that a request presents: Bearer, or the password of Basic, with which a browser can look."""
    if len(headers) != 1:
        return None
    kind, _, rest = headers[0].strip().partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    return _password(rest.strip()) if kind.lower() == "basic" and safe else None


def _password(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode("ascii").partition(":")[2]
    except ValueError:  # no base64, no text, or not even ASCII
        return None


def _unknown(path: str, *, presented: bool) -> ProblemError:
    challenge = f'{_BEARER}, error="invalid_token"' if presented else _BEARER
    if not path.startswith("/v1/"):
        challenge = f"{_BASIC}, {challenge}"  # a browser asks its person only for this one
    detail = "This key is not known, or was revoked." if presented else None
    if presented:
        log.warning("api_key_unknown", extra={"path": path})
    return ProblemError("key-missing", detail, headers={"WWW-Authenticate": challenge})


def _refused(key: Key, status: int, detail: str, challenge: str) -> ProblemError:
    log.warning("api_key_refused", extra={"key_id": key.id, "key_name": key.name, "why": detail})
    slug = "key-missing" if status == 401 else "key-not-enough"  # noqa: PLR2004 - HTTP's own number
    return ProblemError(slug, detail, headers={"WWW-Authenticate": challenge})
