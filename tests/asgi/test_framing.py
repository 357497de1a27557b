"""What is not, or is too much for, a request: refused in the envelope, and the connection ended."""

import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from box import sandbox
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live import Live
from matching import assert_refused
from wire import BODY, HEALTH, Served, Wire, chunked, head, post, served

MEBIBYTE = 1024 * 1024
OTHERS = "Authorization: Bearer test_other\r\nX-Api-Key: test_other\r\nHost: evil.example\r\n"


@pytest.fixture
async def both(parser: None) -> AsyncIterator[Served]:
    """A sandbox with either parser."""
    async with served() as one:
        yield one


@pytest.fixture
async def one() -> AsyncIterator[Served]:
    async with served() as fresh:
        yield fresh


@pytest.fixture
async def wire(both: Served) -> AsyncIterator[Wire]:
    async with both.connected() as opened:
        yield opened


# Trailers and white space


async def test_trailers_are_no_headers(both: Served, wire: Wire) -> None:
    assert await wire.status(chunked(trailers=OTHERS)) == 201
    assert await wire.status(post()) == 201
    assert await both.messages() == ["Hello", "Hello"]


async def test_the_journal_shows_no_trailers(wire: Wire) -> None:
    await wire.ask(chunked(trailers=OTHERS))
    entry = (await wire.ask(head(method="GET", path="/_sandbox/requests"))).json()["data"][0]
    assert "x-api-key" not in entry["request"]["headers"]


async def test_white_space_around_a_value_is_no_part_of_it(wire: Wire) -> None:
    request = post("Idempotency-Key: \t abc \t ").replace(b"localhost", b"localhost ")
    assert await wire.status(request) == 201
    again = await wire.ask(post("Idempotency-Key: abc"))
    assert again.headers["idempotent-replayed"] == "true"


SPACES = [" ", "\t", " \t ", "   "]


@pytest.mark.parametrize("space", SPACES)
async def test_white_space_around_any_header_is_no_part_of_it(
    both: Served, wire: Wire, space: str
) -> None:
    request = post(
        f"Idempotency-Key:{space}abc{space}",
        f"User-Agent: shop{space}",
        f"Connection: keep-alive{space}",
    )
    for value in (b"localhost", b"Bearer test_wire", b"application/json"):
        request = request.replace(value + b"\r\n", value + space.encode() + b"\r\n")
    first = await wire.ask(request)
    assert first.status_code == 201
    assert (await wire.ask(request)).headers["idempotent-replayed"] == "true"
    [entry, _] = (await wire.ask(head(method="GET", path="/_sandbox/requests"))).json()["data"]
    names = ("idempotency-key", "host", "content-type", "user-agent")
    sent = [entry["request"]["headers"][name] for name in names]
    assert sent == ["abc", "localhost", "application/json", "shop"]
    assert await both.messages() == ["Hello"]


@pytest.mark.parametrize("space", SPACES)
async def test_white_space_after_a_key_is_no_part_of_a_credential(wire: Wire, space: str) -> None:
    request = post().replace(b"Authorization: Bearer test_wire", b"X-Api-Key: test_wire")
    spaced = request.replace(b"test_wire", b"test_wire" + space.encode())
    assert [await wire.status(request), await wire.status(spaced)] == [201, 201]
    listed = await wire.ask(head(method="GET", path="/api/v1/messages"))
    assert listed.json()["pagination"]["total"] == 2


@pytest.mark.parametrize("space", SPACES)
async def test_white_space_after_what_the_control_api_reads_is_no_part_of_it(
    wire: Wire, space: str
) -> None:
    await wire.ask(post())
    accounts = await wire.ask(HEALTH.replace(b"health", b"accounts"))
    [account] = accounts.json()["data"]
    fields = [
        f"X-Sandbox-Account: {account['id']}{space}",
        f"Origin: http://localhost{space}",
        f"Sec-Fetch-Site: same-origin{space}",
    ]
    lines = "".join(f"{field}\r\n" for field in fields).encode()
    request = HEALTH.replace(b"health", b"messages").replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n")
    assert (await wire.ask(request)).json()["total"] == 1


@pytest.mark.parametrize("space", SPACES)
async def test_white_space_after_an_expectation_is_no_part_of_it(wire: Wire, space: str) -> None:
    await wire.write(head(f"Content-Length: {len(BODY)}", f"Expect: 100-continue{space}"))
    assert (await wire.line()).startswith("HTTP/1.1 100")
    await wire.line()
    assert await wire.status(BODY) == 201


@pytest.mark.parametrize("space", SPACES)
async def test_white_space_after_close_is_no_part_of_it(wire: Wire, space: str) -> None:
    answer = await wire.ask(post(f"Connection: close{space}"))
    assert answer.status_code == 201
    assert await wire.is_closed()


async def test_white_space_after_the_id_of_an_event_is_no_part_of_it(both: Served) -> None:
    async with both.connected() as wire:
        await wire.write(
            head("Last-Event-ID: 0000000000000001 \t", method="GET", path="/_sandbox/events")
        )
        assert (await wire.line()).startswith("HTTP/1.1 200")


async def test_a_server_that_leaves_white_space_in_headers_changes_nothing() -> None:
    async with sandbox() as box:
        headers = {
            "Host": "localhost \t",
            "Authorization": f"Bearer {box.token} ",
            "Content-Type": "application/json\t",
            "Idempotency-Key": " abc ",
        }
        for _ in range(2):
            answer = await box.http.post("/api/v1/messages/sms", content=BODY, headers=headers)
            assert answer.status_code == 201
        assert answer.headers["idempotent-replayed"] == "true"


async def test_white_space_after_lengths_and_codings_is_accepted(wire: Wire) -> None:
    assert await wire.status(chunked().replace(b": chunked", b": chunked ")) == 201
    length = b"Content-Length: %d" % len(BODY)
    assert await wire.status(post().replace(length, length + b" ")) == 201


# Hosts


@pytest.mark.parametrize("hosts", [["localhost", "localhost"], ["localhost", "evil.example"], []])
async def test_a_request_has_exactly_one_host(both: Served, wire: Wire, hosts: list[str]) -> None:
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    answer = await wire.ask(post().replace(b"Host: localhost\r\n", lines.encode()))
    assert_refused(answer, 400, "invalid_request")
    assert await both.messages() == []


async def test_a_request_of_http_1_0_needs_no_host_and_is_sent_elsewhere(wire: Wire) -> None:
    answer = await wire.ask(post(version="1.0").replace(b"Host: localhost\r\n", b""))
    assert_refused(answer, 421, "misdirected_request")


# Transfer codings


@pytest.mark.parametrize(
    "codings", ["gzip, chunked", "gzip", "identity", "deflate,chunked", "GZIP , Chunked"]
)
async def test_a_transfer_coding_other_than_chunked_is_not_implemented(
    both: Served, wire: Wire, codings: str
) -> None:
    await wire.write(chunked().replace(b": chunked", f": {codings}".encode()), post())
    error = await wire.refused(501, "not_implemented")
    assert error["details"]["expected"] == "chunked"
    assert await both.messages() == []


async def test_a_coding_in_any_case_is_chunked(wire: Wire) -> None:
    assert await wire.status(chunked().replace(b": chunked", b": CHUNKED")) == 201


@pytest.mark.parametrize(
    "fields",
    [
        ("Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}"),
        (f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"),
        ("Content-Length: 0", "Transfer-Encoding: chunked"),
        ("Content-Length: 3", f"Content-Length: {len(BODY)}"),
        ("Content-Length: +3",),
        ("Content-Length: 0x3",),
        ("Content-Length: -1",),
    ],
)
async def test_a_request_of_ambiguous_length_is_refused_and_so_is_what_follows(
    both: Served, wire: Wire, fields: tuple[str, ...]
) -> None:
    smuggled = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n" + post()
    await wire.write(head(*fields) + smuggled)
    await wire.refused(400, "invalid_request")
    assert await both.messages() == []


async def test_http_1_0_has_no_transfer_coding(both: Served, wire: Wire) -> None:
    await wire.write(chunked().replace(b"HTTP/1.1", b"HTTP/1.0"))
    await wire.refused(400, "invalid_request")
    assert await both.messages() == []


# What is not HTTP


@pytest.mark.parametrize(
    "packet",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # a TLS handshake
        b"GET\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/v1/messages/sms HTTP/1.1\r\nHost: localhost\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA\x00: b\r\n\r\n",
        chunked().replace(b"\r\n9\r\n", b"\r\nzz\r\n"),
        chunked().replace(b"\r\n9\r\n", b"\r\n-9\r\n"),
    ],
)
async def test_what_is_not_http_is_refused_in_the_envelope(
    both: Served, wire: Wire, packet: bytes
) -> None:
    await wire.write(packet)
    error = await wire.refused(400, "invalid_request")
    assert error["details"]["reason"]
    assert await both.messages() == []


# Targets


@pytest.mark.parametrize("url", ["http://localhost", "HTTPS://127.0.0.1:8256", "http://[::1]:1"])
async def test_a_url_as_target_is_answered_as_its_path(wire: Wire, url: str) -> None:
    for host in (b"localhost", b"evil.example"):
        request = post(path=f"{url}/api/v1/messages/sms?x=1").replace(b"localhost\r", host + b"\r")
        answer = await wire.ask(request)
        assert (answer.status_code, answer.headers["x-sandbox-warning"]) == (201, "unknown-field")
    assert await wire.status(head(method="GET", path=url)) == 200


@pytest.mark.parametrize(
    "authority",
    [
        "evil.example",
        "evil.example:8256",
        "localhost@evil.example",
        "localhost:80@evil.example",
        "localhost:abc",
        "",
    ],
)
async def test_the_authority_of_a_target_is_judged_in_place_of_the_host(
    both: Served, authority: str
) -> None:
    for path in ("/api/v1/messages", "/_sandbox/messages", "", "?x"):
        async with both.connected() as wire:
            answer = await wire.ask(head(method="GET", path=f"http://{authority}{path}"))
        if authority:
            error = assert_refused(answer, 421, "misdirected_request")
            assert error["details"] == {"field": "Host", "value": authority}
        else:
            assert_refused(answer, 400, "invalid_request")
    assert await both.messages() == []


async def test_the_authority_of_a_target_is_judged_where_an_upgrade_is_offered(wire: Wire) -> None:
    offer = ("Connection: upgrade", "Upgrade: h2c")
    answer = await wire.ask(head(*offer, method="GET", path="http://evil.example/"))
    assert_refused(answer, 421, "misdirected_request")


async def test_the_page_of_the_host_in_a_target_is_the_sandboxs_own(wire: Wire) -> None:
    path = "http://127.0.0.1/_sandbox/messages"
    for origin, status in (("http://127.0.0.1", 200), ("http://localhost", 403)):
        request = head(f"Origin: {origin}", method="GET", path=path)
        assert await wire.status(request) == status


@pytest.mark.parametrize("hosts", ["", "Host: localhost\r\nHost: localhost\r\n"])
async def test_a_url_as_target_needs_one_host_header_too(wire: Wire, hosts: str) -> None:
    await wire.write(f"GET http://localhost/ HTTP/1.1\r\n{hosts}\r\n".encode())
    assert_refused(await wire.answer(), 400, "invalid_request")


@pytest.mark.parametrize("target", ["ftp://localhost/", "http:///", "http://", "localhost:80"])
async def test_another_target_is_refused(both: Served, target: str) -> None:
    for method in ("GET", "CONNECT"):
        async with both.connected() as wire:
            await wire.write(head(method=method, path=target))
            await wire.refused(400, "invalid_request")


async def test_options_may_be_about_the_whole_server(wire: Wire) -> None:
    answer = await wire.ask(head(method="OPTIONS", path="*"))
    assert_refused(answer, 404, "not_found")


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0"])
async def test_a_version_that_there_is_not_is_refused(both: Served, version: str) -> None:
    async with both.connected() as wire:
        await wire.write(post(version=version))
        error = await wire.refused(400, "invalid_request")
    assert error["details"] == {"reason": "Invalid HTTP version"}
    assert await both.messages() == []


async def test_a_request_before_malformed_ones_is_answered_first(one: Served) -> None:
    async with one.connected() as wire:
        await wire.write(post() + post() + b"nonsense\r\n\r\n" + post())
        assert [await wire.status(), await wire.status()] == [201, 201]
        await wire.refused(400, "invalid_request")
    assert len(await one.messages()) == 2


async def test_a_malformed_body_is_in_the_journal(one: Served) -> None:
    async with one.connected() as wire:
        await wire.write(chunked().replace(b"\r\n9\r\n", b"\r\nzz\r\n"))
        await wire.refused(400, "invalid_request")
    async with one.connected() as wire:
        found = (await wire.ask(head(method="GET", path="/_sandbox/requests"))).json()
        assert found["total"] == 0  # its account is not known before its body has been read
        everything = HEALTH.replace(b"health", b"requests")
        [entry] = (await wire.ask(everything)).json()["data"]
        assert (entry["status"], entry["path"]) == (400, "/api/v1/messages/sms")


# Sizes


def padded(size: int) -> bytes:
    """A GET whose target and header fields have so many bytes in all."""
    fields = {"Host": "localhost", "X": ""}
    used = len("/_sandbox/health") + sum(len(n) + len(v) + 4 for n, v in fields.items())
    return HEALTH[:-2] + b"X: " + b"a" * (size - used) + b"\r\n\r\n"


@pytest.mark.parametrize("size", [100, 65_000, 65_535, 65_536, 65_537, 65_600, 200_000, MEBIBYTE])
async def test_a_head_has_at_most_64_kib(one: Served, size: int) -> None:
    async with one.connected() as wire:
        await wire.write(padded(size))
        if size <= 65_536:
            assert await wire.status() == 200
            assert await wire.status(post()) == 201
        else:
            error = await wire.refused(431, "header_fields_too_large")
            assert error["details"] == {"limit": 65_536}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(cuts=st.lists(st.integers(1, 65_700), max_size=5), size=st.sampled_from([65_536, 65_537]))
def test_the_division_of_a_head_into_packets_does_not_matter(
    live: Live, cuts: list[int], size: int
) -> None:
    where = urlsplit(live.origin)
    request = padded(size)
    places = sorted({0, len(request), *(cut % len(request) for cut in cuts)})
    with socket.create_connection((where.hostname, where.port)) as client:
        for start, end in pairwise(places):
            client.sendall(request[start:end])
        expected = b"HTTP/1.1 200" if size == 65_536 else b"HTTP/1.1 431"
        assert client.recv(12) == expected


TOO_LARGE = {
    "one header": (post("X: " + "a" * 64 * MEBIBYTE), 431, "header_fields_too_large"),
    "many headers": (post(*["A: b"] * (32 * MEBIBYTE // 6)), 431, "header_fields_too_large"),
    "a name": (post("a" * 32 * MEBIBYTE + ": b"), 431, "header_fields_too_large"),
    "the target": (post(path="/" + "a" * 32 * MEBIBYTE), 414, "uri_too_long"),
    "the query": (post(path="/?" + "a" * 32 * MEBIBYTE), 414, "uri_too_long"),
    "one trailer": (
        chunked(trailers=f"A: {'b' * 32 * MEBIBYTE}\r\n"),
        431,
        "header_fields_too_large",
    ),
    "many trailers": (
        chunked(trailers="A: b\r\n" * (32 * MEBIBYTE // 6)),
        431,
        "header_fields_too_large",
    ),
    "a chunk's extension": (
        chunked(extension=";" + "a" * 32 * MEBIBYTE),
        431,
        "header_fields_too_large",
    ),
    "an offer": (
        post("Connection: Upgrade", "Upgrade: " + "a" * 32 * MEBIBYTE),
        431,
        "header_fields_too_large",
    ),
}


@pytest.mark.parametrize("part", TOO_LARGE)
async def test_what_is_far_too_large_is_refused_and_not_read(
    both: Served, wire: Wire, part: str
) -> None:
    packet, status, code = TOO_LARGE[part]
    await wire.write(packet[:MEBIBYTE])
    await wire.refused(status, code)
    assert await both.messages() == []


async def test_a_client_that_sends_everything_before_it_reads_gets_the_refusal(one: Served) -> None:
    async with one.connected() as wire:
        await wire.write(TOO_LARGE["one header"][0])
        await wire.refused(431, "header_fields_too_large")


async def test_a_large_body_and_the_request_after_it_are_answered(both: Served, wire: Wire) -> None:
    large = head(f"Content-Length: {3 * MEBIBYTE}") + b" " * 3 * MEBIBYTE
    assert await wire.status(large) == 413
    assert await wire.status(post()) == 201
    spaced = BODY + b" " * (MEBIBYTE - len(BODY))
    assert await wire.status(chunked(body=spaced), post()) == 201
