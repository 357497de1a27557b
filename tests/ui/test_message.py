"""One message in the browser: its text, its timeline, and code that sends it again."""

import contextlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import NUMBER, Client, Tab, copied, new_tab, run_shell
from live import serving
from playwright.async_api import Browser, Route, expect
from receiver import Receiver
from sends import SENDS
from session import run_session

from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.magic import ALL, MagicFault

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

# The boxes of an element that is inline, one for each line.
LINES = "(element) => [...element.getClientRects()].map((box) => box.toJSON())"


async def test_a_message_is_shown_with_its_timeline(tab: Tab, receiver: Receiver) -> None:
    tab.client.post("/_sandbox/clock/freeze")  # or the retry could come while the test looks
    receiver.answers = [503]
    tab.client.send(message="Hello", callbackUrl=receiver.url)
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await tab.open()
    await tab.find("row").click()
    await expect(tab.find("text")).to_have_text("Hello")
    await expect(tab.find("decisions")).to_contain_text("Rate limit: admitted")
    timeline = tab.find("timeline")
    for text in ("became pending", "became sent", "became delivered", "webhook-failed"):
        await expect(timeline).to_contain_text(text)
    attempts = timeline.locator("li.of-webhook")
    await expect(attempts).to_have_count(2)
    await expect(attempts.first).to_contain_text("message.sent")
    await expect(attempts.first).to_contain_text("503")
    await attempts.first.get_by_text("Details").click()
    await expect(tab.find("attempt")).to_contain_text("message.sent, attempt 1")
    await tab.find("resend").click()
    await expect(tab.find("attempt")).to_contain_text("message.sent, attempt 2")
    await tab.find("attempt").get_by_role("link", name="msg_").click()
    await expect(attempts).to_have_count(3)
    assert len(receiver.received) == 3


async def test_what_hundreds_of_recipients_have_in_common_is_one_line(
    browser: Browser, receiver: Receiver
) -> None:
    with serving("--tier", "unlimited") as own:
        async with new_tab(browser, own, viewport={"width": 1440, "height": 900}) as tab:
            tab.client.post("/_sandbox/clock/freeze")
            numbers = [f"+25670123{n:04d}" for n in range(98)]
            refused, stuck = "+256700000002", "+256700000003"
            tab.client.send([*numbers, refused, stuck], callbackUrl=receiver.url)
            tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
            await tab.open()
            await tab.find("row").click()
            recipients = tab.find("recipients").locator("li")
            await expect(recipients).to_have_count(11)  # the failed one, and ten others
            await expect(recipients.first).to_contain_text(f"{refused} failed")
            assert await tab.find("message").evaluate("(pane) => pane.scrollHeight") < 1500
            timeline = tab.find("timeline")
            for text in (
                "100 recipients became pending",
                "98 recipients became sent",
                f"{refused} became failed The carrier refuses the message",
                "98 recipients became delivered",
                f"98 × message.sent to {receiver.url}, attempt 1: 200",
            ):
                await expect(timeline).to_contain_text(text)
            await timeline.get_by_text("98 recipients became delivered").click()
            await expect(timeline.locator("details[open] li")).to_have_text(numbers)
            await tab.find("all-recipients").click()
            await expect(recipients).to_have_count(100)


async def test_segments_are_shown_and_the_character_that_forced_ucs2_is_marked(
    tab: Tab,
) -> None:
    tab.client.send(message="a" * 100 + "ê" + "b" * 60)
    await tab.open()
    await tab.find("row").click()
    await expect(tab.find("segment")).to_have_count(3)
    await expect(tab.find("forced")).to_have_text("ê")
    await expect(tab.find("facts")).to_contain_text("3 segments of UCS-2, because of ê (U+00EA)")


@pytest.mark.parametrize(("button", "status"), [("deliver", "delivered"), ("fail", "failed")])
async def test_the_status_of_a_message_can_be_set(tab: Tab, button: str, status: str) -> None:
    tab.client.post("/_sandbox/clock/freeze")  # or a status begins between looking and clicking
    tab.client.send(["+256700000003", "+256700000004"], "Waiting")
    await tab.open()
    await tab.find("row").click()
    await tab.find(button).click()
    await expect(tab.find("recipients").get_by_test_id("status")).to_have_text([status, status])
    await expect(tab.find(button)).to_be_disabled()


async def test_an_email_and_a_push_are_shown_with_their_fields(tab: Tab) -> None:
    email = {"from": "Shop <shop@example.com>", "to": "jane@example.com", "cc": "joe@example.com"}
    email |= {"subject": "Your order", "text": "It is on its way"}
    tab.client.post("/api/v1/developers/email", email)
    push = {"title": "Sale", "body": "Today only", "tokens": ["a", "sandbox-refused"]}
    tab.client.post("/api/v1/developers/push", push | {"data": {"order": "1042"}})
    await tab.open()
    await tab.find("row").last.click()
    message = tab.find("message")
    for text in ("Your order", "It is on its way", "joe@example.com"):
        await expect(message).to_contain_text(text)
    await tab.find("row").first.click()
    for text in ("Sale", "Today only", '"order": "1042"', "failed"):
        await expect(message).to_contain_text(text)


@pytest.mark.parametrize("channel", [*Channel])
async def test_a_message_of_every_channel_has_its_heading(tab: Tab, channel: Channel) -> None:
    sent = tab.client.post(f"/api/v1/developers/{channel}", SENDS[f"/{channel}"])
    await tab.open()
    await tab.find("row").click()
    heading = tab.find("message").locator("h2")
    await expect(heading).to_have_text(f"{TRAITS[channel].title} {sent['id']}")


async def test_a_channel_that_the_page_does_not_know_is_shown_with_its_heading(tab: Tab) -> None:
    only_sms = {"segments", "encoding", "unicodeBecauseOf", "parts"}

    def as_voice(message: dict[str, Any]) -> dict[str, Any]:
        others = {name: value for name, value in message.items() if name not in only_sms}
        return others | {"channel": "voice", "title": "A reminder"}

    async def add_channel(route: Route) -> None:
        response = await route.fetch()
        found = await response.json()
        found["channels"].append({"name": "voice", "title": "Voice call"})
        await route.fulfill(response=response, json=found)

    async def change_channel(route: Route) -> None:
        response = await route.fetch()
        found = await response.json()
        changed = found | {"data": [*map(as_voice, found["data"])]} if "data" in found else None
        await route.fulfill(response=response, json=changed or as_voice(found))

    await tab.page.route("**/_sandbox/definitions", add_channel)
    await tab.page.route(re.compile(r"/_sandbox/messages[/?]"), change_channel)
    tab.client.send("+256700000003", "Your appointment is at 9:00")
    await tab.open()
    await tab.find("row").click()
    message = tab.find("message")
    await expect(message.locator("h2")).to_contain_text("Voice call")
    await expect(message.locator("h3").first).to_have_text("A reminder")
    await expect(tab.find("text")).to_have_text("Your appointment is at 9:00")
    await expect(tab.find("recipients")).to_contain_text("+256700000003")
    await expect(tab.find("copy-curl")).to_have_count(0)
    await tab.page.unroute(re.compile(r"/_sandbox/messages[/?]"))


HOSTILE = {
    "a script": "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>",
    "a link": "javascript:window.hurt=1 <a href='javascript:window.hurt=1'>click</a>",
    "a right-to-left override": "Pay to \u202egnp.exe\u202c now",
    "invisible characters": "code\u200b\u200b493\u2060817\ufeff",
    "many emoji": "🎉" * 1600,
    "joined emoji": "👨\u200d👩\u200d👧 is one picture",
    "a null character": "before\u0000after",
}


async def test_a_hostile_text_is_shown_as_text_with_invisible_characters_labelled(tab: Tab) -> None:
    await tab.open()
    for name, text in HOSTILE.items():
        sent = tab.client.send(message=text)
        await tab.page.goto(f"{tab.client.origin}/#/inbox/{sent['id']}")
        await expect(tab.find("message")).to_contain_text(sent["id"])
        hidden = re.findall(r"[\u0000\u200b-\u202e\u2060\ufeff]", text)
        await check_shown(tab, text, [] if name == "joined emoji" else hidden)


async def check_shown(tab: Tab, text: str, hidden: list[str]) -> None:
    """Check that the text is shown, and each hidden character as its label."""
    assert await tab.page.evaluate("window.hurt") is None
    assert await tab.page.locator("main script, main img, main a[href^='javascript']").count() == 0
    shown = tab.find("text")
    labels = await shown.locator(".code-point").all_inner_texts()
    assert labels == [f"U+{ord(each):04X}" for each in hidden]
    plain = "".join(each for each in text if each not in hidden)
    left = await shown.evaluate(
        "(shown) => { const copy = shown.cloneNode(true);"
        " copy.querySelectorAll('.code-point, .number').forEach((each) => each.remove());"
        " return copy.textContent.replace(/\\s+(?=$)/, ''); }"
    )
    assert re.sub(r"\s", "", left) == re.sub(r"\s", "", plain)


async def test_a_message_is_copied_as_a_command_and_as_a_test(tab: Tab, tmp_path: Path) -> None:
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.client.send("+256700000001", 'It\'s "quoted" and has $signs\n100 %', **{"from": "Shop"})
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await tab.open()
    await tab.find("row").click()
    command = await copied(tab, "copy-curl")
    run_shell(command)
    await expect(tab.find("row")).to_have_count(2)
    first, second = await tab.row_texts.all_inner_texts()
    assert first == second
    (tmp_path / "test_copied.py").write_text(await copied(tab, "copy-pytest"))
    ended = run_session(tmp_path)
    assert ended.returncode == 0, ended.stdout


LATER = "2099-01-01T00:00:00Z"
EMAIL = {"from": "a@example.com", "to": "b@example.com", "subject": "S", "html": "<b>B</b>"}
COPIED: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "just sent": ("messages/sms", {"to": "+256700000003", "message": "Hi"}, None),
    "for later": (
        "developers/sms",
        {"to": NUMBER, "message": "Hi", "scheduledFor": LATER},
        None,
    ),
    "failed by hand": ("messages/sms", {"to": "+256700000003", "message": "Hi"}, "fail"),
    "delivered by hand": ("messages/sms", {"to": "+256700000004", "message": "Hi"}, "deliver"),
    "an email": ("developers/email", EMAIL, "deliver"),
    "a magic address with a label": (
        "developers/email",
        EMAIL | {"to": "Stuck+order-1042@sandbox.msgine.test"},
        "deliver",
    ),
    "a push": ("developers/push", {"title": "T", "body": "B", "userIds": ["1"]}, None),
}


async def test_a_copied_test_passes_for_every_kind_of_message(tab: Tab, tmp_path: Path) -> None:
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.client.post("/_sandbox/clock/freeze")  # or a message moves while it is copied
    await tab.open()
    for number, (path, body, button) in enumerate(COPIED.values()):
        sent = tab.client.post(f"/api/v1/{path}", body)
        await tab.page.goto(f"{tab.client.origin}/#/inbox/{sent['id']}")
        await expect(tab.find("message")).to_contain_text(sent["id"])
        if button:
            await tab.find(button).click()
            await expect(tab.find("deliver")).to_be_disabled()
        copy = await copied(tab, "copy-pytest")
        (tmp_path / f"test_copied_{number}.py").write_text(copy)
    ended = run_session(tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert f"{len(COPIED)} passed" in ended.stdout


# The tests of all messages of an account.
ALL_COPIES = """async () => {
  const { messageAsTest } = await import("/ui/message_test.js");
  const { store } = await import("/ui/store.js");
  const { data } = await store.control("GET", "/messages?limit=1000");
  return data.map((message) => messageAsTest(message, store.definitions));
}"""


async def test_a_copied_test_passes_for_every_magic_number(tab: Tab, tmp_path: Path) -> None:
    accepted = [each for each in ALL if each.fault is None or is_accepted(each.fault)]
    for each in accepted:
        sms = {"to": each.number, "message": f"To {each.name}"}
        for _ in range(1 + ((each.fault and each.fault.times) or 0)):
            with contextlib.suppress(httpx.TransportError):  # no answer, or a late one
                tab.client.request("POST", "/api/v1/messages/sms", json=sms, timeout=1)
    send_with_failures(tab.client)
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3600})
    await tab.open()
    copies = await tab.page.evaluate(ALL_COPIES)
    assert len(copies) == len(accepted) + 3
    assert r'"+256700000000": "The \"network\" is away"' in copies[0]
    for number, copy in enumerate(copies):
        (tmp_path / f"test_copied_{number}.py").write_text(copy)
    ended = run_session(tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert f"{len(copies)} passed" in ended.stdout


def is_accepted(fault: MagicFault) -> bool:
    """Whether a message is accepted in the end; two of the counts stand for all."""
    return fault.status is None or fault.times in {1, 2}


def send_with_failures(client: Client) -> None:
    """Send messages that have partly failed: by magic, by hand and by a fault."""
    client.send([NUMBER, "+256700000001", "+256700000002"], "Partly failed")
    sent = client.send(["+256700000003", "+256700000004"], "Partly failed by hand")
    by_hand = {"status": "failed", "to": "+256700000003"}
    client.post(f"/_sandbox/messages/{sent['id']}/status", by_hand)
    effect = {"delivery": "refused", "reason": 'The "network" is away'}
    client.post("/_sandbox/faults", {"effect": effect, "match": {"to": "+256700000000"}})
    client.send([NUMBER, "+256700000000"], "Partly failed by a fault")
    client.request("DELETE", "/_sandbox/faults")


async def test_a_push_without_a_target_is_copied_without_one(tab: Tab, tmp_path: Path) -> None:
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.client.post("/_sandbox/clock/freeze")
    for token in ("phone", "sandbox-refused"):
        device = {"token": token, "platform": "android"}
        tab.client.post("/api/v1/developers/push/device", device)
    tab.client.post("/api/v1/developers/push", {"title": "T", "body": "B"})
    await tab.open()
    await tab.find("row").click()
    run_shell(await copied(tab, "copy-curl"))
    await expect(tab.find("row")).to_have_count(2)
    first, second = await tab.row_texts.all_inner_texts()
    assert first == second
    requests = tab.client.request("GET", "/_sandbox/requests?path=push&limit=1").json()["data"]
    assert json.loads(requests[0]["request"]["body"]) == {"title": "T", "body": "B"}
    assert requests[0]["warnings"] == []
    (tmp_path / "test_copied.py").write_text(await copied(tab, "copy-pytest"))
    ended = run_session(tmp_path)
    assert ended.returncode == 0, ended.stdout


async def test_a_message_whose_id_is_a_uuid_is_opened_read_copied_and_emptied(
    browser: Browser,
) -> None:
    with serving("--answers", "observed") as own:
        async with new_tab(browser, own) as tab:
            await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            await tab.open()
            sent = tab.client.send()
            await tab.page.goto(f"{own.origin}/#/inbox/{sent['id']}")
            await expect(tab.find("message")).to_contain_text(sent["id"])
            assert re.search(r"\ndef test_\w+\(msgine\):\n", await copied(tab, "copy-pytest"))
            await tab.page.goto(f"{own.origin}/#/playground")
            await tab.find("token").fill(tab.client.token)
            await tab.find("call").select_option("message")
            await tab.find("field-id").fill(sent["id"])
            await tab.find("send").click()
            await expect(tab.find("answer-body")).to_contain_text(sent["id"])
            await tab.page.goto(f"{own.origin}/#/inbox")
            await tab.expect_rows(["Hello"])
            tab.client.request("DELETE", "/_sandbox/messages")
            await tab.expect_rows([])


async def test_a_hundred_recipients_are_moved_by_few_requests(tab: Tab) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    tab.client.send([f"+2567012340{n:02d}" for n in range(100)])
    await tab.open()
    await tab.find("row").click()
    urls: list[str] = []
    tab.page.on("request", lambda request: urls.append(request.url))
    await tab.find("deliver").click()
    await expect(tab.find("deliver")).to_be_disabled()
    assert sum(url.endswith("/status") for url in urls) == 2


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("msg_0000000000000001", "This message does not exist"),
        ("req_0000000000000001", "This request does not exist, or is no longer in the journal"),
        ("123e4567-e89b-42d3-a456-426614174000", "This message does not exist"),
        ("msg_12", "This message does not exist"),
        ("wait", "This message does not exist"),
        ("..", "This message does not exist"),
    ],
)
async def test_an_address_without_the_id_of_a_message_says_so(
    tab: Tab, text: str, answer: str
) -> None:
    tab.client.send(message="Mine")
    await tab.open()
    await tab.page.goto(f"{tab.client.origin}/#/inbox/{text}")
    await expect(tab.page.get_by_text(answer)).to_be_visible()
    await tab.expect_rows(["Mine"])
    await tab.page.get_by_role("link", name=re.compile("^Back")).click()
    await expect(tab.page.get_by_text(answer)).to_have_count(0)


async def test_a_message_is_deleted_with_what_is_still_to_happen(
    tab: Tab, receiver: Receiver
) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    tab.client.send(message="Stays")
    tab.client.send(message="Goes", callbackUrl=receiver.url)
    await tab.open()
    await tab.find("row").first.click()
    await tab.find("delete").click()
    await tab.page.get_by_role("button", name="Cancel").click()
    await tab.find("delete").click()
    await tab.find("delete-really").click()
    await tab.expect_rows(["Stays"])
    await expect(tab.find("message")).to_have_count(0)
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    assert receiver.received == []


async def test_another_accounts_message_does_not_stay_open(tab: Tab) -> None:
    other = Client(tab.client.origin)
    tab.client.send(message="Mine")
    other.send(message="Of another")
    await tab.open()
    await tab.find("row").click()
    await expect(tab.find("text")).to_have_text("Mine")
    tab.client, mine = other, tab.client
    await tab.choose_account()
    await tab.expect_rows(["Of another"])
    await expect(tab.page.locator(".message")).to_have_count(0)
    other.close()
    tab.client = mine


CHANGE_AND_CHOOSE = """async ([message, account]) => {
  const { store } = await import("/ui/store.js");
  store.reportChange(new Set([message]));
  store.chooseAccount(account);
  await new Promise((resolve) => setTimeout(resolve, 60)); // it would be loaded again before
}"""


async def test_a_message_that_changes_as_another_account_is_chosen_does_not_choose_its_own(
    tab: Tab,
) -> None:
    other = Client(tab.client.origin)
    other.request("GET", "/_sandbox/account")
    [account] = other.request("GET", "/_sandbox/accounts").json()["data"]
    other.close()
    tab.client.post("/_sandbox/clock/freeze")
    sent = tab.client.send(message="Mine")
    await tab.open()
    await tab.find("row").click()
    await expect(tab.find("text")).to_have_text("Mine")
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    await tab.page.evaluate(CHANGE_AND_CHOOSE, [sent["id"], account])
    await tab.expect_rows([])
    assert [url for url in asked if sent["id"] in url] == []


async def test_arabic_segments_stand_in_reading_order(tab: Tab) -> None:
    text = "السلام عليكم ورحمة الله وبركاته " * 5
    tab.client.send(message=text)
    await tab.open()
    row = tab.row_texts.first
    assert await row.evaluate("(text) => getComputedStyle(text).direction") == "rtl"
    await tab.find("row").click()
    await expect(tab.find("segment")).to_have_count(3)
    assert await tab.find("text").evaluate("(text) => getComputedStyle(text).direction") == "rtl"
    # One text: where a segment ends inside a line, the next one is to the left of it.
    lines = [await each.evaluate(LINES) for each in await tab.find("segment").all()]
    for before, after in itertools.pairwise(lines):
        assert before[-1]["top"] == after[0]["top"]
        assert after[0]["right"] <= before[-1]["left"] + 1


async def test_a_link_to_what_another_account_has_opens_it(tab: Tab) -> None:
    other = Client(tab.client.origin)
    sent = other.send(message="Of another")
    refused = other.request("POST", "/api/v1/messages/sms", json={"to": "0701234567"})
    own = tab.client.send(message="Mine")
    for view, shown in {
        f"inbox/{sent['id']}": "Of another",
        f"requests/{refused.headers['x-request-id']}": "message is required",
    }.items():
        await tab.open()
        await tab.page.goto(f"{tab.client.origin}/#/{view}")
        await expect(tab.page.locator(".message")).to_contain_text(shown)
        await expect(tab.find("account")).to_have_value(re.compile(other.token))
        await expect(tab.find("notice")).to_contain_text(other.token)
    # Back to where another account was chosen, and to a link that names its account.
    await tab.page.goto(f"{tab.client.origin}/#/inbox/{own['id']}")
    await expect(tab.find("account")).to_have_value(re.compile(tab.client.token))
    await tab.page.go_back()
    await expect(tab.find("refusal")).to_contain_text("message is required")
    await expect(tab.find("account")).to_have_value(re.compile(other.token))
    link = tab.page.url
    second = Tab(await tab.page.context.new_page(), tab.client)
    await second.page.goto(link)
    await expect(second.find("refusal")).to_contain_text("message is required")
    await expect(second.find("account")).to_have_value(re.compile(other.token))
    await expect(second.page).to_have_title(re.compile("400 POST /api/v1/messages/sms"))
    await second.page.goto(f"{tab.client.origin}/#/inbox?account=acc_00000000000fffff")
    await expect(second.find("notice")).to_contain_text("acc_00000000000fffff no longer")
    await expect(second.find("account")).to_have_value("")
    other.close()


async def test_a_message_says_that_the_sandbox_is_away(browser: Browser, tmp_path: Path) -> None:
    file = ("--database", str(tmp_path / "kept.db"))
    with serving(*file) as own:
        port = own.origin.rpartition(":")[2]
        async with new_tab(browser, own) as tab:
            tab.client.send(message="Hello")
            await tab.open()
            await expect(tab.find("row")).to_have_count(1)
            own.process.terminate()
            own.wait()
            await expect(tab.find("link")).to_contain_text("not responding")
            await tab.find("row").click()
            await expect(tab.page.locator(".message")).to_contain_text("not responding")
            with serving(*file, "--port", port):
                await expect(tab.find("text")).to_have_text("Hello")


async def test_recipients_are_counted_and_the_failed_ones_come_first(tab: Tab) -> None:
    numbers = [*(f"+2567012345{n:02d}" for n in range(10, 30)), "+256700000002"]
    tab.client.send(numbers, "To many")
    tab.client.post("/_sandbox/clock/advance", {"seconds": 60})
    await tab.open()
    await tab.find("row").click()
    await expect(tab.find("recipients").locator("li").first).to_contain_text("+256700000002")
    counts = tab.find("recipient-counts")
    await expect(counts.get_by_test_id("status")).to_have_text(["delivered", "failed"])
    await expect(counts).to_contain_text("×20")
