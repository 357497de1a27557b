"""Requests that offer another protocol are answered over HTTP/1.1, whole (RFC 9110, 7.8)."""

import asyncio
import json
import subprocess
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live import Live, serving
from needs import require

OFFERS = {
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "websocket": "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
    "tls": "connection: upgrade\r\nupgrade: TLS/1.2\r\n",
    "several": "Upgrade: h2c, HTTP/2.0\r\nConnection: upgrade\r\nConnection: http2-settings\r\n",
}
BODY = json.dumps({"to": "+256701234567", "message": "Hello"})
LIST = (
    "GET /api/v1/messages HTTP/1.1\r\nHost: localhost\r\n"
    "Authorization: Bearer {token}\r\n{offer}\r\n"
)
WITHOUT_HTTPTOOLS = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "httptools" else find(name, *more)
sys.argv[0] = "msgine-sandbox"
from msgine_sandbox.cli import main
main()
"""


def send(token: str, offer: str, *, chunked: bool = False) -> bytes:
    head = (
        f"POST /api/v1/messages/sms HTTP/1.1\r\nHost: localhost\r\n{offer}"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    if chunked:
        sized = f"Transfer-Encoding: chunked\r\n\r\n{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"
    else:
        sized = f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    return (head + sized).encode()


def read(token: str, offer: str = "") -> bytes:
    return LIST.format(token=token, offer=offer).encode()


async def answers(server: Live, *packets: bytes, count: int) -> list[bytes]:
    """The status lines of so many answers, all on one connection."""
    where = urlsplit(server.base_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0)  # the next one is a packet of its own
        return [await _answer(reader) for _ in range(count)]
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    [length] = [
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    await reader.readexactly(length)
    return head.split(b"\r\n")[0]


CREATED, OK = b"HTTP/1.1 201 Created", b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
@pytest.mark.parametrize("offer", OFFERS)
async def test_a_send_that_offers_an_upgrade_is_accepted_and_so_is_the_next_request(
    live: Live, offer: str, chunked: bool
) -> None:
    token = f"test_upgrade_{offer}_{chunked}"
    request = send(token, OFFERS[offer], chunked=chunked)
    assert await answers(live, request + read(token), count=2) == [CREATED, OK]
    assert await answers(live, request[:-20], request[-20:], read(token), count=2) == [CREATED, OK]
    found = httpx.get(f"{live.base_url}/messages", headers={"Authorization": f"Bearer {token}"})
    assert [message["content"] for message in found.json()["data"]] == ["Hello"] * 2


@pytest.mark.parametrize("offer", OFFERS)
async def test_a_read_that_offers_an_upgrade_is_answered_and_so_is_a_send_after_it(
    live: Live, offer: str
) -> None:
    token = f"test_upgrade_read_{offer}"
    packet = read(token, OFFERS[offer]) + send(token, OFFERS[offer])
    assert await answers(live, packet, count=2) == [OK, CREATED]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    offer=st.sampled_from(sorted(OFFERS)),
    chunked=st.booleans(),
    cuts=st.lists(st.integers(1, 400), max_size=6),
)
def test_the_division_into_packets_does_not_matter(
    live: Live, offer: str, chunked: bool, cuts: list[int]
) -> None:
    token = "test_unlimited_upgrade_in_packets"
    whole = send(token, OFFERS[offer], chunked=chunked) + read(token)
    places = sorted({0, len(whole), *(cut % len(whole) for cut in cuts)})
    packets = [whole[start:end] for start, end in pairwise(places)]
    found = asyncio.run(answers(live, *packets, count=2))
    assert found == [CREATED, OK]


async def test_the_journal_shows_the_offer_as_it_was_sent(live: Live) -> None:
    token = "test_upgrade_journal"
    await answers(live, send(token, OFFERS["h2c"]), count=1)
    found = httpx.get(
        f"{live.origin}/_sandbox/requests", headers={"Authorization": f"Bearer {token}"}
    )
    [entry] = found.json()["data"]
    assert entry["request"]["headers"]["upgrade"] == "h2c"
    assert entry["request"]["headers"]["connection"] == "Upgrade, HTTP2-Settings"
    assert entry["request"]["body"] == BODY


@pytest.mark.parametrize("program", [("-m", "msgine_sandbox"), ("-c", WITHOUT_HTTPTOOLS)])
async def test_an_offer_causes_no_output_on_the_terminal(
    tmp_path: Path, program: tuple[str, str]
) -> None:
    said = tmp_path / "stderr"
    with said.open("w") as stderr, serving("--quiet", program=program, stderr=stderr) as server:
        for offer in OFFERS.values():
            packet = send("test_quiet", offer) + read("test_quiet")
            assert await answers(server, packet, count=2) == [CREATED, OK]
    assert said.read_text() == ""


def test_curl_that_offers_http2_is_answered(live: Live) -> None:
    require("curl")
    command = ["curl", "--silent", "--http2", "--output", "-", "--write-out", "\n%{http_code}"]
    command += ["--header", "Authorization: Bearer test_upgrade_curl", "--json", BODY]
    ended = subprocess.run(
        [*command, f"{live.base_url}/messages/sms"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "201"
