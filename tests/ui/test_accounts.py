"""Accounts in the browser: what they are called, and how one is found."""

import asyncio

import pytest
from browsing import new_tab
from live import serving
from playwright.async_api import Browser, Route, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_name_given_in_one_tab_is_shown_in_another_and_found(browser: Browser) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab, new_tab(browser, own) as other:
            sent = tab.client.send(message="Named", callbackUrl="http://127.0.0.1:9/")
            tab.client.post("/_sandbox/clock/advance", {"until": "next"})
            other.client.send(message="Not named")
            await other.open(all_accounts=True)
            await expect(other.find("account-of")).to_have_count(2)
            await expect(other.find("account-of").last).to_have_text(tab.client.token)

            await tab.open("controls")
            await tab.find("account-name").fill("Checkout <b>")
            await tab.find("save-account").click()
            await expect(tab.find("account")).to_have_value(
                f"Checkout <b> · {tab.client.token} · 1"
            )

            await expect(other.find("account-of").last).to_have_text("Checkout <b>")
            await other.find("nav-requests").click()
            await expect(other.find("account-of").last).to_have_text("Checkout <b>")
            await other.find("nav-webhooks").click()
            await expect(other.find("account-of").first).to_have_text("Checkout <b>")
            await other.page.goto(f"{own.origin}/#/inbox/{sent['id']}")
            await expect(other.find("facts")).to_contain_text(f"Checkout <b> · {tab.client.token}")
            await other.find("account").fill("checkout")
            await other.page.keyboard.press("Enter")
            await other.expect_rows(["Named"])
            await expect(other.find("account-of")).to_have_count(0)

            await tab.find("account-name").fill("")
            await tab.find("save-account").click()
            await expect(other.find("account")).to_have_value(f"{tab.client.token} · 1")


NO_ACCOUNTS = ("shop", "acc_1", "acc_00000000000000FF", "%0Aacc_0000000000000001", "%E2%80%AE")


async def test_an_address_with_no_id_of_an_account_shows_all_accounts_and_says_so(
    browser: Browser,
) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab, new_tab(browser, own) as other:
            other.client.send(message="Of another")
            sent = tab.client.send(message="Mine")
            await tab.open()
            await tab.expect_rows(["Mine"])
            loaded = tab.page.url
            for named in NO_ACCOUNTS:
                for is_loaded_anew in (False, True):
                    await tab.page.goto(loaded)
                    await tab.expect_rows(["Mine"])
                    if is_loaded_anew:
                        await tab.page.goto("about:blank")
                    await tab.page.goto(f"{own.origin}/#/inbox?q=m&account={named}")
                    await expect(tab.find("notice")).to_contain_text("showing all accounts")
                    await expect(tab.find("account")).to_have_value("")
                    await expect(tab.find("total")).to_contain_text("of 2 messages")
                    assert tab.page.url == f"{own.origin}/#/inbox?q=m"
            await tab.page.goto(f"{own.origin}/#/inbox/{sent['id']}?account=shop")
            await expect(tab.find("text")).to_have_text("Mine")


@pytest.mark.parametrize("loads", [True, False], ids=["after the list", "before the list"])
async def test_an_account_that_the_page_has_not_loaded_is_found(
    browser: Browser, *, loads: bool
) -> None:
    listed = asyncio.Event()

    async def newest(route: Route) -> None:
        await listed.wait()
        await route.continue_(url=route.request.url.replace("limit=1000", "limit=1"))

    with serving() as own:
        async with new_tab(browser, own) as tab:
            old = tab.client.token
            tab.client.request("PATCH", "/_sandbox/account", json={"name": "The oldest"})
            tab.client.close()
            tab.client.use_token("test_newer")
            tab.client.send(message="Of the newer one")
            await tab.page.route("**/_sandbox/accounts?limit=1000", newest)
            await tab.open(all_accounts=True)
            await expect(tab.find("row")).to_have_count(1)
            suggested = tab.page.locator("#accounts option")
            if loads:
                listed.set()
                await expect(suggested).to_have_count(1)
            await tab.find("account").fill("oldest")
            await expect(suggested.last).to_have_attribute("value", f"The oldest · {old} · 1")
            listed.set()
            await tab.page.keyboard.press("Enter")
            await expect(tab.find("account")).to_have_value(f"The oldest · {old} · 1")
