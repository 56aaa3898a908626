"""One call on its way through the carrier, and what answers it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from sandbox.accounts import Account
from sandbox.carrier import Carrier
from sandbox.wire.message import Request, Response


@dataclass(slots=True, kw_only=True)
class Call:
    """A request whose caller is known and whose place in an API is found."""

    carrier: Carrier
    request: Request
    route: "Route"
    account: Account
    params: dict[str, str] = field(default_factory=dict)  # from the path, unescaped

    def query(self) -> dict[str, str]:
        """The query parameters, the first value of each."""
        return {name: values[0] for name, values in parse_qs(self.request.query).items()}


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: its method, path below the API's root, handler and limit; the name is used in logs and faults."""

    name: str
    method: str
    path: str
    handler: Handler
    lane: str
