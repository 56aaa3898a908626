"""The two pairs of secrets of an account, in types that do not show them."""

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardCredentials:
    """Account and API user of the Dashboard (api-docs: HTTP Basic, both case sensitive)."""

    account_id: str
    username: str
    password: str = field(repr=False)

    def authorization(self) -> str:
        """Return the value of the `Authorization` header."""
        return _basic(self.username, self.password)

    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be shown, longest first."""
        return _shapes(self.password, self.authorization())


@dataclass(frozen=True, slots=True, kw_only=True)
class CatapultCredentials:
    """User, API token and API secret of the Communication API."""

    user_id: str
    token: str
    secret: str = field(repr=False)

    def authorization(self) -> str:
        """Return the value of the `Authorization` header."""
        return _basic(self.token, self.secret)

    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be shown, longest first."""
        return _shapes(self.secret, self.authorization())


def _basic(name: str, word: str) -> str:
    # RFC 7617: UTF-8, which for ASCII names and passwords is what every server expects.
    return "Basic " + b64encode(f"{name}:{word}".encode()).decode("ascii")


def _shapes(secret: str, authorization: str) -> tuple[str, ...]:
    """Return the secret as it may be echoed: plain, percent-encoded, and inside the Basic token."""
    shapes = {secret, quote(secret, safe=""), authorization, authorization.removeprefix("Basic ")}
    return tuple(sorted((shape for shape in shapes if shape), key=len, reverse=True))
