"""Health, reset, magic recipients, and which bodies control calls take."""

import pytest
from box import Box, sandbox
from matching import assert_refused
from receiver import Receiver
from snapshot import change_everything, snapshot

from msgine_sandbox import __version__

# Health


async def test_health_needs_no_credential(box: Box) -> None:
    answer = await box.anonymous.call("GET", "/_sandbox/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": __version__}


async def test_the_control_api_is_never_limited() -> None:
    async with sandbox(tier="free") as box:
        for path in ("/health", "/messages", "/clock"):
            answers = [await box.call("GET", f"/_sandbox{path}") for _ in range(70)]
            assert {answer.status_code for answer in answers} == {200}
            assert not any(name.startswith("x-ratelimit") for name in answers[-1].headers)
        assert (await box.send()).status_code == 201


async def test_an_unknown_control_path_is_refused_in_the_envelope(box: Box) -> None:
    assert_refused(await box.call("GET", "/_sandbox/nowhere"), 404, "not_found")
    answer = await box.call("DELETE", "/_sandbox/clock")
    assert_refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


# Magic recipients


async def test_magic_recipients_are_listed_in_all_their_spellings(box: Box) -> None:
    found = (await box.http.get("/_sandbox/magic")).json()["data"]
    by_name = {each["name"]: each for each in found}
    assert by_name["answered-503-2"] == {
        "name": "answered-503-2",
        "number": "+256700005032",
        "address": "answered-503-2@sandbox.msgine.test",
        "token": "sandbox-answered-503-2",
        "what": "the first 2 sends are answered 503",
    }
    assert len(by_name) == len(found)


# Reset


async def test_a_reset_account_is_as_new_and_others_do_not_change(
    box: Box, receiver: Receiver
) -> None:
    fresh = await snapshot(box)
    other = box.other()
    theirs = await change_everything(other, receiver.url)
    mine = await change_everything(box, receiver.url)
    untouched = await snapshot(other)
    assert (await box.call("POST", "/_sandbox/reset")).status_code == 200
    assert await snapshot(box) == fresh
    assert await snapshot(other) == untouched
    assert (await other.accepted(key="k"))["id"] == theirs["id"]
    assert (await box.accepted(key="k"))["id"] != mine["id"]
    assert (await box.call("GET", f"/api/v1/messages/{mine['id']}")).status_code == 404


async def test_a_reset_empties_the_rate_limit_windows(box: Box) -> None:
    await box.freeze()
    await box.control("PATCH", "/account", {"limits": {"perMinute": 1}})
    await box.accepted()
    assert (await box.send()).status_code == 429
    await box.control("POST", "/reset")
    answer = await box.send()
    assert answer.status_code == 201
    assert answer.headers["x-ratelimit-remaining"] == "99"


async def test_a_reset_account_has_what_its_magic_token_gives(box: Box) -> None:
    readonly = box.other("test_readonly_reset")
    before = await readonly.get("/_sandbox/account")
    await readonly.control("PATCH", "/account", {"scopes": ["FULL_ACCESS"], "tier": "free"})
    await readonly.control("POST", "/reset")
    assert await readonly.get("/_sandbox/account") == before
    assert before["scopes"] == ["READ_MESSAGES"]


async def test_planned_steps_are_not_performed_after_a_reset(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    receiver.answers = [500]
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(seconds=1)
    await box.control("POST", "/reset")
    assert (await box.advance(days=1))["performed"] == 0
    assert receiver.events == ["message.sent"]


async def test_the_whole_sandbox_is_reset_without_a_credential(
    box: Box, receiver: Receiver
) -> None:
    fresh, other = await snapshot(box), box.other()
    await change_everything(box, receiver.url)
    await change_everything(other, receiver.url)
    await box.anonymous.control("POST", "/clock/advance", {"seconds": 3600})
    await box.anonymous.control("POST", "/clock/freeze")
    await box.anonymous.control("POST", "/reset")
    for account in (box, other, box.other()):
        [_, *rest] = await snapshot(account)
        assert rest == fresh[1:]
    assert (await box.anonymous.control("GET", "/clock"))["frozen"] is False


# Bodies


@pytest.mark.parametrize("path", ["/clock/freeze", "/clock/resume", "/reset"])
async def test_a_call_without_a_body_needs_no_content_type(box: Box, path: str) -> None:
    answer = await box.call("POST", f"/_sandbox{path}")
    assert "content-type" not in answer.request.headers
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/clock/advance"), ("PATCH", "/account"), ("PUT", "/webhooks")],
)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
async def test_a_body_that_is_not_sent_as_json_is_refused(
    box: Box, method: str, path: str, content_type: str
) -> None:
    before = await snapshot(box)
    content = b'{"seconds": 60, "tier": "free", "endpoints": []}'
    headers = {"Content-Type": content_type}
    answer = await box.call(method, f"/_sandbox{path}", content=content, headers=headers)
    assert_refused(answer, 415, "unsupported_media_type")
    assert await snapshot(box) == before


async def test_a_body_over_a_mebibyte_is_refused(box: Box) -> None:
    answer = await box.call("PUT", "/_sandbox/webhooks", content=b" " * (1024 * 1024 + 1))
    assert_refused(answer, 413, "payload_too_large")
