"""Which addresses may be called on somebody else's word."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reach import Reach, is_public

PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "198.17.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:10.1.2.3",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_may_be_called(address: str) -> None:
    assert Reach().permits("hooks.example", address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_nothing_else_may_be_called(address: str) -> None:
    assert not Reach().permits("hooks.example", address)


@given(st.ip_addresses(v=4))
def test_what_python_knows_to_be_special_is_never_public(address: IPv4Address) -> None:
    special = (
        address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
        or address.is_unspecified or address.is_reserved
    )  # fmt: skip
    assert not (special and is_public(address))


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_in_all_its_disguises(address: IPv4Address) -> None:
    number = int(address)
    for disguise in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80 | 7):
        assert is_public(IPv6Address(disguise)) is is_public(address)


@given(st.ip_addresses())
def test_an_allowed_network_is_exactly_that(address: IPv4Address | IPv6Address) -> None:
    reach = Reach([str(address)])
    assert reach.permits("hooks.example", str(address))
    beside = ip_address(int(address) ^ 1) if address.version == 4 else IPv6Address(int(address) ^ 1)
    assert reach.permits("hooks.example", str(beside)) is Reach().permits("hooks.example", str(beside))


@pytest.mark.parametrize(
    ("allowed", "host", "address", "may"),
    [
        ("127.0.0.0/8", "localhost", "127.0.0.1", True),
        ("127.0.0.0/8", "localhost", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "localhost", "::1", False),
        ("127.0.0.0/8", "other", "10.0.0.1", False),
        ("hooks.internal", "Hooks.Internal.", "10.0.0.1", True),
        ("hooks.internal", "other.internal", "10.0.0.1", False),
        ("hooks.internal", "hooks.internal.example", "10.0.0.1", False),
        ("fd00::/8", "[fd00::1]", "fd00::1", True),
        ("10.0.0.0/8", "hooks.example", "no address", False),
    ],
)
def test_the_operator_may_allow_networks_and_hosts(allowed: str, host: str, address: str, *, may: bool) -> None:
    assert Reach([allowed]).permits(host, address) is may
