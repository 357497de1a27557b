"""Logging in works on a good day and on a bad one, and sends one text each time."""

import pytest
from shop_login import Login
from shop_sms import NotSent, Sms

from msgine_sandbox.testing import ANSWER_LOST, Account, answered

AMINA = "+256701234567"


@pytest.fixture(autouse=True)
def nothing_that_hurts_in_production(msgine: Account):
    yield
    assert msgine.requests.warnings == []


def test_the_code_of_the_text_logs_in_once(msgine: Account, login: Login) -> None:
    assert login.request(AMINA) == "We have sent you a code."
    text = msgine.wait_for_message(to=AMINA)
    assert text.links == ["https://shop.example/help"]
    assert login.check(AMINA, text.code)
    assert not login.check(AMINA, text.code)


def test_another_code_does_not_log_in(msgine: Account, login: Login) -> None:
    login.request(AMINA)
    code = msgine.wait_for_message(to=AMINA).code
    assert not login.check(AMINA, f"{(int(code) + 1) % 10**6:06d}")
    assert not login.check("+256701234568", code)


@pytest.mark.parametrize(("minutes", "logs_in"), [(9, True), (10, False)])
def test_a_code_expires_after_ten_minutes(
    msgine: Account, login: Login, minutes: int, logs_in: bool
) -> None:
    login.request(AMINA)
    msgine.clock.advance(minutes=minutes)
    assert login.check(AMINA, msgine.messages[0].code) is logs_in


def test_a_number_that_is_none_is_told_at_once(msgine: Account, login: Login) -> None:
    assert login.request("0701234567") == "That is no phone number."
    assert len(msgine.requests) == 1


def test_two_answers_of_503_do_not_keep_anybody_out(msgine: Account, login: Login) -> None:
    with msgine.faults.fail(status=503, times=2) as fault:
        login.request(AMINA)
    assert fault.hits == 2
    [text] = msgine.messages
    assert login.check(AMINA, text.code)


@pytest.mark.parametrize("how", ["lost", "broken off"])
def test_an_answer_that_does_not_come_in_whole_makes_no_second_text(
    msgine: Account, login: Login, how: str
) -> None:
    if how == "lost":
        msgine.faults.drop("after", times=1)
    else:
        msgine.faults.malformed(commit=True, times=1)
    login.request(AMINA)
    [text] = msgine.messages
    assert login.check(AMINA, text.code)


def test_an_answer_that_is_late_makes_no_second_text(msgine: Account) -> None:
    hasty = Sms(msgine.base_url, msgine.token, lambda _: None, timeout=0.1)
    msgine.faults.delay(30, commit=True, times=1)
    hasty.send(AMINA, "Your code is 493817", key="login-1")
    hasty.close()
    assert len(msgine.messages) == 1


def test_a_connection_that_is_cut_every_time_makes_no_second_text(
    msgine: Account, sms: Sms
) -> None:
    sms.send(ANSWER_LOST, "Your code is 493817", key="login-1")
    assert len(msgine.messages) == 1


def test_a_rate_limit_is_waited_for(msgine: Account, login: Login) -> None:
    msgine.change(per_minute=1)
    login.request(AMINA)
    assert login.request(AMINA) == "We have sent you a code."
    assert [each.status for each in msgine.requests] == [201, 429, 201]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_that_passes_is_waited_for_and_trouble_that_stays_is_told(
    msgine: Account, sms: Sms, status: int
) -> None:
    sms.send(answered(status, times=3), "Hello", key="one")
    with pytest.raises(NotSent, match=str(status)):
        sms.send(answered(status), "Hello", key="two")
    assert len(msgine.messages) == 1


def test_trouble_that_stays_is_told_on_the_page(msgine: Account, login: Login) -> None:
    msgine.faults.fail(status=502)
    assert login.request(AMINA) == "Please try again in a minute."
    assert len(msgine.messages) == 0
