"""Which addresses webhooks may be sent to."""

import socket
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from msgine_sandbox.model.choices import WebhookPolicy

Address = IPv4Address | IPv6Address

METADATA: Final = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "192.0.0.192",  # Oracle Cloud Classic
            "100.100.100.200",  # Alibaba Cloud
            "168.63.129.16",  # Azure
            "fd20:ce::254",  # Google Cloud
            "fd00:c1::a9fe:a9fe",  # Oracle Cloud
            "fd00:42::42",  # Scaleway
            "fd00:a9fe:a9fe::1",  # Akamai
            "fd00:100::100:200",  # Alibaba Cloud
        ),
    )
)
"""Addresses where cloud providers serve a machine's metadata and credentials."""

_AWS: Final = IPv6Network("fd00:ec2::/32")  # all services that AWS offers to a machine
_AT_THE_END: Final = tuple(
    map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
)
"""Prefixes before an IPv4 address: compatible, mapped, translated (RFC 2765), NAT64 (RFC 6052)."""
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_NAT64_BYTES: Final[Sequence[Sequence[int]]] = (
    (6, 7, 9, 10),
    (7, 9, 10, 11),
    (9, 10, 11, 12),
    (12, 13, 14, 15),
)
"""Where the IPv4 address is behind a prefix of 48, 56, 64 and 96 bits (RFC 6052, 2.2)."""
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})  # RFC 5214, 6.1
_KEPT: Final = 1024
"""Addresses that are kept in parsed form, and what they are: most webhooks go to a few."""


class Targets:
    """Decides by the address of a connection instead of the host name, which can resolve to any."""

    def __init__(self, policy: WebhookPolicy) -> None:
        self._policy = policy
        self.own_port: int | None = None
        """The port of this sandbox, which the server sets once it listens."""

    def refusal(self, address: Address, port: int) -> str | None:
        """Return why no connection to an address is allowed, or None if one is.

        Of an IPv6 address with an IPv4 address in it, none may be refused that it can stand for.
        """
        refusals = (self._refusal_of(each, port) for each in _meant(address))
        return next((each for each in refusals if each is not None), None)

    def _refusal_of(self, address: Address, port: int) -> str | None:
        is_this_machine, is_local, has_metadata, is_multicast = _place(address)
        if has_metadata:
            return "is link-local, where clouds keep their metadata"
        if is_multicast:
            return "is a multicast address"
        # A webhook could otherwise call the control API, such as `POST /_sandbox/reset`.
        if port == self.own_port and (is_this_machine or _is_own(address)):
            return "is this sandbox itself"
        if is_local and self._policy is WebhookPolicy.PUBLIC:
            return "is not public, and --webhook-policy public asks for that"
        if not is_local and self._policy is WebhookPolicy.LOCAL:
            return "is public; start with --webhook-policy any to send webhooks there"
        return None


@lru_cache(_KEPT)
def _place(address: Address) -> tuple[bool, bool, bool, bool]:
    """Return whether an address is this machine, is local, may have metadata, is multicast."""
    is_this_machine = address.is_loopback or address.is_unspecified
    is_local = is_this_machine or not address.is_global
    has_metadata = address in METADATA or address in _AWS or address.is_link_local
    return is_this_machine, is_local, has_metadata, address.is_multicast


@lru_cache(_KEPT)
def _meant(address: Address) -> Sequence[Address]:
    """Return the addresses that a connection to an address can reach.

    For most it is the address itself. Translators and tunnels reach the IPv4 address in it.
    """
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_unspecified:
        return [address]
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in prefix for prefix in _AT_THE_END):
        return [last]
    if address in _LOCAL_NAT64:
        return _behind_nat64(address.packed) or [address]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return address.teredo  # the server and the client
    # A network may have a NAT64 prefix of its own, which nobody else knows.
    if (int(address) >> 32 & 0xFFFFFFFF) in _ISATAP or last in METADATA:
        return [address, last]
    return [address]


def _behind_nat64(packed: bytes) -> list[Address]:
    """Return the IPv4 addresses in an IPv6 one, as prefixes of several lengths place them.

    What follows the IPv4 address is zero, and so is the byte 8.
    """
    found = [
        IPv4Address(bytes(packed[at] for at in places))
        for places in _NAT64_BYTES
        if not any(packed[places[-1] + 1 :]) and (places[0] == 12 or packed[8] == 0)
    ]
    return [each for each in found if not each.is_unspecified]


def _is_own(address: Address) -> bool:
    """Return whether an address is this machine's: the kernel sends from it to itself."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # connecting a datagram socket sends nothing
            return address_of(probe.getsockname()[0]) == address
    except OSError:
        return False


@lru_cache(_KEPT)
def address_of(text: object) -> Address:
    """Return the address that a resolver wrote, without its zone (`fe80::1%eth0`)."""
    return ip_address(str(text).partition("%")[0])


def is_loopback(host: str) -> bool:
    """Return whether a host is the loopback interface, without resolving its name."""
    try:
        return address_of(host).is_loopback
    except ValueError:
        return is_loopback_name(host)


def is_loopback_name(host: str) -> bool:
    """Return whether a name always means the loopback interface (RFC 6761, 6.3)."""
    name = host.removesuffix(".")  # with which a name is not one below the system's own domain
    return name == "localhost" or name.endswith(".localhost")
