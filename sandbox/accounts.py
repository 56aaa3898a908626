"""Who may call: the accounts of the sandbox with their credentials, sites and SIP peers."""

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A SIP peer (in Bandwidth's words also a location)."""

    peer_id: str
    name: str
    is_default: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site (sub-account) with its SIP peers."""

    site_id: str
    name: str
    peers: tuple[Peer, ...] = ()

    @property
    def default_peer(self) -> Peer | None:
        """Where numbers go when an order names no peer."""
        return next((peer for peer in self.peers if peer.is_default), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One Dashboard account and the Catapult user that belongs to it."""

    account_id: str
    username: str
    password: str = field(repr=False)
    user_id: str
    token: str
    secret: str = field(repr=False)
    sites: tuple[Site, ...]

    def site(self, site_id: str) -> Site | None:
        """The site of that id, if it is the account's."""
        return next((site for site in self.sites if site.site_id == site_id), None)


def sites_of(first_site: str, first_peer: str) -> tuple[Site, ...]:
    """Three sites: the first with two peers, one with one, and one with none to provoke error 5020."""
    number, peer = int(first_site), int(first_peer)
    return (
        Site(
            site_id=first_site,
            name="Main office",
            peers=(
                Peer(peer_id=first_peer, name="Default peer"),
                Peer(peer_id=str(peer + 1), name="Second peer", is_default=False),
            ),
        ),
        Site(
            site_id=str(number + 1),
            name="Branch office",
            peers=(Peer(peer_id=str(peer + 10), name="Branch peer"),),
        ),
        Site(site_id=str(number + 2), name="Empty office"),
    )


SECOND_ACCOUNT = Account(
    account_id="8888888",
    username="roadRunner",
    password="beepBeep!",  # noqa: S106 - a documented credential of a toy server
    user_id="u-2",
    token="t-2",  # noqa: S106 - as above
    secret="s-2",  # noqa: S106 - as above
    sites=sites_of("843", "403716"),
)


def basic(header: str) -> tuple[str, str] | None:
    """The user and password of an Authorization header, or None where it holds no Basic credentials."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # not base64, not ASCII, or not UTF-8 inside
        return None
    return (user, password) if colon else None
