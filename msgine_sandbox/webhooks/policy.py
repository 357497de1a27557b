"""Which addresses webhooks may go to."""

import socket
from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address


class Policy(StrEnum):
    """Where webhooks may go."""

    LOCAL = "local"
    """To this machine and private networks: the normal case."""
    ANY = "any"
    PUBLIC = "public"


METADATA: Final = frozenset(
    map(
        ip_address,
        ("169.254.169.254", "192.0.0.192", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
    )
)
"""Where clouds tell a machine its secrets."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


class Targets:
    """Judges addresses; the own port is asked for late, because it may be picked late."""

    def __init__(self, policy: Policy, own_port: Callable[[], int | None]) -> None:
        self._policy = policy
        self._own_port = own_port

    def refusal(self, address: Address, port: int) -> str | None:
        """Say why an address may not be dialled, or None when it may."""
        address = _inner(address)
        here = address.is_loopback or address.is_unspecified
        near = here or not address.is_global
        if address in METADATA or address.is_link_local:
            return "is link-local, where clouds keep their metadata"
        if address.is_multicast:
            return "is a multicast address"
        if port == self._own_port() and (here or _is_own(address)):
            return "is this sandbox itself"
        if near and self._policy is Policy.PUBLIC:
            return "is not public, and --webhook-policy public asks for that"
        if not near and self._policy is Policy.LOCAL:
            return "is public; start with --webhook-policy any to send webhooks there"
        return None


def _inner(address: Address) -> Address:
    """Give the address that one of the ways to write IPv4 as IPv6 stands for."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_own(address: Address) -> bool:
    """Tell whether an address is this machine's: what is sent there would come from there."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # a datagram socket sends nothing by that
            return address_of(probe.getsockname()[0]) == address
    except OSError:
        return False


def address_of(text: object) -> Address:
    """Read an address as the resolver gives it, with or without a zone."""
    return ip_address(str(text).partition("%")[0])


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its name or address alone."""
    try:
        return address_of(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
