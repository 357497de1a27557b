"""Webhook targets: which addresses a sandbox may connect to."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx
import pytest
from box import sandbox
from hypothesis import example, given
from hypothesis import strategies as st
from live import serving

from msgine_sandbox.model.choices import WebhookPolicy
from msgine_sandbox.services.webhooks.targets import Targets


@pytest.mark.parametrize(
    ("policy", "url", "why"),
    [
        ("any", "http://169.254.169.254/latest/meta-data", "link-local"),
        ("any", "http://[fe80::1]/", "link-local"),
        ("any", "http://[::ffff:169.254.169.254]/", "link-local"),
        ("any", "http://[fd00:ec2::254]/", "link-local"),
        ("any", "http://[64:ff9b::169.254.169.254]/", "link-local"),  # NAT64
        ("any", "http://[2002:a9fe:a9fe::]/", "link-local"),  # 6to4
        ("any", "http://[fd20:ce::254]/", "link-local"),
        ("any", "http://[fd00:ec2::23]/", "link-local"),
        ("any", "http://[fd00:c1::a9fe:a9fe]/", "link-local"),
        ("any", "http://[fd00:42::42]/", "link-local"),
        ("any", "http://[fd00:a9fe:a9fe::1]/", "link-local"),
        ("any", "http://[fd00:100::100:200]/", "link-local"),
        ("any", "http://[64:ff9b:1::169.254.169.254]/", "link-local"),
        ("any", "http://[64:ff9b:1:a9fe:a9:fe00::]/", "link-local"),  # a prefix of 48 bits
        ("any", "http://[2a00:64::100.100.100.200]/", "link-local"),  # a NAT64 prefix of its own
        ("any", "http://100.100.100.200/", "link-local"),
        ("any", "http://224.0.0.1/", "multicast"),
        ("local", "http://8.8.8.8/", "public"),
        ("local", "http://[64:ff9b::8.8.8.8]/", "public"),
        ("public", "http://127.0.0.1:9/", "not public"),
        ("public", "http://10.0.0.1/", "not public"),
        ("public", "http://[64:ff9b::10.0.0.1]/", "not public"),
        ("public", "http://localhost:9/", "not public"),
        ("public", "http://0.0.0.0:9/", "not public"),
        ("public", "http://[::1]:9/", "not public"),
    ],
)
async def test_a_target_that_is_not_allowed_is_refused_on_connecting(
    policy: str, url: str, why: str
) -> None:
    async with sandbox(webhook_policy=policy) as box:
        await box.freeze()
        await box.accepted("+256700000004", callbackUrl=url)
        await box.advance(seconds=1)
        [attempt] = await box.attempts()
        assert attempt["status"] is None
        assert attempt["error"].startswith("Refused: ")
        assert why in attempt["error"]


def teredo(inside: int) -> int:
    server, flags_and_port = int(IPv4Address("192.0.2.1")), 0x8000_F227
    return 0x2001_0000 << 96 | server << 64 | flags_and_port << 32 | inside ^ 0xFFFFFFFF


def nat64(*places: int) -> Callable[[int], int]:
    """Write the bytes of an IPv4 address to places behind 64:ff9b:1::."""

    def embed(inside: int) -> int:
        packed = bytearray(IPv6Address("64:ff9b:1::").packed)
        for place, byte in zip(places, inside.to_bytes(4), strict=True):
            packed[place] = byte
        return int.from_bytes(packed)

    return embed


EMBEDDINGS: dict[str, Callable[[int], int]] = {
    "compatible": lambda inside: inside,
    "mapped": lambda inside: int(IPv6Address("::ffff:0:0")) | inside,
    "translated": lambda inside: int(IPv6Address("::ffff:0:0:0")) | inside,
    "NAT64": lambda inside: int(IPv6Address("64:ff9b::")) | inside,
    "local NAT64, 48 bits": nat64(6, 7, 9, 10),
    "local NAT64, 56 bits": nat64(7, 9, 10, 11),
    "local NAT64, 64 bits": nat64(9, 10, 11, 12),
    "local NAT64, 96 bits": nat64(12, 13, 14, 15),
    "6to4": lambda inside: 0x2002 << 112 | inside << 80 | 1,
    "Teredo": teredo,
    "ISATAP": lambda inside: int(IPv6Address("fd12:3456::5efe:0:0")) | inside,
    "public ISATAP": lambda inside: int(IPv6Address("2a00:1::200:5efe:0:0")) | inside,
}
PLACES = {
    "local NAT64, 48 bits": "64:ff9b:1:c0a8:1:200::",
    "local NAT64, 56 bits": "64:ff9b:1:c0:a8:102::",
    "local NAT64, 64 bits": "64:ff9b:1:0:c0:a801:200:0",
    "local NAT64, 96 bits": "64:ff9b:1::c0a8:102",
    "6to4": "2002:c0a8:102::1",
    "Teredo": "2001:0:c000:201:8000:f227:3f57:fefd",
    "ISATAP": "fd12:3456::5efe:192.168.1.2",
}


@pytest.mark.parametrize("name", PLACES)
def test_an_embedding_is_as_its_document_says(name: str) -> None:
    inside = int(IPv4Address("192.168.1.2"))
    assert IPv6Address(EMBEDDINGS[name](inside)) == IPv6Address(PLACES[name])


@given(
    policy=st.sampled_from(list(WebhookPolicy)),
    name=st.sampled_from(sorted(EMBEDDINGS)),
    inside=st.ip_addresses(v=4)
    | st.sampled_from(["10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8", "224.0.0.0/4"]).flatmap(
        lambda network: st.ip_addresses(network=network)
    ),
)
@example(WebhookPolicy.ANY, "local NAT64, 64 bits", ip_address("169.254.169.254"))
@example(WebhookPolicy.ANY, "public ISATAP", ip_address("168.63.129.16"))
@example(WebhookPolicy.ANY, "Teredo", ip_address("169.254.169.254"))
def test_what_is_refused_is_refused_inside_any_other_address(
    policy: WebhookPolicy, name: str, inside: IPv4Address
) -> None:
    targets = Targets(policy)
    targets.own_port = 8256
    if targets.refusal(inside, 8256) is not None and int(inside) > 1:
        outside = IPv6Address(EMBEDDINGS[name](int(inside)))
        assert targets.refusal(outside, 8256) is not None


@pytest.mark.parametrize(
    ("policy", "address"),
    [
        ("local", "64:ff9b::10.0.0.1"),
        ("local", "64:ff9b:1::10.0.0.1"),
        ("local", "fd12:3456::1"),
        ("local", "2002:a00:1::1"),
        ("public", "64:ff9b::8.8.8.8"),
        ("public", "64:ff9b:1::8.8.8.8"),
        ("public", "2002:808:808::1"),
        ("public", "2a00:1450:4001:80b::200e"),
    ],
)
def test_an_address_is_allowed_by_what_is_inside_it(policy: str, address: str) -> None:
    assert Targets(WebhookPolicy(policy)).refusal(ip_address(address), 80) is None


@pytest.mark.live
def test_the_sandbox_does_not_call_itself() -> None:
    with serving() as live, httpx.Client(headers={"X-Api-Key": "t"}) as http:
        body = {
            "to": "+256700000004",
            "message": "Hello",
            "callbackUrl": f"{live.origin}/_sandbox/reset",
        }
        assert http.post(f"{live.base_url}/messages/sms", json=body).status_code == 201
        http.post(f"{live.origin}/_sandbox/clock/advance", json={"seconds": 1})
        [attempt] = http.get(f"{live.origin}/_sandbox/webhooks/attempts").json()["data"]
        assert "is this sandbox itself" in attempt["error"]
