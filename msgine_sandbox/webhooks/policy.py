"""Which addresses webhooks may go to."""

import socket
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

Address = IPv4Address | IPv6Address


class Policy(StrEnum):
    """Where webhooks may go."""

    LOCAL = "local"
    """To this machine and private networks: the normal case."""
    ANY = "any"
    PUBLIC = "public"


METADATA: Final = frozenset(
    map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"))
)
"""Where clouds tell a machine its secrets."""


class Targets:
    """Judges addresses; the own port is asked for late, because it may be picked late."""

    def __init__(self, policy: Policy, own_port: Callable[[], int | None]) -> None:
        self._policy = policy
        self._own_port = own_port

    def refusal(self, address: Address, port: int) -> str | None:
        """Say why an address may not be dialled, or None when it may."""
        address = getattr(address, "ipv4_mapped", None) or address
        here = address.is_loopback or address.is_unspecified
        near = here or address.is_private
        if address in METADATA or address.is_link_local:
            return "is link-local, where clouds keep their metadata"
        if address.is_multicast:
            return "is a multicast address"
        if port == self._own_port() and (here or address in self._own_addresses):
            return "is this sandbox itself"
        if near and self._policy is Policy.PUBLIC:
            return "is not public, and --webhook-policy public asks for that"
        if not near and self._policy is Policy.LOCAL:
            return "is public; start with --webhook-policy any to send webhooks there"
        return None

    @cached_property
    def _own_addresses(self) -> frozenset[Address]:
        try:
            found = socket.getaddrinfo(socket.gethostname(), None)
        except OSError:
            return frozenset()
        return frozenset(address_of(where[0]) for *_, where in found)


def address_of(text: object) -> Address:
    """Read an address as the resolver gives it, with or without a zone."""
    return ip_address(str(text).partition("%")[0])
