"""Which addresses a URL that a caller gave may lead to: those of the public internet, and what the operator allows.

Whoever can make us call any address could otherwise look behind our firewall. The rule is a table of our own: what the
standard library calls global differs from one Python to the next.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's special-purpose registries; what they hold beyond this lies within.
_NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared between carriers and customers
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, where clouds keep their credentials
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays, no longer in use
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")  # everything else is special, or not in use
_NOT_PUBLIC_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols, tunnels
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)
# IPv6 that stands for IPv4, and how many bits lie behind the IPv4 address.
_EMBEDDED: Final = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)


class Reach:
    """What may be reached: everything public, and the networks and host names that the operator allows."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._networks: list[Network] = []
        self._hosts: set[str] = set()
        for entry in allowed:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                self._hosts.add(_name(entry))

    def permits(self, host: str, address: str) -> bool:
        """Whether a URL with this host may be answered from this address, which is the one that is connected to."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if _name(host) in self._hosts or self._allows(found) or self._allows(_plain(found)):
            return True
        return is_public(found)

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Whether this is an address of the public internet, for one host."""
    plain = _plain(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _NOT_PUBLIC_4)
    return plain in _GLOBAL_6 and not any(plain in network for network in _NOT_PUBLIC_6)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv6Address):
        for network, behind in _EMBEDDED:
            if address in network:
                return IPv4Address((int(address) >> behind) & 0xFFFFFFFF)
    return address


def _name(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()
