"""The Python client: what a test sees and does, on a sandbox of its own and on a remote one."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import serving

import msgine_sandbox
from msgine_sandbox.services.magic import OUTCOMES, REQUEST_FAULTS
from msgine_sandbox.settings import SettingsError
from msgine_sandbox.testing import (
    ANSWER_LOST,
    REFUSED,
    STAYS_PENDING,
    Account,
    Endpoint,
    MessageNotFound,
    NoCode,
    SandboxError,
    SandboxUnreachable,
    Server,
    answered,
    magic,
    magic_address,
    magic_token,
)

NUMBER = "+256701234567"


@pytest.fixture(scope="module", params=["in this process", "remote"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "remote":
        with serving() as live, Server.connect(live.base_url) as server:
            yield server
    else:
        with Server.start() as server:
            yield server


@pytest.fixture
def account(server: Server) -> Account:
    return server.account()


def post(account: Account, to: Any = NUMBER, text: str = "Hello", key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {account.token}"} | (
        {"Idempotency-Key": key} if key else {}
    )
    return httpx.post(
        f"{account.base_url}/messages/sms", json={"to": to, "message": text}, headers=headers
    )


def send(account: Account, to: Any = NUMBER, text: str = "Hello", key: str = "") -> str:
    answer = post(account, to, text, key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


# Messages


def test_a_message_is_seen_with_all_that_is_known_of_it(account: Account) -> None:
    number = send(account, [NUMBER, REFUSED], "Your code is 493817: https://a.example/x.")
    [message] = account.messages
    assert (message.id, message.to, message.sender) == (number, (NUMBER, REFUSED), "MsGine")
    assert (message.code, message.links) == ("493817", ["https://a.example/x"])
    assert (message.cost, message.currency) == (Decimal("0.1"), "USD")
    assert (message.segments, message.encoding, message.status) == (1, "GSM-7", "pending")
    assert [each.to for each in message.recipients] == [NUMBER, REFUSED]
    assert message.created_at.tzinfo is not None
    assert message.raw["sid"] == message.sid
    assert message.timeline[0]["requestId"] == message.request_id


def develop(account: Account, channel: str, **body: Any) -> str:
    headers = {"X-Api-Key": account.token}
    answer = httpx.post(f"{account.base_url}/developers/{channel}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_an_email_is_seen_with_its_subject_its_html_and_its_links(account: Account) -> None:
    html = '<p>Code <b>493817</b> <a href="https://a.example/x?a=1&amp;b=2">Verify</a></p>'
    everybody = {"to": "jane@example.com", "cc": "joe@example.com"}
    develop(account, "email", subject="Welcome", html=html, **everybody, **{"from": "a@b.example"})
    message = account.wait_for_message(channel="email", to="joe@example.com", contains="Welcome")
    assert (message.channel, message.title, message.html) == ("email", "Welcome", html)
    assert (message.text, message.code) == ("Code 493817 Verify", "493817")
    assert message.links == ["https://a.example/x?a=1&b=2"]
    assert (message.cost, message.currency, message.encoding) == (10, "UGX", None)
    assert (message.to, len(message.recipients)) == (("jane@example.com",), 2)
    assert {each.status for each in message.deliver().recipients} == {"delivered"}


def test_a_code_may_stand_in_the_subject(account: Account) -> None:
    mail = {"from": "a@b.example", "to": magic_address("stuck", "1"), "text": "See above"}
    develop(account, "email", subject="493817 is your code", **mail)
    assert account.messages[0].code == "493817"


def test_a_push_for_later_is_seen_with_its_data_and_its_time(account: Account) -> None:
    at = account.clock.now.replace(microsecond=0) + timedelta(hours=1)
    tokens = ["a", magic_token("refused"), magic_token("bounce", "2")]
    later = {"tokens": tokens, "data": {"order": "1042"}, "scheduledFor": at.isoformat()}
    develop(account, "push", title="T", body="B", **later)
    message = account.messages.list(channel="push")[0]
    assert (message.status, message.scheduled_at, message.sent_at) == ("queued", at, None)
    assert (message.title, message.text, message.data) == ("T", "B", {"order": "1042"})
    account.clock.advance(to=at)
    statuses = [each.status for each in message.refresh().recipients]
    assert (statuses, message.refresh().sent_at) == (["sent", "failed", "failed"], at)


def test_a_queued_message_is_delivered_by_hand(account: Account) -> None:
    develop(account, "sms", to=NUMBER, message="Hello", scheduledFor="2099-01-01T00:00:00Z")
    assert account.messages[0].deliver().status == "delivered"


def test_prices_of_the_second_generation_are_changed_by_channel(account: Account) -> None:
    settings = account.change(developer_prices={"email": Decimal("0.5")})
    assert settings.developer_prices == {"sms": 30, "email": Decimal("0.5"), "push": 0}


def test_a_name_that_is_none_is_refused() -> None:
    for make in (magic_address, magic_token):
        with pytest.raises(ValueError, match="'bounced'"):
            make("bounced")


def test_messages_are_a_sequence_with_the_newest_first(account: Account) -> None:
    assert not account.messages
    for text in ("one", "two", "three"):
        send(account, text=text)
    assert [each.text for each in account.messages] == ["three", "two", "one"]
    assert (len(account.messages), account.messages[0].text, account.messages[-1].text) == (
        3,
        "three",
        "one",
    )
    assert [each.text for each in account.messages[1:]] == ["two", "one"]
    assert account.messages.clear() == 3
    assert list(account.messages) == []


def test_messages_are_found_by_every_filter(account: Account) -> None:
    send(account, "+256701000001", "Your code is 1111")
    account.clock.advance(minutes=1)
    moment = account.clock.now
    send(account, "+256701000002", "Welcome")
    found = account.messages.list
    assert [each.text for each in found(to="+256701000001")] == ["Your code is 1111"]
    assert [each.text for each in found(status="delivered")] == ["Your code is 1111"]
    assert [each.text for each in found(contains="elco")] == ["Welcome"]
    assert [each.text for each in found(matches=r"\d{4}$")] == ["Your code is 1111"]
    assert [each.text for each in found(q="WELCOME")] == ["Welcome"]
    assert [each.text for each in found(since=moment)] == ["Welcome"]
    assert [each.text for each in found(limit=1)] == ["Welcome"]


def test_a_wait_ends_as_soon_as_a_message_fits(account: Account) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(account.wait_for_message, to=NUMBER, contains="now", timeout=10)
        send(account, text="not yet")
        send(account, text="now")
        assert waiting.result(timeout=5).text == "now"


def test_a_wait_in_vain_says_what_did_arrive(account: Account) -> None:
    send(account, text="Welcome")
    with pytest.raises(MessageNotFound) as told:
        account.wait_for_message(to="+256701000009", contains="code", timeout=0)
    wanted = "to='+256701000009', contains='code'"
    assert str(told.value).splitlines() == [
        f"No message with {wanted} arrived within 0 s. The account's messages, newest first:",
        f"  pending   to {NUMBER}: 'Welcome'",
    ]
    assert isinstance(told.value, AssertionError)


def test_a_wait_on_a_frozen_clock_says_so(account: Account) -> None:
    account.clock.freeze()
    with pytest.raises(MessageNotFound, match=r"has no messages\. The clock is frozen"):
        account.wait_for_message(timeout=0)


def test_a_message_without_a_code_says_its_text(account: Account) -> None:
    send(account, text="Welcome")
    with pytest.raises(NoCode, match="'Welcome'"):
        _ = account.messages[0].code
    assert issubclass(NoCode, LookupError)


def test_a_message_is_moved_by_hand(account: Account) -> None:
    account.clock.freeze()
    send(account, [STAYS_PENDING, NUMBER])
    message = account.messages[0]
    sent = message.mark_sent(to=NUMBER)
    assert [each.status for each in sent.recipients] == ["pending", "sent"]
    done = message.deliver()
    assert [each.status for each in done.recipients] == ["delivered", "delivered"]
    assert (message.status, message.refresh().status) == ("pending", "delivered")
    assert done.deliver() == done
    send(account)
    assert account.messages[0].fail().status == "failed"


def test_a_message_cannot_be_moved_back(account: Account) -> None:
    send(account)
    done = account.messages[0].deliver()
    for back in (done.fail, done.mark_sent):
        with pytest.raises(SandboxError) as refused:
            back()
        assert (refused.value.status, refused.value.code) == (400, "invalid_request")
    with pytest.raises(SandboxError, match="400"):
        done.deliver(to="+256701000009")


# The clock


def test_time_passes_as_far_as_it_is_told(account: Account) -> None:
    send(account)
    before = account.clock.now
    assert account.clock.advance(days=1, hours=2, minutes=3, seconds=4) == 2
    passed = account.clock.now - before
    assert timedelta(days=1, hours=2, minutes=3, seconds=4) <= passed < timedelta(days=1, hours=3)
    assert account.messages[0].status == "delivered"


def test_time_can_be_taken_to_a_moment(account: Account) -> None:
    with account.clock.frozen() as clock:
        moment = (clock.now + timedelta(days=400)).replace(microsecond=0)
        clock.advance(to=moment)
        assert clock.now == moment
    assert not account.clock.is_frozen


def test_a_frozen_clock_stays_frozen_after_a_block_within(account: Account) -> None:
    account.clock.freeze()
    with account.clock.frozen():
        pass
    assert account.clock.is_frozen
    account.clock.resume()
    assert not account.clock.is_frozen


def test_a_moment_needs_a_time_zone_and_no_duration_beside_it(account: Account) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        account.clock.advance(to=datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="either"):
        account.clock.advance(to=datetime(2030, 1, 1, tzinfo=UTC), hours=1)
    with pytest.raises(SandboxError) as refused:
        account.clock.advance(seconds=-1)
    assert refused.value.details["field"] == "seconds"


# Faults


def test_a_fault_acts_as_often_as_it_is_told(account: Account) -> None:
    fault = account.faults.fail(status=503, times=2, retry_after=3)
    assert (fault.hits, fault.left) == (0, 2)
    answers = [post(account) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 503, 201]
    assert answers[0].headers["Retry-After"] == "3"
    assert (fault.hits, fault.left) == (2, 0)
    assert len(account.messages) == 1


def test_a_fault_ends_with_its_block_and_tells_how_often_it_acted(account: Account) -> None:
    with account.faults.fail(status=429, to=NUMBER) as fault:
        assert post(account).status_code == 429
        assert post(account, "+256701000009").status_code == 201
        assert [each.id for each in account.faults] == [fault.id]
    assert post(account).status_code == 201
    assert (fault.hits, len(account.faults)) == (1, 0)
    fault.remove()
    assert fault.hits == 1


def test_requests_fail_in_every_way(account: Account) -> None:
    with account.faults.drop(), pytest.raises(httpx.RemoteProtocolError):
        post(account)
    assert len(account.messages) == 0
    with account.faults.drop("after"), pytest.raises(httpx.RemoteProtocolError):
        post(account)
    assert len(account.messages) == 1
    with account.faults.malformed(), pytest.raises(json.JSONDecodeError):
        post(account).json()
    with account.faults.delay(30, commit=True), pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{account.base_url}/messages/sms",
            json={"to": NUMBER, "message": "Hello"},
            headers={"Authorization": f"Bearer {account.token}"},
            timeout=0.2,
        )
    assert len(account.messages) == 2
    with account.faults.fail(status=500, method="GET", path="/messages", probability=1, seed=7):
        assert post(account).status_code == 201
    account.faults.fail()
    account.faults.fail()
    assert account.faults.clear() == 2


def test_a_fault_that_cannot_be_is_refused_in_words(account: Account) -> None:
    with pytest.raises(SandboxError) as refused:
        account.faults.fail(status=200)
    assert "status" in refused.value.details["field"]
    assert len(account.faults) == 0


# Terms, journal, coverage


def test_an_account_is_given_other_terms(account: Account) -> None:
    terms = account.change(
        tier="professional", per_second=5, sender_id="Shop", price=Decimal("30"), currency="UGX"
    )
    assert terms == account.settings
    assert (terms.tier, terms.per_minute, terms.per_second) == ("professional", 500, 5)
    assert (terms.sender_id, terms.price, terms.currency) == ("Shop", Decimal(30), "UGX")
    assert account.change(scopes=["READ_MESSAGES"]).scopes == ("READ_MESSAGES",)
    assert post(account).status_code == 403


def test_the_journal_has_what_the_client_asked_and_was_answered(account: Account) -> None:
    post(account, "0701234567")
    send(account)
    newest, oldest = account.requests
    assert (newest.method, newest.path, newest.status) == ("POST", "/api/v1/messages/sms", 201)
    assert newest.response is not None
    assert newest.response.json()["status"] == "pending"
    assert oldest.request.json()["to"] == "0701234567"
    assert newest.message_id == account.messages[0].id
    assert account.token not in str(newest.raw)
    assert [each.status for each in account.requests.list(status="4xx")] == [400]
    assert account.requests.clear() == 2
    assert len(account.requests) == 0


def test_a_client_that_does_well_has_no_warnings_and_others_are_told(account: Account) -> None:
    send(account)
    assert account.requests.warnings == []
    headers = {"Authorization": f"Bearer {account.token}"}
    body = {"to": NUMBER, "message": "Hello", "sender": "Shop"}
    httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers)
    [warning] = account.requests.warnings
    assert warning.code == "unknown-field"
    assert "sender" in warning.message
    assert warning.request_id == account.requests[0].id
    assert account.requests.list(warning="unknown-field")[0].warnings == (warning,)


def test_coverage_grows_with_what_a_client_meets(account: Account) -> None:
    before = account.coverage
    assert before.met == ()
    send(account)
    after = account.coverage
    assert after.met
    assert {*after.met, *after.unmet} == {*before.unmet}
    assert 0 < after.percent < 100
    account.reset()
    assert account.coverage.met == ()
    assert {*after.met} <= {*account.server.coverage.met}


# Webhooks


def test_endpoints_are_set_and_read(account: Account) -> None:
    assert account.webhooks.endpoints == []
    first = account.webhooks.listen("http://127.0.0.1:9/a", events=["message.failed"])
    second = account.webhooks.listen("http://127.0.0.1:9/b")
    assert account.webhooks.endpoints == [first, second]
    account.webhooks.listen("http://127.0.0.1:9/a", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert [each.url for each in account.webhooks.endpoints] == [second.url, first.url]
    account.webhooks.endpoints = [Endpoint("http://127.0.0.1:9/c")]
    assert [each.url for each in account.webhooks.endpoints] == ["http://127.0.0.1:9/c"]


# Accounts and sandboxes


def test_accounts_do_not_see_each_other(account: Account) -> None:
    other = account.another()
    assert other.token != account.token
    send(account)
    other.clock.advance(hours=1)
    other.faults.fail()
    assert (len(account.messages), len(other.messages)) == (1, 0)
    assert account.clock.now < other.clock.now
    assert post(account).status_code == 201
    assert account.another(account.token).messages[0].to == (NUMBER,)


def test_a_reset_makes_an_account_as_new(account: Account) -> None:
    send(account)
    account.clock.advance(days=3)
    account.faults.fail()
    account.reset()
    assert (len(account.messages), len(account.faults)) == (0, 0)
    assert account.clock.now - datetime.now(UTC) < timedelta(minutes=1)


def test_threads_share_an_account(account: Account) -> None:
    account.change(tier="unlimited")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: send(account, f"+25670100{at:04d}"), range(40)))
        found = pool.map(lambda at: account.wait_for_message(to=f"+25670100{at:04d}"), range(40))
        assert len({message.id for message in found}) == 40


def test_a_sandbox_is_started_for_a_block_and_gone_after_it() -> None:
    threads = threading.active_count()
    with msgine_sandbox.start(tier="free", sent_after=0, delivered_after=0) as account:
        assert account.settings.tier == "free"
        send(account)
        assert account.wait_for_message(status="delivered").text == "Hello"
        account.server.wire.call("GET", "/health")  # a connection that is kept
    assert threading.active_count() == threads
    with pytest.raises(httpx.ConnectError):
        httpx.get(account.origin)


@pytest.mark.parametrize("hangs", ["nobody", "a wait", "a delay"])
def test_a_stop_takes_less_than_a_second_whoever_hangs(hangs: str) -> None:
    with ThreadPoolExecutor() as pool:
        with msgine_sandbox.start() as account, httpx.Client() as idle:
            idle.get(f"{account.origin}/_sandbox/health")
            if hangs == "a wait":
                pool.submit(account.wait_for_message, timeout=60)
            if hangs == "a delay":
                account.faults.delay(60)
                pool.submit(post, account)
            idle.get(f"{account.origin}/_sandbox/health")
            began = time.monotonic()
        assert time.monotonic() - began < 0.9


def test_sandboxes_run_side_by_side() -> None:
    with msgine_sandbox.start() as one, msgine_sandbox.start() as other:
        send(one)
        assert other.another(one.token).messages.list() == []


def test_a_start_that_fails_says_why_and_leaves_nothing_behind(tmp_path: Path) -> None:
    threads = threading.active_count()
    (tmp_path / "text").write_text("no database" * 100)
    with msgine_sandbox.start() as account:
        port = int(account.origin.rpartition(":")[2])
        with pytest.raises(SettingsError, match="Cannot listen"), msgine_sandbox.start(port=port):
            pass
    for settings in ({"prot": 1}, {"tier": "gold"}, {"scenario": str(tmp_path / "none.json")}):
        with pytest.raises(SettingsError), msgine_sandbox.start(**settings):
            pass
    with (
        pytest.raises(Exception, match="is not a SQLite database"),
        msgine_sandbox.start(database=str(tmp_path / "text")),
    ):
        pass
    assert threading.active_count() == threads


def test_a_guarded_sandbox_takes_the_control_token() -> None:
    with serving("--control-token", "sesame") as live:
        with msgine_sandbox.connect(live.origin, control_token="sesame") as account:
            assert len(account.messages) == 0
        with (
            msgine_sandbox.connect(live.origin) as stranger,
            pytest.raises(SandboxError, match="401"),
        ):
            len(stranger.messages)
    with msgine_sandbox.start(control_token="sesame") as account:
        assert len(account.messages) == 0


def test_only_accepted_tokens_are_used() -> None:
    with msgine_sandbox.start(token=("test_one", "test_two")) as account:
        assert account.token == "test_one"
        send(account)


def test_over_tls_it_speaks_to_itself_and_elsewhere_to_whom_it_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with msgine_sandbox.start(tls=True, tls_ca=str(tmp_path / "ca.pem")) as account:
        assert account.base_url.startswith("https://")
        assert len(account.messages) == 0
        with pytest.raises(SandboxUnreachable), msgine_sandbox.connect(account.origin):
            pass
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with msgine_sandbox.connect(account.origin, account.token) as same:
            assert len(same.messages) == 0


def test_what_is_no_sandbox_is_said_to_be_none(receiver: Any) -> None:
    for url, words in (
        ("http://127.0.0.1:9", "No sandbox answers at http://127.0.0.1:9"),
        (receiver.url, "is not msgine-sandbox"),
        ("nonsense", "No sandbox answers at nonsense"),
    ):
        with pytest.raises(SandboxUnreachable, match=words), msgine_sandbox.connect(url):
            pass


# Numbers and imports


def test_every_magic_number_has_a_name() -> None:
    named = {
        value for name, value in vars(magic).items() if name.isupper() and isinstance(value, str)
    }
    counted = {
        answered(status, times)
        for status in (400, 401, 403, 429, 500, 502, 503)
        for times in (range(10) if status >= 429 else [0])
    }
    assert named | counted | set(magic.NAMES) == OUTCOMES.keys() | REQUEST_FAULTS.keys()
    assert (answered(503, 2), ANSWER_LOST) == ("+256700005032", "+256700004990")


@pytest.mark.parametrize(("status", "times"), [(400, 1), (503, 10), (503, -1), (418, 0)])
def test_a_number_that_is_none_is_refused(status: int, times: int) -> None:
    with pytest.raises(ValueError, match=str(status)):
        answered(status, times)


def test_the_package_and_its_names_cost_nothing_until_they_are_used() -> None:
    script = (
        "import sys, msgine_sandbox\n"
        "from msgine_sandbox import testing\n"
        "from msgine_sandbox.testing import UNREACHABLE, answered\n"
        "heavy = {'httpx', 'uvicorn', 'starlette', 'msgspec', 'sqlite3', 'asyncio', 'ssl'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
        "from msgine_sandbox.testing import Account\n"
        "assert Account in [getattr(testing, each) for each in dir(testing)]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_name_that_is_none_is_none() -> None:
    with pytest.raises(AttributeError):
        _ = msgine_sandbox.testing.Nothing
