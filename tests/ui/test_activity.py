"""Refused calls in the browser: among the messages, in the navigation, found and opened."""

import httpx
import pytest
from browsing import NUMBER, Tab, new_tab, send_many
from live import serving
from playwright.async_api import Browser, Locator, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

SEND = "/api/v1/messages/sms"
BOTTOM = "(list) => { list.scrollTop = list.scrollHeight; }"


def rows(tab: Tab) -> Locator:
    """The rows of messages and of refused calls."""
    return tab.find("messages").locator("a.row")


async def test_a_refused_call_stands_among_the_messages_with_its_reason(tab: Tab) -> None:
    await tab.open()
    tab.client.send(message="One")
    refused = tab.client.request("POST", SEND, json={"to": "0701234567", "message": "Two"})
    tab.client.request("GET", "/api/v1/messages/msg_0")  # no send, so it is not among them
    with pytest.raises(httpx.RemoteProtocolError):
        tab.client.send("+256700004990", "Three")
    await expect(rows(tab)).to_have_count(4)  # the third was accepted, but its client knows nothing
    await tab.page.reload()
    texts = ["Three", "to +256700004990", "invalid_phone_number to 0701234567", "One"]
    await expect(rows(tab)).to_contain_text(texts)
    row = tab.find("refused-row").nth(1)
    await expect(row).to_contain_text("to 0701234567")
    await expect(row).to_contain_text('to "0701234567": The phone number must be in E.164 format')
    await expect(row).to_contain_text("expected +[country code][number]")
    lost = tab.find("refused-row").first
    await expect(lost).to_contain_text(
        "closed without a response, by the magic recipient answer-lost"
    )
    border = "(code) => getComputedStyle(code).borderBottomWidth"
    assert await lost.locator(".code").evaluate(border) == "0px"
    await expect(tab.find("count-bad")).to_contain_text("3")
    await row.click()
    await expect(tab.find("refusal")).to_contain_text("It does not begin with a plus sign")
    await expect(tab.find("request")).to_contain_text("0701234567")
    await tab.page.keyboard.press("j")
    await expect(tab.find("text")).to_have_text("One")
    await tab.page.keyboard.press("k")
    request_id = refused.headers["x-request-id"]
    await tab.page.get_by_role("link", name=request_id).click()
    await expect(tab.find("nav-requests")).to_have_attribute("aria-current", "page")


async def test_refused_calls_are_left_out_or_shown_alone(tab: Tab) -> None:
    await tab.open()
    tab.client.send(message="Sent", priority=1)
    tab.client.request("POST", SEND, json={"to": "0701234567", "message": "Refused"})
    tab.client.request("POST", SEND, json={"to": NUMBER})
    await expect(rows(tab)).to_have_count(3)
    await expect(tab.find("count-warning")).to_contain_text("1")
    await expect(tab.find("row")).to_contain_text("1 warning")
    await tab.find("kind").select_option("messages")
    await expect(tab.find("search")).to_have_value("-is:refused")
    await expect(rows(tab)).to_have_count(1)
    await tab.page.reload()
    await expect(tab.find("kind")).to_have_value("messages")
    await expect(rows(tab)).to_have_count(1)
    await expect(tab.find("row")).to_contain_text("1 warning")
    await tab.find("kind").select_option("refusals")
    await expect(tab.find("refused-row")).to_have_count(2)
    for query, count in {
        "invalid_request": 1,
        "status:400": 2,
        "to:0701": 1,
        "is:unread": 1,
    }.items():
        await tab.find("search").fill(query)
        await expect(rows(tab)).to_have_count(count)


async def test_refused_calls_are_shown_as_far_down_as_messages_are_loaded(browser: Browser) -> None:
    # Their ids have another form then, and are to be compared with those of requests.
    with serving("--tier", "unlimited", "--answers", "observed") as own:
        async with new_tab(browser, own) as tab:
            tab.client.use_token("burst")  # that of send_many
            tab.client.request("POST", SEND, json={"to": "0701"})
            send_many(own, 400)
            tab.client.request("POST", SEND, json={"to": "0702"})
            await tab.open(all_accounts=True)
            await expect(rows(tab).first).to_contain_text("0702")
            first = tab.find("messages").locator("li").first
            await expect(first).to_have_attribute("aria-setsize", "101")
            for length in (402, 402):  # the second time there is nothing more to load
                await tab.find("messages").evaluate(BOTTOM)
                await expect(first).to_have_attribute("aria-setsize", str(length))
            await expect(rows(tab).last).to_contain_text("0701")
            await tab.find("search").fill("is:refused")
            await expect(rows(tab)).to_have_count(2)
