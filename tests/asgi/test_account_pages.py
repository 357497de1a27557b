"""Under --account-pages, the token of an account opens that account, and nothing else."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, boxed, sandbox
from following import following
from matching import assert_refused
from receiver import Receiver

from msgine_sandbox.openapi.control import CALLS
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

SECRET = {"X-Control-Token": "sesame"}
OPEN = {"GET /_sandbox", "GET /_sandbox/health"}
REFUSED = {"GET /_sandbox/metrics"}
ALLOWED = {
    "DELETE /_sandbox/faults",
    "DELETE /_sandbox/faults/{id}",
    "DELETE /_sandbox/messages",
    "DELETE /_sandbox/messages/{id}",
    "DELETE /_sandbox/requests",
    "GET /_sandbox/account",
    "GET /_sandbox/accounts",
    "GET /_sandbox/clock",
    "GET /_sandbox/coverage",
    "GET /_sandbox/definitions",
    "GET /_sandbox/events",
    "GET /_sandbox/faults",
    "GET /_sandbox/faults/{id}",
    "GET /_sandbox/magic",
    "GET /_sandbox/messages",
    "GET /_sandbox/messages/count",
    "GET /_sandbox/messages/wait",
    "GET /_sandbox/messages/{id}",
    "GET /_sandbox/messages/{id}/html",
    "GET /_sandbox/report",
    "GET /_sandbox/requests",
    "GET /_sandbox/requests/{id}",
    "GET /_sandbox/scenario",
    "GET /_sandbox/webhooks",
    "GET /_sandbox/webhooks/attempts",
    "GET /_sandbox/webhooks/attempts/{id}",
    "PATCH /_sandbox/account",
    "POST /_sandbox/clock/advance",
    "POST /_sandbox/clock/freeze",
    "POST /_sandbox/clock/resume",
    "POST /_sandbox/faults",
    "POST /_sandbox/messages/estimate",
    "POST /_sandbox/messages/{id}/status",
    "POST /_sandbox/messages/{id}/ticket",
    "POST /_sandbox/reset",
    "POST /_sandbox/webhooks/attempts/{id}/resend",
    "PUT /_sandbox/scenario",
    "PUT /_sandbox/webhooks",
}
BODIES: dict[str, Any] = {
    "PATCH /_sandbox/account": {"senderId": "Changed"},
    "POST /_sandbox/clock/advance": {"seconds": 1},
    "POST /_sandbox/faults": {"effect": {"status": 503}},
    "POST /_sandbox/messages/estimate": {"path": "/messages/sms", "body": {}},
    "POST /_sandbox/messages/{id}/status": {"status": "failed"},
    "PUT /_sandbox/scenario": {"accounts": [{"token": "test_mine"}]},
    "PUT /_sandbox/webhooks": {"endpoints": []},
}
Way = Callable[[str], dict[str, str]]
WAYS: dict[str, Way] = {
    "as a credential": lambda token: {"Authorization": f"Bearer {token}"},
    "as the page sends it": lambda token: {"X-Control-Token": token},
    "both": lambda token: {"X-Control-Token": token, "X-Api-Key": token},
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with sandbox(control_token="sesame", account_pages=True, tier="unlimited") as box:
        yield box


async def control(
    box: Box, method: str, path: str, headers: dict[str, str], **kwargs: Any
) -> httpx.Response:
    return await box.http.request(method, f"/_sandbox{path}", headers=headers, **kwargs)


async def full(box: Box, token: str, receiver: Receiver) -> dict[str, str]:
    """Give an account something of everything; return the ids, by the noun of their path."""
    own, headers = box.other(token), SECRET | {"Authorization": f"Bearer {token}"}
    await control(box, "POST", "/clock/freeze", headers)
    sent = await own.accepted(message=f"of {token}", callbackUrl=receiver.url)
    await control(box, "POST", "/clock/advance", headers, json={"seconds": 0.6})
    fault = await control(
        box,
        "POST",
        "/faults",
        headers,
        json={"effect": {"status": 503}, "match": {"to": "+256701"}},
    )
    [attempt] = (await control(box, "GET", "/webhooks/attempts", headers)).json()["data"]
    [entry] = (await control(box, "GET", "/requests", headers)).json()["data"]
    return {
        "messages": sent["id"],
        "faults": fault.json()["id"],
        "attempts": attempt["id"],
        "requests": entry["id"],
    }


def with_ids(path: str, ids: dict[str, str]) -> str:
    noun = path.partition("/{id}")[0].rpartition("/")[2]
    return path.replace("{id}", ids.get(noun, "")).removeprefix("/_sandbox")


def deletes(call: str) -> int:
    """Return how much a call deletes: what deletes more comes later, so that others find theirs."""
    if call.endswith("reset") or call.startswith("PUT /_sandbox/scenario"):
        return 3
    return 0 if "DELETE" not in call else 1 if "{id}" in call else 2


async def everything(box: Box, token: str) -> Any:
    """Return all that the control token shows of an account."""
    headers = SECRET | {"Authorization": f"Bearer {token}"}
    paths = ("account", "clock", "messages", "faults", "requests", "webhooks", "webhooks/attempts")
    found = {}
    for path in paths:
        found[path] = (await control(box, "GET", f"/{path}", headers)).json()
    found["clock"] = {name: found["clock"][name] for name in ("now", "frozen", "next")}
    return found


def test_it_is_decided_for_every_call_whether_an_account_may_make_it() -> None:
    assert {f"{method} {path}" for method, path in CALLS} == OPEN | REFUSED | ALLOWED


@every_way
async def test_every_call_is_allowed_or_refused_as_decided_and_leaves_others_alone(
    box: Box, receiver: Receiver, way: Way
) -> None:
    calls = sorted(ALLOWED | REFUSED, key=lambda call: (deletes(call), call))
    theirs = await full(box, "test_theirs", receiver)
    mine = await full(box, "test_mine", receiver)
    before = await everything(box, "test_theirs")
    assert before["messages"]["total"] == before["requests"]["total"] == 1
    for call in calls:
        method, path = call.split()
        own = with_ids(path, mine) + ("?timeout=0" if "wait" in path else "")
        if path.endswith("/events"):
            method = "HEAD"  # the stream is below
        answer = await control(box, method, own, way("test_mine"), json=BODIES.get(call))
        if call in REFUSED:
            assert_refused(answer, 403, "forbidden")
        else:
            # The message is an SMS, which has no HTML.
            missing = {404} if path.endswith(("/html", "/ticket")) else set()
            assert answer.status_code in {200, 201, 408} | missing, (call, answer.text)
            assert "of test_theirs" not in answer.text
            assert not any(each in answer.text for each in theirs.values()), call
        if "{id}" in path:
            foreign = await control(
                box, method, with_ids(path, theirs), way("test_mine"), json=BODIES.get(call)
            )
            assert_refused(foreign, 404, "not_found")
    assert await everything(box, "test_theirs") == before
    assert (await everything(box, "test_mine"))["messages"]["total"] == 0


@every_way
async def test_lists_have_that_account_only(box: Box, receiver: Receiver, way: Way) -> None:
    await full(box, "test_theirs", receiver)
    await box.anonymous.send()  # a request that belongs to no account
    await full(box, "test_mine", receiver)
    for path in ("accounts", "messages", "requests", "webhooks/attempts", "faults"):
        listed = (await control(box, "GET", f"/{path}", way("test_mine"))).json()
        assert (len(listed["data"]), listed["total"]) == (1, 1), path
        assert len((await control(box, "GET", f"/{path}", SECRET)).json()["data"]) > 1


@every_way
async def test_a_wait_in_vain_tells_of_that_accounts_messages_only(
    box: Box, receiver: Receiver, way: Way
) -> None:
    for token in ("test_theirs", "test_mine"):
        await full(box, token, receiver)
    for asked in ("contains=of+test_theirs", "contains=of+test_mine&status=failed"):
        path = f"/messages/wait?{asked}&timeout=0"
        answer = await control(box, "GET", path, way("test_mine"))
        assert_refused(answer, 408, "wait_timed_out")
        arrived = answer.json()["error"]["details"]["arrived"]
        assert [each["message"] for each in arrived] == ["of test_mine"]


@every_way
async def test_another_account_cannot_be_named(box: Box, receiver: Receiver, way: Way) -> None:
    await full(box, "test_theirs", receiver)
    await full(box, "test_mine", receiver)
    accounts = (await control(box, "GET", "/accounts", SECRET)).json()["data"]
    mine, theirs = (each["id"] for each in accounts)
    for account in (theirs, "acc_00000000000000ff", "x", ""):
        headers = way("test_mine") | {"X-Sandbox-Account": account}
        assert_refused(await control(box, "GET", "/messages", headers), 403, "forbidden")
    headers = way("test_mine") | {"X-Sandbox-Account": mine}
    assert (await control(box, "GET", "/messages", headers)).json()["total"] == 1


async def test_faults_and_clocks_for_all_accounts_need_the_control_token(box: Box) -> None:
    await box.accepted()
    fault = await control(box, "POST", "/faults", SECRET, json={"effect": {"delay": 0.001}})
    own = WAYS["as a credential"](box.token)
    for method in ("GET", "DELETE"):
        answer = await control(box, method, f"/faults/{fault.json()['id']}", own)
        assert_refused(answer, 404, "not_found")
    assert (await control(box, "DELETE", "/faults", own)).json() == {"deleted": 0}
    await control(box, "POST", "/clock/freeze", own)
    assert (await control(box, "GET", "/clock", SECRET)).json()["frozen"] is False


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Control-Token": "sesam"},
        {"X-Control-Token": ""},
        {"X-Control-Token": "test_never_used"},
        {"X-Control-Token": "two words"},
        {"X-Control-Token": "wrong", "Authorization": "Bearer test_mine"},
        {"X-Sandbox-Account": "acc_0000000000000001"},
        {"X-Control-Token": "acc_0000000000000001"},
    ],
    ids=str,
)
async def test_what_is_no_token_of_an_account_is_refused_and_opens_none(
    box: Box, headers: dict[str, str]
) -> None:
    await box.other("test_mine").accepted()
    for method, path in (("GET", "/messages"), ("POST", "/reset"), ("GET", "/accounts")):
        assert_refused(await control(box, method, path, headers), 401, "unauthorized")
    assert (await control(box, "GET", "/accounts", SECRET)).json()["total"] == 1


async def test_tokens_of_two_accounts_are_refused_and_open_none(box: Box) -> None:
    for token in ("test_mine", "test_theirs"):
        await box.other(token).accepted()
    for other in ("test_theirs", "test_never_used"):
        headers = {"X-Control-Token": "test_mine", "Authorization": f"Bearer {other}"}
        assert_refused(await control(box, "GET", "/messages", headers), 403, "forbidden")
    assert (await control(box, "GET", "/accounts", SECRET)).json()["total"] == 2


async def test_without_the_setting_only_the_control_token_opens_anything() -> None:
    async with sandbox(control_token="sesame") as box:
        await box.accepted()
        for way in WAYS.values():
            answer = await control(box, "GET", "/messages", way(box.token))
            assert_refused(answer, 401, "unauthorized")


async def test_where_tokens_are_named_no_other_opens_an_account() -> None:
    async with sandbox(control_token="sesame", account_pages=True, token=("one",)) as box:
        assert (await control(box, "GET", "/messages", WAYS["as a credential"]("one"))).is_success
        for way in WAYS.values():
            assert_refused(await control(box, "GET", "/messages", way("two")), 401, "unauthorized")


async def test_a_token_opens_its_page_after_a_restart(tmp_path: Any) -> None:
    settings = {"database": str(tmp_path / "sandbox.db"), "control_token": "sesame"}
    async with sandbox(account_pages=True, **settings) as box:
        await box.other("test_mine").accepted()
    async with sandbox(account_pages=True, **settings) as box:
        answer = await control(box, "GET", "/messages", WAYS["as the page sends it"]("test_mine"))
        assert answer.json()["total"] == 1


async def test_live_events_are_those_of_the_account() -> None:
    built = Sandbox(Settings(control_token="sesame", account_pages=True))
    async with boxed(built) as box:
        mine, theirs = box.other("test_mine"), box.other("test_theirs")
        await mine.send("no number")
        async with following(built, "test_mine") as follower:
            await theirs.accepted(message="of test_theirs")
            await mine.accepted(NUMBER, message="of test_mine")
            events = await follower.until(2)
    assert "of test_mine" in str(events)
    assert "test_theirs" not in str(events)
