"""Time in the browser: what is due next, and the ways to go there."""

from datetime import UTC, datetime, timedelta

import pytest
from browsing import Tab, new_tab
from live import serving
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


LINES = "(element) => element.getClientRects().length"


def schedule(tab: Tab, at: str, message: str = "Doors open") -> str:
    """Schedule an SMS, and return its id."""
    body = {"to": "+256701234567", "message": message, "scheduledFor": at}
    return str(tab.client.post("/api/v1/developers/sms", body)["id"])


def status_of(tab: Tab, message: str) -> str:
    return str(tab.client.request("GET", f"/_sandbox/messages/{message}").json()["status"])


async def test_what_is_due_next_is_shown_as_it_comes_with_a_button_to_go_there(tab: Tab) -> None:
    await tab.open()
    await expect(tab.find("next")).to_have_count(0)
    year = int(tab.client.request("GET", "/_sandbox/clock").json()["now"][:4]) + 2
    later = schedule(tab, f"{year}-01-02T06:00:00Z")
    await expect(tab.find("next")).to_contain_text(
        f"the message to +256701234567 is sent on {year}-01-02 06:00"
    )
    schedule(tab, f"{year}-01-01T06:00:00Z", "Earlier")
    await expect(tab.find("next").locator("time")).to_have_attribute(
        "datetime", f"{year}-01-01T06:00:00.000000Z"
    )
    tab.client.post("/_sandbox/clock/freeze")
    await expect(tab.find("frozen")).to_contain_text("The clock is frozen")
    await tab.find("go-next").click()
    await expect(tab.find("notice")).to_contain_text(f"Advanced to {year}-01-01 06:00:00")
    await expect(tab.find("next")).to_contain_text("becomes sent in")
    await tab.find("go-idle").click()
    await expect(tab.find("next")).to_have_count(0)
    assert status_of(tab, later) == "delivered"


async def test_what_is_due_within_a_second_is_not_due_in_no_time(tab: Tab) -> None:
    tab.client.post("/_sandbox/clock/freeze")
    tab.client.send()
    await tab.open()
    await expect(tab.find("next")).to_contain_text("becomes sent in less than 1 s")
    await tab.find("nav-controls").click()
    await tab.find("advance-amount").fill("0.25")
    await tab.find("advance-unit").select_option("seconds")
    await tab.find("advance").click()
    await expect(tab.find("notice")).to_contain_text("Advanced by less than 1 s: 0 steps ran")


READ_NO_MORE = """async () => {
  const { store } = await import("/ui/store.js");
  const read = store.refreshClock.bind(store);
  store.refreshClock = async () => {};
  await read();
}"""


async def test_the_countdown_goes_on_where_the_clock_is_not_read_again(tab: Tab) -> None:
    await tab.page.clock.install()
    await tab.open()
    schedule(tab, (datetime.now(UTC) + timedelta(hours=2, minutes=30)).isoformat())
    await expect(tab.find("next")).to_contain_text("is sent in 2 h")
    await tab.page.evaluate(READ_NO_MORE)
    for hours, left in {1: "is sent in 1 h", 2: "is sent now"}.items():
        await tab.page.clock.fast_forward(hours * 3_600_000)
        await expect(tab.find("next")).to_contain_text(left)


async def test_on_a_phone_the_bar_has_both_ways_on_one_line(browser: Browser) -> None:
    with serving() as own:
        async with new_tab(browser, own, viewport={"width": 360, "height": 740}) as tab:
            schedule(tab, "2099-01-01T06:00:00Z")
            await tab.open()
            there = await tab.find("go-next").bounding_box()
            idle = await tab.find("go-idle").bounding_box()
            assert there is not None
            assert idle is not None
            assert there["y"] == idle["y"]
            assert await tab.find("next").locator("time").evaluate(LINES) == 1
            await tab.find("go-idle").click()
            await expect(tab.find("notice")).to_contain_text("0 steps ran")


async def test_a_scheduled_message_leads_to_its_time_on_its_accounts_clock(
    browser: Browser,
) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            other = tab.client.token
            tab.client.request("GET", "/_sandbox/account")
            tab.client.close()
            tab.client.use_token("test_far_away")
            message = schedule(tab, "2099-01-01T06:00:00Z")
            await tab.open(f"inbox/{message}", all_accounts=True)
            await tab.find("go-scheduled").click()
            await expect(tab.find("notice")).to_contain_text("Advanced to 2099-01-01 06:00:00")
            await expect(tab.find("go-scheduled")).to_have_count(0)
            assert status_of(tab, message) != "queued"
            tab.client.close()
            tab.client.use_token(other)
            clock = tab.client.request("GET", "/_sandbox/clock").json()
            assert clock["aheadSeconds"] < 1
