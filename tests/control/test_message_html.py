"""The HTML of an email as an answer of its own, and the tickets with which a frame reads it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from box import Box, boxed, sandbox
from hypothesis import assume, given
from hypothesis import strategies as st
from matching import assert_refused
from sends import EMAIL, SENDS

from msgine_sandbox.asgi.tickets import SECONDS, Tickets
from msgine_sandbox.model.clock import SECOND, RealTime
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.webhooks.sender import USER_AGENT
from msgine_sandbox.settings import Settings

HTML = "<p title='“'>Ωραία <b>on its way</b></p><script>run()</script>"
KEY = {"X-Control-Token": "sesame"}


class SetTime(RealTime):
    """A real time that a test sets."""

    def __init__(self) -> None:
        self.instant = 1_700_000_000 * SECOND
        super().__init__(lambda: self.instant * 1000, lambda: self.instant * 1000)


class Locked:
    """A sandbox with a control token, and an account on it with an email."""

    def __init__(self, box: Box, time: SetTime, message: dict[str, Any]) -> None:
        self.box = box
        self.time = time
        self.path = f"/_sandbox/messages/{message['id']}"

    async def ticketed(self) -> str:
        """Return the URL of the email's HTML with a new ticket."""
        answer = await self.box.call("POST", f"{self.path}/ticket", headers=KEY)
        assert answer.status_code == 200, answer.text
        return answer.json()["url"]

    async def assert_refused(self, url: str, **kwargs: Any) -> None:
        """Check that a request without the control token is answered 401."""
        assert_refused(await self.box.http.get(url, **kwargs), 401, "unauthorized")


@pytest.fixture
async def locked() -> AsyncIterator[Locked]:
    built = Sandbox(Settings(control_token="sesame"))
    time = SetTime()
    built.tickets = Tickets(time)
    async with boxed(built) as box:
        yield Locked(box, time, await sent(box))


async def sent(box: Box, **fields: Any) -> dict[str, Any]:
    return await box.developers("POST", "/email", EMAIL | {"html": HTML} | fields)


async def test_the_html_is_returned_as_it_was_sent_and_can_do_nothing(box: Box) -> None:
    message = await sent(box)
    for caller in (box, box.anonymous):
        answer = await caller.call("GET", f"/_sandbox/messages/{message['id']}/html")
        assert (answer.status_code, answer.text) == (200, HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(
        each.strip().partition(" ")[::2]
        for each in answer.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "sandbox": "",
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
    }
    for name, value in {
        "x-content-type-options": "nosniff",
        "x-dns-prefetch-control": "off",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }.items():
        assert answer.headers[name] == value
    head = await box.call("HEAD", f"/_sandbox/messages/{message['id']}/html")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("html", "served"),
    [
        ("<link rel=preconnect href=//a>", "<basefont rel=preconnect href=//a>"),
        ("<LINK\nrel=x><Link/rel=x><link>", "<basefont\nrel=x><basefont/rel=x><basefont>"),
        ("<frameset><frame src=a></frameset>", "<frameset><basefont src=a></frameset>"),
        ("<iframe\tsrc=a>x</IFRAME >", "<noframes\tsrc=a>x</noframes >"),
        ("<linked><links><a>link</a> <framed> < link> &lt;link>", None),
    ],
)
async def test_nothing_is_served_that_opens_connections(
    box: Box, html: str, served: str | None
) -> None:
    answer = await box.call("GET", f"/_sandbox/messages/{(await sent(box, html=html))['id']}/html")
    assert answer.text == (html if served is None else served)


async def test_only_an_email_with_html_has_some(box: Box) -> None:
    without = [await box.developers("POST", path, body) for path, body in SENDS.items()]
    of_another = await sent(box.other())
    for message in (*without, of_another, {"id": "msg_0000000000000001"}, {"id": "x"}):
        for method, end in (("GET", "html"), ("POST", "ticket")):
            answer = await box.call(method, f"/_sandbox/messages/{message['id']}/{end}")
            assert_refused(answer, 404, "not_found")
    path = f"/_sandbox/messages/{of_another['id']}/html"
    assert_refused(await box.call("GET", f"{path}?unknown=1"), 400, "invalid_request")
    assert_refused(await box.call("POST", path), 405, "method_not_allowed")


@pytest.mark.parametrize("answers", ["documented", "observed"])
async def test_a_ticket_is_the_way_in_without_the_control_token(answers: str) -> None:
    async with sandbox(control_token="sesame", answers=answers) as box:
        own = Locked(box, SetTime(), await sent(box))
        await own.assert_refused(f"{own.path}/html")
        url = await own.ticketed()
        assert url.startswith(f"{own.path}/html?ticket=")
        for method in ("GET", "HEAD"):
            assert (await box.http.request(method, url)).status_code == 200
        # The ticket is for the account of the message, whoever uses it.
        assert (await box.other().call("GET", url)).text == HTML


async def test_a_ticket_is_valid_for_a_minute_of_real_time(locked: Locked) -> None:
    answer = await locked.box.call("POST", f"{locked.path}/ticket", headers=KEY)
    assert answer.json()["expiresAt"] == "2023-11-14T22:14:20.000000Z"
    url = answer.json()["url"]
    for path in ("clock/freeze", "clock/advance"):
        body = {"seconds": 3600} if path == "clock/advance" else None
        await locked.box.call("POST", f"/_sandbox/{path}", headers=KEY, json=body)
    locked.time.instant += SECONDS * SECOND - 1
    assert (await locked.box.http.get(url)).status_code == 200
    locked.time.instant += 1
    await locked.assert_refused(url)
    await locked.assert_refused(url, headers={"X-Control-Token": "sesame"})
    assert (await locked.box.http.get(f"{locked.path}/html", headers=KEY)).status_code == 200


async def test_a_ticket_is_for_one_path(locked: Locked) -> None:
    ticket = (await locked.ticketed()).rpartition("?")[2]
    second = await sent(locked.box)
    await locked.assert_refused(f"/_sandbox/messages/{second['id']}/html?{ticket}")
    for path in (locked.path, "/_sandbox/messages", "/_sandbox/account", "/_sandbox/requests"):
        await locked.assert_refused(f"{path}?{ticket}")
    for method, path in (
        ("POST", f"{locked.path}/ticket"),
        ("DELETE", locked.path),
        ("POST", f"{locked.path}/html"),
    ):
        answer = await locked.box.http.request(method, f"{path}?{ticket}")
        assert_refused(answer, 401, "unauthorized")


async def test_a_ticket_is_given_once_and_is_none_for_a_webhook(locked: Locked) -> None:
    url = await locked.ticketed()
    ticket = url.rpartition("?")[2]
    for both in (f"{url}&{ticket}", f"{locked.path}/html?ticket=x&{ticket}"):
        assert_refused(await locked.box.http.get(both), 400, "invalid_request")
    await locked.assert_refused(f"{url}&ticket=x")
    answer = await locked.box.http.get(url, headers={"User-Agent": f"{USER_AGENT}/1.0"})
    assert_refused(answer, 403, "forbidden")


@pytest.mark.parametrize("prefix", ["/team", ""], ids=["kept", "stripped"])
async def test_a_ticket_holds_whether_a_proxy_keeps_its_path_or_strips_it(prefix: str) -> None:
    async with sandbox(control_token="sesame", root_path="/team") as box:
        url = await Locked(box, SetTime(), await sent(box)).ticketed()
        assert (await box.http.get(prefix + url)).text == HTML


async def test_a_ticket_does_not_let_another_sites_page_in(locked: Locked) -> None:
    url = await locked.ticketed()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"},
        {"Host": "192.168.1.20:8256", "User-Agent": "Mozilla/5.0"},
    ):
        assert_refused(await locked.box.http.get(url, headers=headers), 403, "forbidden")
    answer = await locked.box.http.get(url, headers={"Host": "evil.example"})
    assert_refused(answer, 421, "misdirected_request")
    framed = {"Host": "192.168.1.20:8256", "User-Agent": "Mozilla/5.0"}
    framed |= {"Referer": "http://192.168.1.20:8256/"}
    assert (await locked.box.http.get(url, headers=framed)).status_code == 200


async def test_a_restart_ends_every_ticket(locked: Locked) -> None:
    url = await locked.ticketed()
    async with sandbox(control_token="sesame") as box:
        assert_refused(await box.http.get(url), 401, "unauthorized")


@pytest.mark.parametrize(
    "ticket", ["", ".", "..", "1.2.", "1.99999999999999999.", "é", "%00", "%ff"]
)
async def test_a_text_that_is_no_ticket_is_refused(locked: Locked, ticket: str) -> None:
    await locked.assert_refused(f"{locked.path}/html?ticket={ticket}")


PATHS = st.from_regex(r"/_sandbox/messages/msg_[0-9a-f]{16}/html", fullmatch=True)
ACCOUNTS = st.integers(1, 2**63 - 1)


@given(path=PATHS, account=ACCOUNTS, later=st.integers(0, 2 * SECONDS * SECOND))
def test_a_ticket_names_its_account_until_it_expires(path: str, account: int, later: int) -> None:
    time = SetTime()
    tickets = Tickets(time)
    ticket, expires_at = tickets.issue(path, account)
    time.instant += later
    is_valid = later < SECONDS * SECOND
    assert (time.now() < expires_at) is is_valid
    assert tickets.account_id(ticket, path) == (account if is_valid else None)


@given(path=PATHS, other=PATHS | st.text(), account=ACCOUNTS)
def test_a_ticket_for_one_path_is_none_for_another(path: str, other: str, account: int) -> None:
    assume(path != other)
    tickets = Tickets(SetTime())
    ticket, _ = tickets.issue(path, account)
    assert tickets.account_id(ticket, other) is None
    assert Tickets(SetTime()).account_id(ticket, path) is None


@given(data=st.data(), path=PATHS, account=ACCOUNTS)
def test_a_ticket_that_was_changed_is_none(data: st.DataObject, path: str, account: int) -> None:
    tickets = Tickets(SetTime())
    ticket, _ = tickets.issue(path, account)
    at = data.draw(st.integers(0, len(ticket) - 1))
    end = data.draw(st.integers(at, len(ticket)))
    changed = ticket[:at] + data.draw(st.text(max_size=3)) + ticket[end:]
    assume(changed != ticket)
    assert tickets.account_id(changed, path) is None
    # As if it were of another account, or longer valid.
    given_account, expires_at, code = ticket.split(".")
    for terms in (f"{account + 1}.{expires_at}", f"{given_account}.{int(expires_at) + 1}"):
        assert tickets.account_id(f"{terms}.{code}", path) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert Tickets(SetTime()).account_id(text, "/_sandbox/messages/x/html") is None
