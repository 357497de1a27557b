"""Webhook endpoints and attempts in the browser."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from browsing import Client, Tab, new_tab
from command import LIMIT
from live import Live, serving
from needs import skip_or_fail
from playwright.async_api import Browser, expect
from project import DOCS
from receiver import Receiver

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STAYS_SENT = "+256700000004"
FORGED = "+256700000008"


def listen(client: Client, url: str, **fields: Any) -> None:
    body = {"endpoints": [{"url": url, **fields}]}
    assert client.request("PUT", "/_sandbox/webhooks", json=body).is_success


async def test_an_endpoint_is_added_and_a_webhook_is_opened_and_sent_again(
    tab: Tab, receiver: Receiver
) -> None:
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.open("webhooks")
    await tab.find("endpoint-url").fill(receiver.url)
    await tab.page.get_by_role("button", name="Add endpoint").click()
    await expect(tab.find("endpoints")).to_contain_text(receiver.url)
    message = tab.client.send()
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    rows = tab.find("attempt-row")
    await expect(rows).to_have_count(2)
    await rows.first.click()
    attempt = tab.find("attempt")
    await expect(attempt).to_contain_text("message.delivered, attempt 1")
    await expect(attempt).to_contain_text("user-agent")
    await expect(attempt.locator("pre").first).to_contain_text(message["id"])
    await expect(attempt).to_contain_text("content-length")
    await tab.find("copy-body").first.click()
    copied = await tab.page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied)["messageId"] == message["id"]
    await tab.find("resend").click()
    await expect(attempt).to_contain_text("message.delivered, attempt 2")
    await expect(tab.find("tries").locator(".try")).to_have_text(["#1 200", "#2 200"])
    await expect(rows).to_have_count(3)
    assert len(receiver.received) == 3
    await tab.page.reload()  # it has an address
    await expect(attempt).to_contain_text("message.delivered, attempt 2")
    await attempt.get_by_role("link", name=message["id"]).click()
    await expect(tab.find("message")).to_contain_text(message["id"])
    await tab.find("nav-webhooks").click()
    await tab.find("endpoints").get_by_role("button", name="Remove").click()
    await expect(tab.find("endpoints").locator("li")).to_have_count(0)


async def test_an_endpoint_that_another_client_added_is_kept(tab: Tab) -> None:
    await tab.open("webhooks")
    listen(tab.client, "http://localhost:9/other")
    await tab.find("endpoint-url").fill("http://localhost:9/mine")
    await tab.page.get_by_role("button", name="Add endpoint").click()
    await expect(tab.find("endpoints").locator("li")).to_have_count(2)


async def test_without_a_chosen_account_the_endpoints_of_all_are_shown_and_removed(
    browser: Browser,
) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            other = Client(own.origin)
            listen(other, "http://localhost:9/first")
            listen(tab.client, "http://localhost:9/second", secret=SECRET)
            await tab.open("webhooks", all_accounts=True)
            rows = tab.find("endpoints").locator("li")
            await expect(rows).to_contain_text([tab.client.token, other.token])
            await expect(rows).to_contain_text([", signed", ", not signed"])
            await rows.last.get_by_role("button", name="Remove").click()
            await expect(rows).to_have_count(1)
            assert other.request("GET", "/_sandbox/webhooks").json() == {"endpoints": []}
            other.close()


async def test_attempts_are_found_by_filters_that_are_in_the_address(
    tab: Tab, receiver: Receiver
) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    receiver.answers = [503]
    tab.client.send(callbackUrl=f"{receiver.url}/Orders")
    tab.client.send(STAYS_SENT, callbackUrl="http://127.0.0.1:9/closed")
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await tab.open("webhooks")
    rows = tab.find("attempt-row")
    await expect(rows).to_have_count(3)
    await tab.find("filter-status").select_option("failed")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("ConnectError: 127.0.0.1:9: Connection refused")
    for row in (rows.first, rows.last):
        await expect(row).to_contain_text("again in 3 s")
    await tab.find("filter-status").select_option("503")
    await expect(rows).to_have_count(1)
    await tab.find("filter-status").select_option("none")
    await expect(rows).to_contain_text(["closed"])
    await tab.find("filter-status").select_option("failed")
    await tab.find("filter-url").fill("orders")
    await tab.find("filter-event").select_option("message.sent")
    await expect(rows).to_contain_text(["again in 3 s"])
    await expect(rows.locator(".text")).to_contain_text(["/hooks/Orders"])
    await rows.click()
    await expect(tab.find("next-attempt")).to_contain_text("in 3 s, ")
    await tab.page.reload()
    await expect(tab.find("filter-url")).to_have_value("orders")
    await expect(tab.find("total")).to_have_text("1 attempt")
    receiver.answers = [500]  # what comes later is shown where it fits
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await expect(rows).to_have_count(2)
    await expect(tab.find("tries").locator(".try")).to_have_text(["#1 503", "#2 500"])
    await expect(tab.find("next-attempt")).to_contain_text("in 25 s, ")
    tab.client.request("DELETE", "/_sandbox/messages")
    await expect(rows).to_have_count(0)


async def test_every_attempt_is_reached_by_scrolling_and_a_row_is_one_line(
    browser: Browser, receiver: Receiver
) -> None:
    with serving("--tier", "unlimited") as own:
        async with new_tab(browser, own, viewport={"width": 1440, "height": 900}) as tab:
            tab.client.post("/_sandbox/clock/freeze")
            for _ in range(7):
                numbers = [f"+2567012{number:05d}" for number in range(100)]
                tab.client.send(numbers, callbackUrl=receiver.url)
            tab.client.post("/_sandbox/clock/advance", {"seconds": 1})
            await tab.open("webhooks", all_accounts=True)
            await expect(tab.find("total")).to_have_text("700 attempts")
            box = await tab.find("attempt-row").first.bounding_box()
            frame = await tab.find("attempt-list").bounding_box()
            assert box is not None
            assert frame is not None
            assert frame["height"] / box["height"] >= 15
            for count in (600, 700):
                end = "(list) => list.scrollTop = list.scrollHeight"
                await tab.find("attempt-list").evaluate(end)
                last = tab.find("attempt-list").locator(f"[aria-setsize='{count}']")
                await expect(last.first).to_be_visible()


async def test_what_is_wrong_with_a_signature_is_said(tab: Tab, receiver: Receiver) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    listen(tab.client, receiver.url, secret=SECRET)
    receiver.answers = [401]
    tab.client.send(STAYS_SENT)
    tab.client.send(FORGED)
    tab.client.post("/_sandbox/clock/advance", {"seconds": 1})
    await tab.open("webhooks")
    rows = tab.find("attempt-row")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("signature wrong (on purpose)")
    await rows.first.click()
    signature = tab.find("signature")
    await expect(signature).to_contain_text("The receiver accepted it, so it does not verify")
    await tab.page.keyboard.press("j")
    await expect(signature).to_contain_text(f"right: made with the secret of {receiver.url}")
    await expect(signature).to_contain_text("The receiver refused it")
    await expect(rows.last).not_to_contain_text("signature")
    assert verified(receiver) == [True, False]
    await signature.get_by_text("How to verify").click()
    await expect(tab.page.locator("#verifying")).to_be_visible()


def verified(receiver: Receiver) -> list[bool]:
    """Run the code of the docs to which the page leads, on each webhook that was received."""
    [code] = re.findall(r"```javascript\n(.*?)```", (DOCS / "webhooks.md").read_text(), re.DOTALL)
    node = shutil.which("node") or skip_or_fail("needs Node.js")
    received = [[each.headers, each.body.decode()] for each in receiver.received]
    script = f"""{code}
const received = {json.dumps(received)};
const found = received.map(([headers, body]) => isGenuine({json.dumps(SECRET)}, headers, body));
console.log(JSON.stringify(found));"""
    ended = subprocess.run(
        [str(node), "--input-type=module", "-"],
        input=script,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    return json.loads(ended.stdout)


async def test_an_attempt_that_is_no_longer_there_says_so(tab: Tab, live: Live) -> None:
    await tab.open("webhooks")
    await tab.page.goto(f"{live.origin}/#/webhooks/att_0000000000000001")
    await expect(tab.page.get_by_text("no longer kept")).to_be_visible()
    await expect(tab.page).to_have_title(re.compile("Webhooks, att_"))
    await tab.page.goto(f"{live.origin}/#/webhooks/att_12")
    await expect(tab.page).to_have_title(re.compile("^Webhooks, not found ·"))
    await expect(tab.page.get_by_text("This attempt does not exist")).to_be_visible()
    other = Client(live.origin)  # a link to an attempt of another account opens it
    other.send(STAYS_SENT, callbackUrl="http://127.0.0.1:9/closed")
    other.post("/_sandbox/clock/advance", {"seconds": 1})
    [theirs] = other.request("GET", "/_sandbox/webhooks/attempts").json()["data"]
    await tab.page.goto(f"{live.origin}/#/webhooks/{theirs['id']}")
    await expect(tab.find("attempt")).to_contain_text(other.token)
    await expect(tab.find("attempt-row")).to_have_count(1)
    await expect(tab.page).to_have_title(re.compile("Webhooks, no response message.sent http"))
    # Also where the list does not have it, as where it is older than those that are loaded.
    lists = re.compile(r"/webhooks/attempts\?(?!.*messageId)")
    await tab.page.route(lists, lambda route: route.fulfill(json={"data": [], "total": 0}))
    await tab.page.reload()
    await expect(tab.find("attempt")).to_contain_text(other.token)
    await expect(tab.page).to_have_title(re.compile("Webhooks, no response message.sent http"))
    await tab.page.unroute(lists)
    other.close()
    asked: list[str] = []
    tab.page.on("request", lambda each: asked.append(each.url))
    await tab.page.goto(f"{live.origin}/#/webhooks?status=(&event=heard")
    await expect(tab.find("notice")).to_contain_text("must be")
    await expect(tab.page.get_by_text("No attempt matches")).to_be_visible()
    assert sum("status=" in url for url in asked) == 1
