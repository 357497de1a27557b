"""One message in the browser: what a phone shows, and all that happened to it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsing import NUMBER, Client, Scene, shell
from playwright.async_api import expect
from receiver import Receiver

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_message_is_shown_with_all_that_happened_to_it(
    scene: Scene, receiver: Receiver
) -> None:
    receiver.answers = [503]
    scene.client.send(message="Hello", callbackUrl=receiver.url)
    scene.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await scene.open()
    await scene.at("row").click()
    await expect(scene.at("text")).to_have_text("Hello")
    await expect(scene.at("decisions")).to_contain_text("Rate limit: admitted")
    timeline = scene.at("timeline")
    for told in ("became pending", "became sent", "became delivered", "webhook-failed"):
        await expect(timeline).to_contain_text(told)
    tries = timeline.locator("li.of-webhook")
    await expect(tries).to_have_count(2)
    await expect(tries.first).to_contain_text("message.sent")
    await expect(tries.first).to_contain_text("503")
    await tries.first.get_by_text("Webhook sent").click()
    await expect(tries.first).to_contain_text("user-agent")
    await tries.first.get_by_test_id("resend").click()
    await expect(tries).to_have_count(3)
    assert len(receiver.heard) == 3


async def test_segments_have_borders_and_the_character_that_cost_them_is_marked(
    scene: Scene,
) -> None:
    scene.client.send(message="a" * 100 + "ê" + "b" * 60)
    await scene.open()
    await scene.at("row").click()
    await expect(scene.at("segment")).to_have_count(3)
    await expect(scene.at("forced")).to_have_text("ê")
    await expect(scene.at("facts")).to_contain_text("3 segments of UCS-2, because of ê (U+00EA)")


@pytest.mark.parametrize(("button", "status"), [("deliver", "delivered"), ("fail", "failed")])
async def test_a_message_is_moved_by_hand(scene: Scene, button: str, status: str) -> None:
    scene.client.send(["+256700000003", "+256700000004"], "Waiting")
    await scene.open()
    await scene.at("row").click()
    await scene.at(button).click()
    await expect(scene.at("recipients").get_by_test_id("status")).to_have_text([status, status])
    await expect(scene.at(button)).to_be_disabled()


async def test_an_email_and_a_push_are_shown_as_what_they_are(scene: Scene) -> None:
    email = {"from": "Shop <shop@example.com>", "to": "jane@example.com", "cc": "joe@example.com"}
    email |= {"subject": "Your order", "html": "<p>It is <b>on its way</b></p>"}
    scene.client.post("/api/v1/developers/email", email)
    push = {"title": "Sale", "body": "Today only", "tokens": ["a", "sandbox-refused"]}
    scene.client.post("/api/v1/developers/push", push | {"data": {"order": "1042"}})
    await scene.open()
    await scene.at("row").last.click()
    message = scene.at("message")
    for told in ("Shop <shop@example.com>", "Your order", "It is on its way", "joe@example.com"):
        await expect(message).to_contain_text(told)
    await scene.at("row").first.click()
    for told in ("Sale", "Today only", '"order": "1042"', "failed"):
        await expect(message).to_contain_text(told)


HOSTILE = {
    "a script": "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>",
    "a link": "javascript:window.hurt=1 <a href='javascript:window.hurt=1'>click</a>",
    "an override": "Pay to \u202egnp.exe\u202c now",
    "nothing seen": "code\u200b\u200b493\u2060817\ufeff",
    "pictures": "🎉" * 1600,
    "a family": "👨\u200d👩\u200d👧 is one picture",
    "a null": "before\u0000after",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_text_is_shown_harmlessly_and_all_of_it_is_seen(
    scene: Scene, name: str
) -> None:
    text = HOSTILE[name]
    scene.client.send(message=text)
    await scene.open()
    await scene.at("row").click()
    shown = scene.at("text")
    await shown.wait_for()
    assert await scene.page.evaluate("window.hurt") is None
    assert (
        await scene.page.locator("main script, main img, main a[href^='javascript']").count() == 0
    )
    signs = await shown.locator(".sign").all_inner_texts()
    hidden = [] if name == "a family" else re.findall(r"[\u0000\u200b-\u202e\u2060\ufeff]", text)
    assert signs == [f"U+{ord(each):04X}" for each in hidden]
    plain = "".join(each for each in text if each not in hidden)
    left = await shown.evaluate(
        "(shown) => { const copy = shown.cloneNode(true);"
        " copy.querySelectorAll('.sign, .number').forEach((each) => each.remove());"
        " return copy.textContent.replace(/\\s+(?=$)/, ''); }"
    )
    assert re.sub(r"\s", "", left) == re.sub(r"\s", "", plain)


async def test_a_message_is_copied_as_a_command_and_as_a_test(scene: Scene, tmp_path: Path) -> None:
    await scene.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    scene.client.send("+256700000001", 'It\'s "quoted" and has $signs\n100 %', **{"from": "Shop"})
    scene.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await scene.open()
    await scene.at("row").click()
    command = await copied(scene, "copy-curl")
    shell(command.replace("YOUR_TOKEN", scene.client.token))
    await expect(scene.at("row")).to_have_count(2)
    first, second = await scene.rows()
    assert first == second
    (tmp_path / "test_copied.py").write_text(await copied(scene, "copy-pytest"))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert ended.returncode == 0, ended.stdout


async def copied(scene: Scene, name: str) -> str:
    await scene.at(name).click()
    await expect(scene.at(name)).to_have_text("Copied")
    return await scene.page.evaluate("navigator.clipboard.readText()")


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
    "a push": ("developers/push", {"title": "T", "body": "B", "userIds": ["1"]}, None),
}


@pytest.mark.parametrize("name", COPIED)
async def test_a_copied_test_passes_whatever_became_of_the_message(
    scene: Scene, tmp_path: Path, name: str
) -> None:
    path, body, button = COPIED[name]
    await scene.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    scene.client.post(f"/api/v1/{path}", body)
    await scene.open()
    await scene.at("row").click()
    if button:
        scene.client.post("/_sandbox/clock/freeze")
        await scene.at(button).click()
        await expect(scene.at("deliver")).to_be_disabled()
    (tmp_path / "test_copied.py").write_text(await copied(scene, "copy-pytest"))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert ended.returncode == 0, ended.stdout


async def test_a_hundred_recipients_are_moved_in_few_calls(scene: Scene) -> None:
    scene.client.post("/_sandbox/clock/freeze")
    scene.client.send([f"+2567012340{n:02d}" for n in range(100)])
    await scene.open()
    await scene.at("row").click()
    asked: list[str] = []
    scene.page.on("request", lambda request: asked.append(request.url))
    await scene.at("deliver").click()
    await expect(scene.at("deliver")).to_be_disabled()
    assert sum(url.endswith("/status") for url in asked) == 2


async def test_another_accounts_message_does_not_stay_open(scene: Scene) -> None:
    other = Client(scene.client.origin)
    scene.client.send(message="Mine")
    other.send(message="Of another")
    await scene.open()
    await scene.at("row").click()
    await expect(scene.at("text")).to_have_text("Mine")
    scene.client, mine = other, scene.client
    await scene.choose()
    await expect(scene.page.get_by_text("That message is not there")).to_be_visible()
    other.close()
    scene.client = mine
