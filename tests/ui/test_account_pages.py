"""The page of one account, which its own token opens."""

import pytest
from browsing import NUMBER, new_tab
from live import serving
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_colleague_sees_what_is_theirs_and_nothing_else(browser: Browser) -> None:
    with serving("--control-token", "sesame", "--account-pages") as live:
        async with new_tab(browser, live) as tab:
            live.send("test_theirs")
            tab.client.send(message="mine")
            await tab.page.goto(f"{live.origin}/#/inbox")
            form = tab.find("control-token")
            await form.locator("input").fill(tab.client.token)
            await form.get_by_role("button").click()
            await tab.expect_rows(["mine"])
            live.send("test_theirs")
            tab.client.send(NUMBER, message="mine, live")
            await tab.expect_rows(["mine, live", "mine"])
            await tab.find("nav-requests").click()
            await expect(tab.find("request-row")).to_have_count(2)
            await tab.find("nav-controls").click()
            await tab.find("clock-facts").wait_for()
