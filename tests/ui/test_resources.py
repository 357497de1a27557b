"""What the page takes of the browser and of the sandbox: memory, connections, bytes."""

import pytest
from browsing import Client, Tab, new_tab, send_many
from live import Live, serving
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

SET_HIDDEN = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
IS_SHOWN = """(text) =>
  document.querySelector("[data-testid=row] .text")?.textContent.trim() === text"""


async def test_rows_and_messages_that_are_no_longer_shown_are_freed(browser: Browser) -> None:
    with serving("--tier", "unlimited") as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            await send_one_by_one(tab, 100)
            before = await living_nodes(tab)
            await send_one_by_one(tab, 300)
            send_many(own, 1600)
            await expect(tab.find("total")).to_have_text("2,000 messages")
            assert await living_nodes(tab) < before + 500
            for opened in range(1, 31):
                await tab.page.keyboard.press("j")
                row = tab.page.locator(f"li[aria-posinset='{opened}'] [aria-current]")
                await expect(row).to_be_visible()
                await expect(tab.find("timeline")).to_be_visible()
            await tab.page.keyboard.press("Escape")
            await expect(tab.find("message")).to_have_count(0)
            # Some of the last message may stay until the next one replaces it.
            assert await living_nodes(tab) < before + 1500


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


async def living_nodes(tab: Tab) -> int:
    """Return how many nodes the browser holds for the page, in the document and outside of it."""
    session = await tab.page.context.new_cdp_session(tab.page)
    await session.send("HeapProfiler.collectGarbage")
    await session.send("Performance.enable")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    await session.detach()
    return next(int(each["value"]) for each in metrics if each["name"] == "Nodes")
