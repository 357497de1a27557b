"""The ini option `msgine_clock`: every account of a session starts frozen, and waits jump."""

import pytest
from command import LIMIT
from live import serving
from session import OPTIONS

FROZEN = "[pytest]\nmsgine_clock = frozen"
TESTS = """
import httpx
import pytest
from msgine_sandbox.testing import MessageNotFound

def send(account, to="+256701234567", **fields):
    body = {"to": to, "message": "Your code is 493817", **fields}
    headers = {"Authorization": f"Bearer {account.token}"}
    return httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers)

def assert_frozen(account):
    assert account.clock.is_frozen
    before = account.clock.now
    send(account)
    assert account.wait_for_message().status == "pending"
    assert account.wait_for_message(status="sent", timeout=0).status == "sent"
    assert (account.clock.now - before).total_seconds() == 0.5

def test_the_account_of_a_test(msgine):
    assert_frozen(msgine)

def test_an_account_that_was_made_new(msgine):
    msgine.clock.resume()
    msgine.reset()
    assert_frozen(msgine)

def test_another_account(msgine, msgine_server):
    assert_frozen(msgine.another())
    assert_frozen(msgine_server.account("test_unlimited_of_this_test"))

def test_a_wait_that_does_not_jump(msgine):
    send(msgine)
    with pytest.raises(MessageNotFound, match="The clock is frozen"):
        msgine.wait_for_message(status="sent", jump=False, timeout=0)

def test_a_receiver(msgine, msgine_webhooks):
    send(msgine)
    assert msgine_webhooks.wait_for(event="message.delivered", timeout=0).verified
    assert msgine_webhooks.events == ["message.sent", "message.delivered"]

def test_a_test_that_lets_time_pass(msgine):
    msgine.clock.resume()
    send(msgine)
    assert msgine.wait_for_message(status="delivered", jump=False).status == "delivered"
"""


def test_every_account_starts_frozen_and_waits_jump(pytester: pytest.Pytester) -> None:
    pytester.makeini(FROZEN)
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess(*OPTIONS, timeout=LIMIT).assert_outcomes(passed=6)


def test_it_is_the_same_on_a_running_sandbox(pytester: pytest.Pytester) -> None:
    pytester.makeini(FROZEN)
    pytester.makepyfile(TESTS)
    with serving() as live:
        options = (*OPTIONS, "--msgine-url", live.base_url)
        pytester.runpytest_subprocess(*options, timeout=LIMIT).assert_outcomes(passed=6)


def test_the_account_of_a_fixed_token_starts_frozen_in_every_test(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini(FROZEN)
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def msgine_settings(): return {"token": "a-token"}

        @pytest.mark.parametrize("turn", range(2))
        def test_is_frozen(msgine, turn):
            assert msgine.clock.is_frozen
            msgine.clock.resume()
        """
    )
    pytester.runpytest_subprocess(*OPTIONS, timeout=LIMIT).assert_outcomes(passed=2)


@pytest.mark.parametrize("ini", ["[pytest]", "[pytest]\nmsgine_clock = real"])
def test_the_clock_runs_by_default(pytester: pytest.Pytester, ini: str) -> None:
    pytester.makeini(ini)
    pytester.makepyfile("def test_runs(msgine): assert not msgine.clock.is_frozen")
    pytester.runpytest_subprocess(*OPTIONS, timeout=LIMIT).assert_outcomes(passed=1)


def test_another_clock_is_a_usage_error_of_one_sentence(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmsgine_clock = frosty")
    pytester.makepyfile("def test_nothing(): pass")
    ended = pytester.runpytest_subprocess(*OPTIONS, timeout=LIMIT)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["ERROR: msgine_clock is real or frozen, not frosty"])
