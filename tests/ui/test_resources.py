"""What the page takes of the browser and of the sandbox: memory, connections, bytes."""

import pytest
from browsing import Client, Tab, new_tab, send_many
from live import Live, serving
from playwright.async_api import Browser, Response, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

SET_HIDDEN = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SCROLL_TO_END = "(list) => list.scrollTop = list.scrollHeight"
SCROLL_THROUGH = """async (list) => {
  const { store } = await import("/ui/store.js");
  while (!store.list.isComplete) {
    list.scrollTop = list.scrollHeight;
    await new Promise(requestAnimationFrame);
  }
}"""
IS_SHOWN = """(text) =>
  document.querySelector("[data-testid=row] .text")?.textContent.trim() === text"""


async def test_rows_and_messages_that_are_no_longer_shown_are_freed(browser: Browser) -> None:
    with serving("--tier", "unlimited") as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            await send_one_by_one(tab, 50)
            before = await living_nodes(tab)
            await send_one_by_one(tab, 100)
            send_many(own, 1850)
            await expect(tab.find("total")).to_have_text("2,000 messages")
            assert await living_nodes(tab) < before + 500
            for opened in range(1, 31):
                await tab.page.keyboard.press("j")
                row = tab.page.locator(f"li[aria-posinset='{opened}'] [aria-current]")
                await expect(row).to_be_visible()
                await expect(tab.find("timeline")).to_be_visible()
            await tab.page.keyboard.press("Escape")
            await expect(tab.find("message")).to_have_count(0)
            # The last message, and the list beside it, may stay until others replace them.
            assert await living_nodes(tab) < before + 2500


async def send_one_by_one(tab: Tab, count: int) -> None:
    """Send messages, and wait for each of them, so that each has been shown as a row."""
    shown = await tab.page.evaluate("async () => (await import('/ui/store.js')).store.list.total")
    for number in range(shown + 1, shown + count + 1):
        tab.client.send(message=f"Number {number}")
        await tab.page.wait_for_function(IS_SHOWN, arg=f"Number {number}", polling="raf")


async def test_ten_tabs_are_live(browser: Browser, live: Live) -> None:
    async with new_tab(browser, live) as tab:
        await tab.open()
        tabs = [tab]
        for _ in range(9):
            tabs.append(Tab(await tab.page.context.new_page(), tab.client))
            await tabs[-1].open()
        tab.client.send(message="Seen in every tab")
        for each in tabs:
            await each.expect_rows(["Seen in every tab"])
        # Each tab can still call the sandbox.
        await tabs[-1].find("row").click()
        await expect(tabs[-1].find("timeline")).to_be_visible()
        await tabs[0].page.goto(f"{live.origin}/#/coverage")
        await expect(tabs[0].find("met").first).to_be_visible()


async def test_tabs_of_one_browser_show_different_accounts(browser: Browser, live: Live) -> None:
    async with new_tab(browser, live) as tab:
        await tab.open()
        other = Tab(await tab.page.context.new_page(), Client(live.origin))
        await other.open()
        for each in (tab, other):
            each.client.send(message=f"Of {each.client.token}")
        for each in (tab, other):
            await each.expect_rows([f"Of {each.client.token}"])
        other.client.close()


async def test_without_a_shared_worker_a_hidden_tab_catches_up(
    browser: Browser, live: Live
) -> None:
    async with new_tab(browser, live) as tab:
        await tab.page.add_init_script("delete globalThis.SharedWorker")
        await tab.open()
        tab.client.send(message="Live")
        await tab.expect_rows(["Live"])
        async with tab.page.expect_event("requestfailed", lambda each: "/events" in each.url):
            await tab.page.evaluate(SET_HIDDEN, arg=True)
        tab.client.send(message="While hidden")
        await tab.expect_rows(["Live"])
        await tab.page.evaluate(SET_HIDDEN, arg=False)
        await tab.expect_rows(["While hidden", "Live"])


async def test_of_many_large_emails_only_the_beginnings_are_fetched(browser: Browser) -> None:
    with serving("--tier", "unlimited") as own:
        async with new_tab(browser, own) as tab:
            fetched = control_responses(tab)
            text = "<p>" + "A line of the receipt. " * 4400 + "</p>"
            for number in range(300):
                email = {"from": "shop@example.com", "to": "jane@example.com", "html": text}
                subject = f"Receipt {number}"
                tab.client.post("/api/v1/developers/email", {**email, "subject": subject})
            await tab.open(all_accounts=True)
            await expect(tab.find("row").first).to_contain_text("Receipt 299")
            assert await size_of(fetched) < 1_000_000
            await tab.find("messages").evaluate(SCROLL_TO_END)
            await expect(tab.find("messages").locator("[aria-setsize='300']").first).to_be_visible()
            await tab.find("messages").evaluate(SCROLL_TO_END)
            await expect(tab.find("row").last).to_contain_text("Receipt 0")


async def test_of_ten_thousand_messages_those_are_fetched_that_are_scrolled_to(
    browser: Browser,
) -> None:
    with serving("--tier", "unlimited") as own:
        send_many(own, 10_000)
        async with new_tab(browser, own) as tab:
            fetched = control_responses(tab)
            await tab.open(all_accounts=True)
            await expect(tab.find("total")).to_have_text("10,000 messages")
            await expect(tab.find("unread")).to_have_text("100+")
            await tab.page.get_by_test_id("nav-requests").click()
            await expect(tab.find("total")).to_have_text("10,000 requests")
            assert await size_of(fetched) < 1_000_000
            await tab.page.get_by_test_id("nav-inbox").click()
            await tab.find("messages").evaluate(SCROLL_TO_END)
            await expect(tab.find("messages").locator("[aria-setsize='600']").first).to_be_visible()
            await tab.page.get_by_role("button", name="Mark all read").click()
            await expect(tab.find("unread")).to_have_count(0)
            await tab.find("messages").evaluate(SCROLL_TO_END)
            await expect(
                tab.find("messages").locator("[aria-setsize='1100']").first
            ).to_be_visible()
            await expect(tab.find("unread")).to_have_count(0)  # of those that were not loaded, too
            # The server searches what is not loaded.
            await tab.find("search").fill('"Number 12"')
            await expect(tab.find("row").last).to_contain_text("Number 12")
            await tab.find("search").fill(
                " ".join(["to:+2567", *(f'-"Number {n}"' for n in range(1, 10))])
            )
            await tab.expect_rows(["Number 0"])


async def test_no_more_than_ten_thousand_messages_are_shown(browser: Browser) -> None:
    with serving("--tier", "unlimited") as own:
        send_many(own, 10_300)
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            await expect(tab.find("total")).to_have_text("10,300 messages")
            await tab.find("messages").evaluate(SCROLL_THROUGH)
            await expect(tab.find("total")).to_have_text("10,300 messages, the latest 10,000 shown")


def control_responses(tab: Tab) -> list[Response]:
    """Return a list that gets each response of the control API from now on."""
    responses: list[Response] = []
    tab.page.on("response", lambda each: "/_sandbox/" in each.url and responses.append(each))
    return responses


async def size_of(responses: list[Response]) -> int:
    """Return the bytes of all bodies, of which the last may still be on the way."""
    return sum([len(await each.body()) for each in responses])


async def living_nodes(tab: Tab) -> int:
    """Return how many nodes the browser holds for the page, in the document and outside of it."""
    session = await tab.page.context.new_cdp_session(tab.page)
    await session.send("HeapProfiler.collectGarbage")
    await session.send("Performance.enable")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    await session.detach()
    return next(int(each["value"]) for each in metrics if each["name"] == "Nodes")
