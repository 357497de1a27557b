"""Messages of the Python client, in this process and over a remote sandbox."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from client_sends import NUMBER, post_developers, send_sms

from msgine_sandbox.testing import (
    REFUSED,
    STAYS_PENDING,
    Account,
    MessageNotFound,
    NoCode,
    SandboxError,
    magic_address,
    magic_token,
)


def test_a_message_has_all_its_fields(account: Account) -> None:
    account.clock.freeze()
    number = send_sms(account, [NUMBER, REFUSED], "Your code is 493817: https://a.example/x.")
    [message] = account.messages
    assert (message.id, message.to, message.sender) == (number, (NUMBER, REFUSED), "MsGine")
    assert (message.code, message.links) == ("493817", ["https://a.example/x"])
    assert message.codes == message.refresh().codes == message.refresh().raw["codes"] == ["493817"]
    assert (message.cost, message.currency) == (Decimal("0.1"), "USD")
    assert (message.segments, message.encoding, message.status) == (1, "GSM-7", "pending")
    assert [each.to for each in message.recipients] == [NUMBER, REFUSED]
    assert message.created_at.tzinfo is not None
    assert message.raw["sid"] == message.sid
    assert message.timeline[0]["requestId"] == message.request_id


def test_an_email_has_its_subject_html_and_links(account: Account) -> None:
    html = '<p>Code <b>493817</b> <a href="https://a.example/x?a=1&amp;b=2">Verify</a></p>'
    addresses = {"from": "a@b.example", "to": "jane@example.com", "cc": "joe@example.com"}
    post_developers(account, "email", subject="Welcome", html=html, **addresses)
    message = account.wait_for_message(channel="email", to="joe@example.com", contains="Welcome")
    assert (message.channel, message.title, message.html) == ("email", "Welcome", html)
    assert (message.text, message.code) == ("Code 493817 Verify", "493817")
    assert message.links == ["https://a.example/x?a=1&b=2"]
    assert (message.cost, message.currency, message.encoding) == (10, "UGX", None)
    assert (message.to, len(message.recipients)) == (("jane@example.com",), 2)
    assert {each.status for each in message.deliver().recipients} == {"delivered"}


def test_a_code_may_stand_in_the_subject(account: Account) -> None:
    mail = {"from": "a@b.example", "to": magic_address("stuck", "1"), "text": "See above"}
    post_developers(account, "email", subject="493817 is your code", **mail)
    assert account.messages[0].code == "493817"


def test_a_code_may_stand_only_in_the_html(account: Account) -> None:
    mail = {"from": "a@b.example", "to": magic_address("stuck", "1"), "subject": "Sign in"}
    html = "<center>Your code</center>482913<p>Card ending 1234</p>"
    post_developers(account, "email", text="Please see the HTML", html=html, **mail)
    assert account.messages[0].code == "482913"


def test_a_message_is_read_by_the_id_that_the_application_has(account: Account) -> None:
    first, second = send_sms(account, text="one"), send_sms(account, text="two")
    assert account.messages.get(first).text == "one"
    assert [each.text for each in account.messages.list(id=second)] == ["two"]
    assert account.wait_for_message(id=first, timeout=0).text == "one"
    account.clock.advance(seconds=3)
    assert account.wait_for_message(id=first, status="delivered", timeout=0).id == first


def test_a_message_that_the_account_does_not_have_is_not_found(account: Account) -> None:
    with pytest.raises(MessageNotFound, match="has no messages"):
        account.messages.get("msg_0000000000000001")
    send_sms(account, text="mine")
    others = send_sms(account.another())
    with pytest.raises(MessageNotFound) as raised:
        account.messages.get(others)
    assert repr(others) in str(raised.value)
    assert "'mine'" in str(raised.value)
    with pytest.raises(MessageNotFound, match=f"with id='{others}' arrived"):
        account.wait_for_message(id=others, timeout=0)


@pytest.mark.parametrize("text", ["", "xyz", "wait", "wait?timeout=0", "msg_1", "{id}/../{id}"])
def test_a_text_that_is_no_id_is_the_same_error_in_every_call(account: Account, text: str) -> None:
    no_id = text.format(id=send_sms(account))
    messages = account.messages
    for call in (
        lambda: messages.get(no_id),
        lambda: messages.list(id=no_id),
        lambda: account.wait_for_message(id=no_id, timeout=0),
        lambda: messages.delete(no_id),
    ):
        with pytest.raises(SandboxError) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (400, "invalid_request")
        details = {"field": "id", "value": no_id, "expected": "the id of a message"}
        assert refused.value.details == details
    assert len(messages) == 1


def test_an_id_that_the_application_did_not_get_is_no_id(account: Account) -> None:
    send_sms(account)
    with pytest.raises(SandboxError, match="id must be the id of a message") as refused:
        account.messages.get(None)  # type: ignore[arg-type]  (as a test whose application failed)
    assert refused.value.status == 400


def test_a_scheduled_push_has_its_data_and_time(account: Account) -> None:
    account.clock.freeze()
    at = account.clock.now.replace(microsecond=0) + timedelta(hours=1)
    tokens = ["a", magic_token("refused"), magic_token("bounce", "2")]
    later = {"tokens": tokens, "data": {"order": "1042"}, "scheduledFor": at.isoformat()}
    post_developers(account, "push", title="T", body="B", **later)
    message = account.messages.list(channel="push")[0]
    assert (message.status, message.scheduled_at, message.sent_at) == ("queued", at, None)
    assert (message.title, message.text, message.data) == ("T", "B", {"order": "1042"})
    account.clock.advance(to=at)
    statuses = [each.status for each in message.refresh().recipients]
    assert (statuses, message.refresh().sent_at) == (["sent", "failed", "failed"], at)


def test_a_queued_message_can_be_delivered(account: Account) -> None:
    post_developers(account, "sms", to=NUMBER, message="Hello", scheduledFor="2099-01-01T00:00:00Z")
    assert account.messages[0].deliver().status == "delivered"


def test_messages_are_a_sequence_with_the_newest_first(account: Account) -> None:
    assert not account.messages
    for text in ("one", "two", "three"):
        send_sms(account, text=text)
    assert [each.text for each in account.messages] == ["three", "two", "one"]
    assert (len(account.messages), account.messages[0].text, account.messages[-1].text) == (
        3,
        "three",
        "one",
    )
    assert [each.text for each in account.messages[1:]] == ["two", "one"]
    account.messages.delete(account.messages[1].id)
    assert [each.text for each in account.messages] == ["three", "one"]
    with pytest.raises(SandboxError) as refused:
        account.messages.delete("msg_0000000000000001")
    assert refused.value.status == 404
    assert account.messages.clear() == 2
    assert list(account.messages) == []


def test_a_space_or_plus_of_a_filter_finds_only_itself(account: Account) -> None:
    send_sms(account, text="Total 1+2")
    mail = {"from": "a@b.example", "to": "jane+news@example.com", "subject": "S", "text": "T"}
    post_developers(account, "email", **mail)
    for filters in ({"contains": "1 2"}, {"to": "jane news@example.com"}):
        assert account.messages.list(**filters) == []
        with pytest.raises(MessageNotFound):
            account.wait_for_message(timeout=0, **filters)
    assert account.messages.list(q="1 2") == []
    for filters in ({"contains": "1+2"}, {"q": "1+2"}, {"to": "jane+news@example.com"}):
        assert len(account.messages.list(**filters)) == 1
    assert len(account.messages.list(matches="l 1[+]2")) == 1


def test_messages_are_found_by_every_filter(account: Account) -> None:
    send_sms(account, "+256701000001", "Your code is 1111")
    account.clock.advance(minutes=1)
    account.clock.freeze()
    moment = account.clock.now
    send_sms(account, "+256701000002", "Welcome")
    found = account.messages.list
    assert [each.text for each in found(to="+256701000001")] == ["Your code is 1111"]
    assert [each.text for each in found(status="delivered")] == ["Your code is 1111"]
    assert [each.text for each in found(contains="elco")] == ["Welcome"]
    assert [each.text for each in found(matches=r"\d{4}$")] == ["Your code is 1111"]
    assert [each.text for each in found(q="WELCOME")] == ["Welcome"]
    assert [each.text for each in found(since=moment)] == ["Welcome"]
    assert [each.text for each in found(limit=1)] == ["Welcome"]


def test_a_wait_ends_as_soon_as_a_message_matches(account: Account) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(account.wait_for_message, to=NUMBER, contains="now", timeout=60)
        send_sms(account, text="not yet")
        send_sms(account, text="now")
        assert waiting.result(timeout=60).text == "now"


def test_a_wait_that_times_out_lists_the_messages_that_exist(account: Account) -> None:
    send_sms(account, STAYS_PENDING, text="Welcome")
    with pytest.raises(MessageNotFound) as raised:
        account.wait_for_message(to="+256701000009", contains="code", timeout=0)
    wanted = "to='+256701000009', contains='code'"
    assert str(raised.value).splitlines() == [
        f"No message with {wanted} arrived within 0 s. The account's messages, newest first:",
        f"  pending   to {STAYS_PENDING}: 'Welcome'",
        f"    to is {STAYS_PENDING}, not +256701000009; 'code' is not in it",
    ]
    assert isinstance(raised.value, AssertionError)


def test_a_wait_that_times_out_says_in_words_what_differs(account: Account) -> None:
    account.clock.freeze()
    send_sms(account, text="Welcome")
    for wanted, words in [
        ({"status": "sent"}, "status is pending, not sent"),
        ({"channel": "push"}, "channel is sms, not push"),
        ({"matches": "[0-9]"}, "'[0-9]' does not match"),
    ]:
        with pytest.raises(MessageNotFound, match=re.escape(words)):
            account.wait_for_message(timeout=0, **wanted)


def test_a_wait_can_move_the_clock_to_a_status(account: Account) -> None:
    account.clock.freeze()
    send_sms(account, text="Welcome")
    assert account.wait_for_message(status="sent", jump=True, timeout=0).status == "sent"
    before = account.clock.now
    with pytest.raises(MessageNotFound) as raised:
        account.wait_for_message(status="failed", jump=True, timeout=600)
    assert str(raised.value).splitlines() == [
        "No message with status='failed': none that fits otherwise reaches the status failed "
        "within ten years. The account's messages, newest first:",
        f"  sent      to {NUMBER}: 'Welcome'",
        "    status is sent, not failed",
    ]
    assert account.clock.now == before
    with pytest.raises(MessageNotFound, match="The clock is frozen"):
        account.wait_for_message(status="delivered", jump=False, timeout=0)
    assert account.wait_for_message(status="delivered", jump=True).status == "delivered"


def test_messages_are_counted_by_every_filter(account: Account) -> None:
    sent = send_sms(account, "+256701000001", "Your code is 1111")
    account.clock.advance(minutes=1)
    account.clock.freeze()
    moment = account.clock.now
    send_sms(account, text="Welcome")
    count = account.messages.count
    assert (count(), count(id=sent), count(to=NUMBER), count(channel="push")) == (2, 1, 1, 0)
    assert (count(status="delivered"), count(q="WELCOME"), count(contains="WELCOME")) == (1, 1, 0)
    assert (count(matches=r"\d{4}"), count(since=moment)) == (1, 1)


def test_a_wait_that_times_out_mentions_a_frozen_clock(account: Account) -> None:
    account.clock.freeze()
    with pytest.raises(MessageNotFound, match=r"has no messages\. The clock is frozen"):
        account.wait_for_message(timeout=0)


def test_a_message_without_a_code_raises_an_error_with_its_text(account: Account) -> None:
    send_sms(account, text="Welcome")
    with pytest.raises(NoCode, match="'Welcome'"):
        _ = account.messages[0].code
    assert issubclass(NoCode, LookupError)


def test_the_status_of_a_message_can_be_set(account: Account) -> None:
    account.clock.freeze()
    send_sms(account, [STAYS_PENDING, NUMBER])
    message = account.messages[0]
    sent = message.mark_sent(to=NUMBER)
    assert [each.status for each in sent.recipients] == ["pending", "sent"]
    done = message.deliver()
    assert [each.status for each in done.recipients] == ["delivered", "delivered"]
    assert (message.status, message.refresh().status) == ("pending", "delivered")
    assert done.deliver() == done
    send_sms(account)
    assert account.messages[0].fail().status == "failed"


def test_the_status_of_a_message_cannot_go_back(account: Account) -> None:
    send_sms(account)
    done = account.messages[0].deliver()
    for back in (done.fail, done.mark_sent):
        with pytest.raises(SandboxError) as refused:
            back()
        assert (refused.value.status, refused.value.code) == (400, "invalid_request")
    with pytest.raises(SandboxError, match="400"):
        done.deliver(to="+256701000009")


def test_a_list_that_an_answer_cannot_hold_is_read_on(account: Account) -> None:
    mail = {"from": "a@b.example", "to": "jane@example.com", "text": "x" * 512 * 1024}
    sent = [post_developers(account, "email", subject=f"{n}", **mail) for n in range(9)]
    assert [each.id for each in account.messages] == sent[::-1]
    assert [each.id for each in account.messages.list(limit=8)] == sent[:0:-1]
    assert [each.id for each in account.messages.list(contains="8 x")] == sent[8:]
    assert len(account.messages) == 9
