"""Which addresses webhooks may be sent to."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from msgine_sandbox.model.choices import WebhookPolicy

Address = IPv4Address | IPv6Address

METADATA: Final = frozenset(
    map(
        ip_address,
        ("169.254.169.254", "192.0.0.192", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
    )
)
"""Addresses where cloud providers serve a machine's metadata and credentials."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


class Targets:
    """Decides by the address of a connection instead of the host name, which can resolve to any."""

    def __init__(self, policy: WebhookPolicy) -> None:
        self._policy = policy
        self.own_port: int | None = None
        """The port of this sandbox, which the server sets once it listens."""

    def refusal(self, address: Address, port: int) -> str | None:
        """Return why no connection to an address is allowed, or None if one is."""
        address = _embedded(address)
        is_this_machine = address.is_loopback or address.is_unspecified
        is_local = is_this_machine or not address.is_global
        if address in METADATA or address.is_link_local:
            return "is link-local, where clouds keep their metadata"
        if address.is_multicast:
            return "is a multicast address"
        # A webhook could otherwise call the control API, such as `POST /_sandbox/reset`.
        if port == self.own_port and (is_this_machine or _is_own(address)):
            return "is this sandbox itself"
        if is_local and self._policy is WebhookPolicy.PUBLIC:
            return "is not public, and --webhook-policy public asks for that"
        if not is_local and self._policy is WebhookPolicy.LOCAL:
            return "is public; start with --webhook-policy any to send webhooks there"
        return None


def _embedded(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one (mapped, 6to4 or NAT64), else the address."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_own(address: Address) -> bool:
    """Return whether an address is this machine's: the kernel sends from it to itself."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # connecting a datagram socket sends nothing
            return address_of(probe.getsockname()[0]) == address
    except OSError:
        return False


def address_of(text: object) -> Address:
    """Return the address that a resolver wrote, without its zone (`fe80::1%eth0`)."""
    return ip_address(str(text).partition("%")[0])


def is_loopback(host: str) -> bool:
    """Return whether a host is the loopback interface, without resolving its name."""
    try:
        return address_of(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
