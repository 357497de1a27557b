"""Hosts, origins and the control token: which requests a sandbox accepts."""

from typing import Any

import httpx
import pytest
from box import Box, sandbox
from hypothesis import given
from hypothesis import strategies as st
from matching import assert_refused
from sync_box import sync_sandbox

EVERYWHERE = [
    ("GET", "/_sandbox/health"),
    ("GET", "/_sandbox/messages"),
    ("POST", "/_sandbox/reset"),
    ("GET", "/api/v1/messages"),
    ("POST", "/api/v1/messages/sms"),
    ("GET", "/nowhere"),
]
GUARDED = [
    ("GET", "/_sandbox/account"),
    ("PATCH", "/_sandbox/account"),
    ("GET", "/_sandbox/messages"),
    ("DELETE", "/_sandbox/messages"),
    ("GET", "/_sandbox/messages/wait"),
    ("GET", "/_sandbox/messages/msg_0000000000000001"),
    ("POST", "/_sandbox/messages/msg_0000000000000001/status"),
    ("GET", "/_sandbox/messages/msg_0000000000000001/html"),
    ("POST", "/_sandbox/messages/msg_0000000000000001/ticket"),
    ("GET", "/_sandbox/clock"),
    ("POST", "/_sandbox/clock/advance"),
    ("POST", "/_sandbox/clock/freeze"),
    ("POST", "/_sandbox/clock/resume"),
    ("GET", "/_sandbox/webhooks"),
    ("PUT", "/_sandbox/webhooks"),
    ("GET", "/_sandbox/webhooks/attempts"),
    ("POST", "/_sandbox/webhooks/attempts/att_0000000000000001/resend"),
    ("POST", "/_sandbox/reset"),
    ("GET", "/_sandbox/nowhere"),
    ("OPTIONS", "/_sandbox/reset"),
]
OURS = "localhost:8256"


async def ask(box: Box, host: str, method: str = "GET", path: str = "/_sandbox/health") -> Any:
    return await box.call(method, path, headers={"Host": host})


# Hosts


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8256",
        "LocalHost:8256",
        "msgine.localhost",
        "a.b.localhost:80",
        "127.0.0.1",
        "127.0.0.1:8256",
        "127.1.2.3:8256",
        "192.168.1.20:8256",
        "8.8.8.8",
        "[::1]",
        "[::1]:8256",
        "[fe80::1]:8256",
        "host.docker.internal:8256",
        "localhost:",
        "localhost:65535",
        "localhost:008256",
        "[::1]:65535",
    ],
)
async def test_a_sandbox_answers_as_a_local_name_or_as_any_address(box: Box, host: str) -> None:
    assert (await ask(box, host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8256",
        "sandbox:8256",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1.nip.io:8256",
        "[evil.example]:8256",
        "0x7f.1",
        "localhost@evil.example",
        "api.msgine.net",
        "",
        ":8256",
        "[]",
        ".",
    ],
)
async def test_a_foreign_name_is_refused_and_the_error_names_the_flag(box: Box, host: str) -> None:
    error = assert_refused(await ask(box, host), 421, "misdirected_request")
    assert "--allowed-host" in error["message"]
    assert "MSGINE_SANDBOX_ALLOWED_HOST" in error["message"]
    assert error["details"] == {"field": "Host", "value": host}


@pytest.mark.parametrize(
    "host",
    [
        "localhost:abc",
        "localhost:65536",
        "localhost:99999",
        "localhost:-1",
        "localhost:+1",
        "localhost:80:80",
        "localhost:80 80",
        "127.0.0.1:1e3",
        "[::1]:abc",
        "[::1]:99999",
        "[::1]80",
        "[::1",
        "localhost:x@evil.example",
    ],
)
async def test_what_follows_a_name_must_be_a_port(box: Box, host: str) -> None:
    error = assert_refused(await ask(box, host), 421, "misdirected_request")
    assert "must be a port" in error["message"]
    assert error["details"] == {"field": "Host", "value": host}


@given(st.integers(0, 10**9))
def test_a_port_is_at_most_65535(port: int) -> None:
    with sync_sandbox() as s:
        answer = s.run(ask(s.box, f"localhost:{port}"))
    assert answer.status_code == (200 if port <= 65_535 else 421)


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
async def test_a_foreign_name_is_refused_on_every_path(box: Box, method: str, path: str) -> None:
    assert_refused(await ask(box, "evil.example", method, path), 421, "misdirected_request")


async def test_a_request_under_a_foreign_name_changes_nothing(box: Box) -> None:
    await box.accepted()
    assert (await ask(box, "evil.example", "POST", "/_sandbox/reset")).status_code == 421
    assert (await box.get("/_sandbox/messages"))["total"] == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("sandbox", 200),
        ("sandbox:8256", 200),
        ("SANDBOX:80", 200),
        ("sms.test", 200),
        ("localhost", 200),
        ("sub.sandbox", 421),
        ("sandbox.evil.example", 421),
        ("", 421),
    ],
)
async def test_a_name_can_be_allowed(host: str, status: int) -> None:
    async with sandbox(allowed_host=("sandbox", "SMS.test")) as box:
        assert (await ask(box, host)).status_code == status


async def test_the_name_that_is_listened_on_is_allowed() -> None:
    async with sandbox(host="dev.example") as box:
        assert (await ask(box, "dev.example:8256")).status_code == 200


# Origins


def from_page(origin: str | None, site: str | None = None, host: str = OURS) -> dict[str, str]:
    sent = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
    return {name: value for name, value in sent.items() if value is not None}


FOREIGN = [
    from_page("https://evil.example"),
    from_page("http://evil.example:8256"),
    from_page("http://localhost:3000"),
    from_page("http://localhost"),
    from_page("http://127.0.0.1:8256"),
    from_page("http://localhost:8256.evil.example"),
    from_page("http://evil.example", host="localhost"),
    from_page("null"),
    from_page(""),
    from_page("http://["),
    from_page(None, "cross-site"),
    from_page(None, "same-site"),
    from_page("http://localhost:8256", "cross-site"),
    from_page("http://evil.example", "none"),
]
OWN = [
    from_page(None),
    from_page("http://localhost:8256"),
    from_page("http://localhost:8256", "same-origin"),
    from_page("http://127.0.0.1:8256", host="127.0.0.1:8256"),
    from_page("http://[::1]:8256", host="[::1]:8256"),
    from_page("http://localhost", host="localhost"),
    from_page(None, "none"),
    from_page(None, "same-origin"),
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_another_sites_page_may_neither_read_nor_write(box: Box, headers: dict) -> None:
    await box.accepted()
    for method, path in [("GET", "/messages"), ("POST", "/reset"), ("DELETE", "/messages")]:
        answer = await box.call(method, f"/_sandbox{path}", headers=headers)
        assert_refused(answer, 403, "forbidden")
    assert (await box.get("/_sandbox/messages"))["total"] == 1


@pytest.mark.parametrize("headers", OWN, ids=str)
async def test_the_sandboxs_own_page_may(box: Box, headers: dict) -> None:
    await box.accepted()
    for method, path in [("GET", "/messages"), ("POST", "/clock/freeze"), ("DELETE", "/messages")]:
        answer = await box.call(method, f"/_sandbox{path}", headers=headers)
        assert answer.status_code == 200
    assert (await box.get("/_sandbox/messages"))["total"] == 0


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LAN = "192.168.1.20:8256"


def from_browser(host: str = LAN, agent: str = FIREFOX, **sent: str) -> dict[str, str]:
    """A request that a browser sends without `Origin` and `Sec-Fetch-Site`, as for an `img`."""
    named = {name.replace("_", "-"): value for name, value in sent.items()}
    return {"Host": host, "User-Agent": agent, "Accept": "image/avif,*/*"} | named


async def statuses_of(box: Box, headers: dict[str, str]) -> set[int]:
    calls = ["/messages", "/messages/wait?timeout=0", "/requests", "/coverage", "/nowhere"]
    return {
        (await box.http.request(method, f"/_sandbox{path}", headers=headers)).status_code
        for path in calls
        for method in ("GET", "HEAD", "POST", "DELETE")
    }


@pytest.mark.parametrize(
    "headers",
    [
        from_browser(),
        from_browser("[fe80::1]:8256"),
        from_browser("8.8.8.8"),
        from_browser("host.docker.internal:8256"),
        from_browser("sandbox:8256"),
        from_browser(Referer="http://evil.example/"),
        from_browser(Referer="http://192.168.1.20/"),
        from_browser(Referer="http://192.168.1.20:8256.evil.example/"),
        from_browser(Referer="http://["),
        from_browser(Accept="text/event-stream", Accept_Language="en"),
        from_browser(agent="Mozilla/5.0 (iPhone; CPU iPhone OS 16_3) AppleWebKit/605.1.15 Safari"),
    ],
    ids=str,
)
async def test_a_browser_that_does_not_say_which_page_calls_is_refused(headers: dict) -> None:
    async with sandbox(allowed_host="sandbox") as box:
        await box.accepted()
        assert await statuses_of(box, headers) == {403}
        answer = await box.http.get("/_sandbox/messages", headers=headers)
        error = assert_refused(answer, 403, "forbidden")
        assert error["details"]["field"] == "Referer"
        assert await box.message_count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        from_browser("localhost:8256"),
        from_browser("127.0.0.1:8256"),
        from_browser("[::1]:8256"),
        from_browser("msgine.localhost"),
        from_browser(Referer=f"http://{LAN}/"),
        from_browser(Referer=f"http://{LAN}/docs/webhooks"),
        from_browser(Origin=f"http://{LAN}"),
        from_browser(Sec_Fetch_Site="same-origin"),
        from_browser(Sec_Fetch_Site="none"),
        from_browser(Authorization="Bearer test_me"),
        from_browser(X_Api_Key="test_me"),
        from_browser(X_Sandbox_Account="acc_0000000000000001"),
        from_browser(agent="curl/8.5.0"),
        from_browser(agent="node"),
        from_browser(agent="Go-http-client/1.1"),
        {"Host": LAN, "User-Agent": "", "Accept": "*/*"},
    ],
    ids=str,
)
async def test_other_programs_and_the_sandboxs_own_page_are_not_refused(headers: dict) -> None:
    async with sandbox() as box:
        await box.accepted()
        assert 403 not in await statuses_of(box, headers)


async def test_what_a_page_on_the_network_needs_is_served_to_any_browser(box: Box) -> None:
    for path in ("/", "/_sandbox/health", "/docs/", "/static/app.js"):
        answer = await box.http.get(path, headers=from_browser())
        assert answer.status_code != 403
    answer = await box.http.get("/", headers=from_browser())
    assert answer.headers["referrer-policy"] == "same-origin"  # its calls say where they come from


async def test_the_public_api_does_not_check_the_origin(box: Box) -> None:
    answer = await box.call("GET", "/api/v1/messages", headers=from_page("https://shop.example"))
    assert answer.status_code == 200


def permissions(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("headers", [OWN[1], FOREIGN[0]], ids=["own", "foreign"])
@pytest.mark.parametrize(("method", "path"), [*EVERYWHERE, *GUARDED])
async def test_no_response_has_a_cors_permission(
    box: Box, method: str, path: str, headers: dict
) -> None:
    query = "?timeout=0" if path.endswith("/wait") else ""
    answer = await box.call(method, path + query, headers=headers)
    assert permissions(answer) == []


@pytest.mark.parametrize("path", ["/_sandbox/reset", "/_sandbox/health", "/api/v1/messages/sms"])
@pytest.mark.parametrize("origin", ["http://localhost:8256", "https://evil.example"])
async def test_a_preflight_gets_no_permission(box: Box, path: str, origin: str) -> None:
    headers = from_page(origin) | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = await box.http.request("OPTIONS", path, headers=headers)
    assert answer.status_code in {401, 403, 405}
    assert permissions(answer) == []


# The control token


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_a_control_token_guards_everything_but_health(method: str, path: str) -> None:
    async with sandbox(control_token="secret") as box:
        answer = await box.call(method, path)
        error = assert_refused(answer, 401, "unauthorized")
        assert "X-Control-Token" in error["message"]


@pytest.mark.parametrize(
    "given",
    [
        {"X-Control-Token": ""},
        {"X-Control-Token": "secreT"},
        {"X-Control-Token": "secret2"},
        {"X-Control-Token": "Bearer secret"},
        {"X-Control-Token": b"\xff"},
        {"Authorization": "Bearer secret"},
        {"X-Api-Key": "secret"},
    ],
    ids=str,
)
async def test_no_other_value_is_accepted_as_the_control_token(given: dict) -> None:
    async with sandbox(control_token="secret") as box:
        answer = await box.call("POST", "/_sandbox/reset", headers=given)
        error = assert_refused(answer, 401, "unauthorized")
        assert "secret" not in str(error)


async def test_with_the_control_token_the_control_api_works_as_usual() -> None:
    async with sandbox(control_token="secret") as box:
        message = await box.accepted()
        key = {"X-Control-Token": "secret"}
        mine = await box.call("GET", "/_sandbox/messages", headers=key)
        assert [each["id"] for each in mine.json()["data"]] == [message["id"]]
        theirs = await box.other().call("GET", "/_sandbox/messages", headers=key)
        assert theirs.json()["total"] == 0
        everybodys = await box.http.get("/_sandbox/messages", headers=key)
        assert everybodys.json()["total"] == 1
        nowhere = await box.call("GET", "/_sandbox/nowhere", headers=key)
        assert_refused(nowhere, 404, "not_found")


async def test_a_control_token_guards_neither_health_nor_the_api() -> None:
    async with sandbox(control_token="secret") as box:
        assert (await box.http.get("/_sandbox/health")).status_code == 200
        assert (await box.http.head("/_sandbox/health")).status_code == 200
        assert await box.read(await box.accepted())


async def test_a_foreign_page_is_refused_even_with_the_control_token() -> None:
    async with sandbox(control_token="secret") as box:
        headers = FOREIGN[0] | {"X-Control-Token": "secret"}
        answer = await box.call("POST", "/_sandbox/reset", headers=headers)
        assert_refused(answer, 403, "forbidden")
