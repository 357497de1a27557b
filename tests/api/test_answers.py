"""The two forms of answers: as documented, and as the only recorded answer of the service."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from box import BASE_PATH, NUMBER, Box, boxed, sandbox
from following import following
from hypothesis import given
from hypothesis import strategies as st
from matching import assert_refused
from receiver import Receiver
from sends import SENDS, SMS

from msgine_sandbox.app import create_app
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.ids import LARGEST
from msgine_sandbox.model.message import AnswerForm, parse_message_id
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

OBSERVED = AnswerForm(Answers.OBSERVED)
FORMS = {each: AnswerForm(each) for each in Answers}
BOTH = pytest.mark.parametrize("answers", Answers)


async def sent(box: Box, to: Any = NUMBER, **more: Any) -> dict[str, Any]:
    """Send an SMS through the Messages API, and return the answer, whatever its status."""
    answer = await box.send(to, **more)
    assert answer.is_success, answer.text
    return answer.json()


def both_forms(message: dict[str, Any]) -> list[str]:
    """The id of a message in both forms."""
    row_id = parse_message_id(message["id"])
    assert row_id is not None
    return [form.message_id(row_id) for form in FORMS.values()]


# What the Messages API shows


async def test_an_observed_message_has_the_members_of_the_recorded_answer() -> None:
    async with sandbox(answers="observed") as box:
        await box.freeze()
        answer = await box.send(NUMBER, "Hello from MsGine!")
        message = answer.json()
        assert answer.status_code == 200
        assert UUID(message["id"]).version == 4
        rest = {name: message[name] for name in message.keys() - {"id", "createdAt"}}
        assert rest == {
            "sid": None,
            "channel": "sms",
            "to": [NUMBER],
            "from": "MsGine",
            "content": "Hello from MsGine!",
            "status": "pending",
            "cost": 30,
            "currency": "UGX",
        }
        assert await box.read(message) == message
        assert (await box.get(f"{BASE_PATH}/messages"))["data"] == [message]
        await box.advance(seconds=2)
        assert await box.read(message) == message | {"status": "delivered"}


@pytest.mark.parametrize(
    ("to", "text", "cost"),
    [(NUMBER, "a" * 161, 60), ([NUMBER, "+256752345678"], "a", 60), ([NUMBER] * 2, "a", 30)],
)
async def test_an_observed_message_costs_what_it_costs_in_the_developers_api(
    to: Any, text: str, cost: int
) -> None:
    async with sandbox(answers="observed") as box:
        message = await sent(box, to, message=text)
        assert (message["cost"], message["currency"]) == (cost, "UGX")
        assert (await box.developers("GET", f"/{message['id']}"))["cost"] == cost
        details = await box.details(message)
        assert (details["cost"], details["currency"]) == (cost, "UGX")
        [listed] = (await box.get("/_sandbox/messages", view="summary"))["data"]
        assert (listed["cost"], listed["currency"]) == (cost, "UGX")
        await box.control("PATCH", "/account", {"developerPrices": {"sms": 10}})
        assert (await sent(box))["cost"] == 10
        assert (await box.read(message))["cost"] == cost


@pytest.mark.parametrize("path", SENDS)
async def test_the_developers_api_keeps_its_members_under_both(path: str) -> None:
    members = []
    for answers in Answers:
        async with sandbox(answers=answers) as box:
            await box.freeze()
            answer = await box.call("POST", f"{BASE_PATH}/developers{path}", json=SENDS[path])
            message = answer.json()
            assert answer.status_code == 201
            assert await box.developers("GET", f"/{message['id']}") == message
            members.append(message.keys())
    assert members[0] == members[1]


async def test_observed_ids_are_uuids_in_the_order_of_acceptance() -> None:
    async with sandbox(answers="observed", tier="unlimited") as box:
        ids = [(await sent(box))["id"] for _ in range(20)]
        device = {"token": "token-of-a-phone", "platform": "ios"}
        ids.append((await box.developers("POST", "/push/device", device))["id"])
        assert ids == sorted(ids)
        assert [str(UUID(each)) for each in ids] == ids
        error = await box.developers_error("GET", f"/{ids[-1]}")
        assert error["code"] == "not_found"


@pytest.mark.parametrize("key", [None, "k"])
async def test_a_refusal_is_the_same_under_both(key: str | None) -> None:
    errors = []
    for answers in Answers:
        async with sandbox(answers=answers) as box:
            answer = await box.send("0701234567", key=key)
            errors.append(assert_refused(answer, 400, "invalid_phone_number"))
    assert errors[0] == errors[1]


# Ids in paths and queries


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_an_id_says_which_row_it_is_and_sorts_as_it_does(one: int, other: int) -> None:
    for form in FORMS.values():
        texts = [form.message_id(each) for each in (one, other)]
        assert list(map(parse_message_id, texts)) == [one, other]
        assert (texts[0] < texts[1]) == (one < other)
        if form is OBSERVED:
            assert parse_message_id(texts[0].upper()) == one


@given(st.integers(0, LARGEST), st.integers(4, 35), st.sampled_from("0123456789abcdefgX-"))
def test_a_mistyped_uuid_is_no_other_messages_id(row_id: int, at: int, character: str) -> None:
    text = OBSERVED.message_id(row_id)
    changed = text[:at] + character + text[at + 1 :]
    assert parse_message_id(changed) in ({row_id} if changed.lower() == text else {None})


@given(st.uuids() | st.uuids(version=4) | st.text("0123456789abcdef-_msg{}", max_size=40))
def test_what_the_sandbox_has_not_written_is_no_id(text: Any) -> None:
    row_id = parse_message_id(str(text))
    assert row_id is None or str(text).lower() in {f.message_id(row_id) for f in FORMS.values()}


@BOTH
async def test_every_path_and_query_takes_both_forms(answers: Answers, receiver: Receiver) -> None:
    async with sandbox(answers=answers, tier="unlimited") as box:
        await box.freeze()
        await box.listen(receiver.url)
        first, message = await sent(box), await sent(box)
        await box.advance(seconds=1)
        attempts = await box.attempts()
        for form in both_forms(message):
            assert (await box.read({"id": form}))["id"] == message["id"]
            assert (await box.developers("GET", f"/{form}"))["id"] == message["id"]
            assert (await box.details({"id": form}))["id"] == message["id"]
            assert await box.message_ids(before=form) == [first["id"]]
            found = await box.get("/_sandbox/webhooks/attempts", messageId=form)
            assert [each["messageId"] for each in found["data"]] == [message["id"]]
            timeout = {"before": form, "timeout": 0}
            assert (await box.get("/_sandbox/messages/wait", **timeout))["id"] == first["id"]
        delivered, deleted = both_forms(message)
        path = f"/_sandbox/messages/{delivered}"
        answer = await box.call("POST", f"{path}/status", json={"status": "delivered"})
        assert (answer.json()["id"], answer.json()["status"]) == (message["id"], "delivered")
        assert (await box.control("DELETE", f"/messages/{deleted}"))["deleted"] == 1
        assert len(attempts) == 2
        for form in both_forms(message):
            assert_refused(await box.call("GET", path), 404, "not_found")
            assert await box.message_ids(before=form) == [first["id"]]


@BOTH
@pytest.mark.parametrize(
    "unknown",
    ["3f0c9d52-0b7a-4e7e-9c55-0d6f3f3e0b11", "00000000-0000-4000-8100-000000000001", "{id}"],
)
async def test_an_unknown_uuid_is_not_found(answers: Answers, unknown: str) -> None:
    async with sandbox(answers=answers) as box:
        message = await sent(box)
        text = unknown.replace("{id}", both_forms(message)[1].replace("-", ""))
        for path in (f"{BASE_PATH}/messages/", f"{BASE_PATH}/developers/", "/_sandbox/messages/"):
            assert_refused(await box.call("GET", path + text), 404, "not_found")
        other = await box.other().call("GET", f"{BASE_PATH}/messages/{message['id']}")
        assert_refused(other, 404, "not_found")


async def test_a_uuid_names_messages_only(box: Box) -> None:
    await box.send()
    [entry] = (await box.get("/_sandbox/requests"))["data"]
    request_as_uuid = OBSERVED.message_id(int(entry["id"].removeprefix("req_"), 16))
    for path in ("requests", "webhooks/attempts", "messages"):
        answer = await box.call("GET", f"/_sandbox/{path}?before={request_as_uuid}")
        assert answer.status_code == (200 if path == "messages" else 400)
    assert (await box.call("GET", f"/_sandbox/requests/{request_as_uuid}")).status_code == 404


# Where a client finds its id


@BOTH
async def test_a_client_finds_its_id_wherever_its_message_is_named(
    answers: Answers, receiver: Receiver
) -> None:
    built = Sandbox(Settings(answers=answers))
    async with boxed(built) as box, following(built) as follower:
        await box.listen(receiver.url)
        message = await sent(box)
        await box.advance(seconds=2)
        found = await box.get("/_sandbox/messages/wait", status="delivered", timeout=0)
        assert (found["id"], found["sid"]) == (message["id"], message["sid"])
        [entry] = (await box.get("/_sandbox/requests"))["data"]
        assert entry["messageId"] == message["id"]
        assert {each["messageId"] for each in await box.attempts()} == {message["id"]}
        for webhook in receiver.received:
            names = [webhook.content[name] for name in ("id", "messageId", "sid")]
            assert names == [message["id"], message["id"], message["sid"]]
        other = await sent(box)
        await box.control("DELETE", f"/messages/{other['id']}")
        await box.control("DELETE", "/messages")
        events = {each["event"]: each["data"] for each in await follower.until(9)}
    assert events["message"]["id"] == other["id"]
    assert events["status"]["messageId"] == events["webhook"]["messageId"] == message["id"]
    assert events["deleted"]["messageIds"] == [other["id"]]
    assert events["emptied"]["upTo"] == message["id"]


@BOTH
async def test_warnings_name_the_id_that_the_client_has(answers: Answers) -> None:
    async with sandbox(answers=answers) as box:
        await box.freeze()
        await box.add_fault({"status": 503, "commit": True}, times=1)
        assert (await box.send()).status_code == 503
        again = await sent(box)
        for _ in range(5):
            await box.read(again)
        retried, polled = await box.warnings()
        [lost] = set(await box.message_ids()) - {again["id"]}
    assert f"{lost} was accepted then" in retried["message"]
    assert polled["message"].startswith(again["id"])


# The setting


async def test_the_account_says_which_form_its_answers_have() -> None:
    for answers in Answers:
        async with sandbox(answers=answers) as box:
            assert (await box.get("/_sandbox/account"))["answers"] == answers
            changed = await box.control("PATCH", "/account", {"senderId": "Shop"})
            assert changed["answers"] == answers
            error = await box.control_error("PATCH", "/account", {"answers": "documented"})
            assert error["details"]["field"] == "answers"


async def test_an_application_in_this_process_has_the_form_of_its_settings() -> None:
    transport = httpx.ASGITransport(create_app(Settings(answers="observed")))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await Box(http, "test_in_process").send()
    assert (answer.status_code, answer.json()["sid"]) == (200, None)


async def test_two_sandboxes_in_one_process_have_each_its_own_form() -> None:
    async with sandbox() as one, sandbox(answers="observed") as other:
        for _ in range(2):
            assert re.fullmatch("msg_[0-9a-f]{16}", (await sent(one))["id"])
            assert UUID((await sent(other))["id"])


@BOTH
async def test_a_file_of_the_other_form_opens_and_goes_on(answers: Answers, tmp_path: Path) -> None:
    file = str(tmp_path / "sandbox.db")
    [other] = set(Answers) - {answers}
    async with sandbox(database=file, answers=other) as before:
        await before.freeze()
        stored = await sent(before, key="k")
        email = await before.developers("POST", "/email", SENDS["/email"])
        token = before.token
    async with sandbox(database=file, answers=answers) as again:
        box = again.other(token)
        replayed = await box.send(key="k")
        assert (replayed.json(), replayed.headers["idempotent-replayed"]) == (stored, "true")
        new = await sent(box)
        shown = await box.read(stored)
        assert shown["id"] == FORMS[answers].message_id(parse_message_id(stored["id"]) or 0)
        assert shown.keys() == new.keys()
        assert (shown["cost"], shown["currency"]) == (new["cost"], new["currency"])
        listed = (await box.get(f"{BASE_PATH}/messages"))["data"]
        assert listed == [new, shown]
        assert (await box.developers("GET", f"/{email['id']}"))["subject"] == email["subject"]


async def test_a_lost_answer_is_found_by_its_key_in_the_observed_form() -> None:
    async with sandbox(answers="observed") as box:
        await box.add_fault({"status": 502, "commit": True}, times=1)
        assert (await box.send(key="k")).status_code == 502
        replay = await box.send(key="k")
        assert (replay.status_code, replay.headers["idempotent-replayed"]) == (200, "true")
        assert await box.message_ids() == [replay.json()["id"]]
        assert (await box.call("POST", f"{BASE_PATH}/developers/sms", json=SMS)).status_code == 201
