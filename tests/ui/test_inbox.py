"""The inbox in the browser: live, searched, marked as read, and full."""

import re
from pathlib import Path

import pytest
from browsing import NUMBER, Client, Tab, new_tab, run_shell, send_many
from live import serving
from playwright.async_api import Browser, Route, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

# Whether a status has arrived for a message that the page is still loading.
HAS_EARLY_STATUS = """async () => {
  const { store } = await import("/ui/store.js");
  return store.list.earlyStatuses.size > 0;
}"""


async def test_a_message_appears_without_a_reload(tab: Tab) -> None:
    await tab.open()
    for number in range(3):
        tab.client.send(message=f"Message {number}")
        await expect(tab.row_texts.first).to_have_text(f"Message {number}")


async def test_a_status_changes_without_a_reload(tab: Tab) -> None:
    await tab.open()
    tab.client.post("/_sandbox/clock/freeze")
    tab.client.send("+256700000005", "Slowly")
    row = tab.find("row")
    await expect(row.get_by_test_id("status")).to_have_text("pending")
    tab.client.post("/_sandbox/clock/advance", {"seconds": 1})
    await expect(row.get_by_test_id("status")).to_have_text("sent")
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3600})
    await expect(row.get_by_test_id("status")).to_have_text("delivered")


async def test_an_empty_inbox_shows_the_command_that_sends_a_first_message(
    browser: Browser, tmp_path: Path
) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            command = await tab.find("empty").locator("pre").inner_text()
            assert f"curl {own.origin}/api/v1/messages/sms" in command
            run_shell(command)
            await tab.expect_rows(["Your code is 493817"])


SEARCHES = {
    "code": ["Your code is 493817"],
    "-code": ["Pay 50,000", "Welcome"],
    "to:+254": ["Welcome"],
    "from:shop": ["Pay 50,000"],
    "status:failed": ["Pay 50,000"],
    "status:fail": ["Pay 50,000"],
    "msg_": ["Your code is 493817", "Pay 50,000", "Welcome"],
    "subject:code": [],
    '"code is"': ["Your code is 493817"],
    "channel:sms -status:failed": ["Your code is 493817", "Welcome"],
    "token:test_ welcome": ["Welcome"],
    "is:unread": ["Your code is 493817", "Pay 50,000", "Welcome"],
    'to:"" code': ["Your code is 493817"],
    '""': ["Your code is 493817", "Pay 50,000", "Welcome"],
    "nothing": [],
}


async def test_the_inbox_is_searched_while_typing(tab: Tab) -> None:
    tab.client.send("+254712345678", "Welcome")
    tab.client.send("+256700000002", "Pay 50,000", **{"from": "Shop"})
    tab.client.send(NUMBER, "Your code is 493817")
    tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
    await tab.open()
    await expect(tab.find("row")).to_have_count(3)
    for query, texts in SEARCHES.items():
        await tab.find("search").fill(query)
        await tab.expect_rows(texts)
    await expect(tab.find("empty")).to_contain_text("No matching messages")


async def test_a_message_is_unread_until_it_is_opened(tab: Tab) -> None:
    for text in ("one", "two"):
        tab.client.send(message=text)
    await tab.open()
    await expect(tab.find("unread")).to_have_text("2")
    await tab.find("row").first.click()
    await expect(tab.find("unread")).to_have_text("1")
    await expect(tab.page).to_have_title(re.compile(r"^\(1\) Inbox"))
    await tab.page.reload()
    await expect(tab.find("unread")).to_have_text("1")
    await tab.page.get_by_role("button", name="Mark all read").click()
    await expect(tab.find("unread")).to_have_count(0)


async def test_a_search_that_finds_no_message_has_none_to_mark_as_read(tab: Tab) -> None:
    await tab.open()
    button = tab.page.locator(".inbox .bar button")
    await expect(button).to_have_text("Mark all read")
    await expect(button).to_be_disabled()
    await expect(button).to_have_accessible_description("No message to mark as read")
    tab.client.send(message="Hello")
    await expect(button).to_be_enabled()
    tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701", "message": "No"})
    for query in ("nothing", "is:refused"):
        await tab.find("search").fill(query)
        await expect(button).to_have_text("Mark these read")
        await expect(button).to_be_disabled()
        await expect(button).to_have_accessible_description("No message to mark as read")
        await tab.find("search").fill("hello")
        await expect(button).to_be_enabled()
        await expect(button).to_have_accessible_description("")
    await button.click()
    await expect(tab.find("unread")).to_have_count(0)


async def test_messages_that_another_client_deletes_disappear(tab: Tab) -> None:
    tab.client.send("+256700000003", "Soon gone")
    await tab.open()
    await tab.find("row").click()
    tab.client.request("DELETE", "/_sandbox/messages")
    await expect(tab.find("row")).to_have_count(0)
    await expect(tab.find("empty")).to_be_visible()
    tab.client.send(message="And a new one")
    await expect(tab.find("row")).to_contain_text("And a new one")


async def test_a_message_that_is_deleted_disappears(tab: Tab) -> None:
    sent = [tab.client.send("+256700000003", text)["id"] for text in ("Stays", "Goes")]
    await tab.open()
    await expect(tab.find("row")).to_have_count(2)
    await tab.find("row").first.click()
    tab.client.request("DELETE", f"/_sandbox/messages/{sent[1]}")
    await expect(tab.find("row")).to_have_count(1)
    await expect(tab.find("row")).to_contain_text("Stays")


async def test_messages_of_all_accounts_or_of_one_are_shown(browser: Browser) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            other = Client(own.origin)
            other.send(message="Of another")
            tab.client.send(message="Of mine")
            other.close()
            await tab.open(all_accounts=True)
            await expect(tab.find("row")).to_have_count(2)
            await tab.choose_account()
            await expect(tab.find("row")).to_have_count(1)
            await tab.expect_rows(["Of mine"])
            await tab.find("all-accounts").click()
            await expect(tab.find("row")).to_have_count(2)


async def test_only_visible_rows_of_many_messages_are_in_the_document(browser: Browser) -> None:
    with serving("--tier", "unlimited") as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            send_many(own, 2000)
            await expect(tab.find("total")).to_have_text("2,000 messages")
            assert await tab.find("row").count() < 60
            await tab.find("messages").evaluate("(list) => list.scrollTop = list.scrollHeight")
            await expect(tab.row_texts.last).to_have_text(re.compile(r"^Number \d{1,2}$"))


async def test_ten_thousand_messages_are_loaded_and_searched(browser: Browser) -> None:
    with serving("--tier", "unlimited") as own:
        send_many(own, 10_000)
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            await expect(tab.find("total")).to_have_text("10,000 messages")
            await tab.find("search").fill('"Number 17"')
            await expect(tab.find("total")).to_contain_text("of 10,000 messages")
            await expect(tab.find("row").last).to_contain_text("Number 17")


async def test_no_search_breaks_the_page(tab: Tab) -> None:
    tab.client.send(message="Hello")
    await tab.open()
    for query in ("__proto__:x", "constructor:x", '"', "a:b:c", "(.*", "to:", "-"):
        await tab.find("search").fill(query)
        await expect(tab.find("row")).to_have_count(1 if query in {"to:", "-"} else 0)
        await tab.find("search").fill("")
        await expect(tab.find("row")).to_have_count(1)


async def test_a_new_message_does_not_move_a_scrolled_list(tab: Tab) -> None:
    for number in range(40):
        tab.client.send("+256700000003", f"Number {number}")
    await tab.open()
    await tab.find("row").first.click()
    messages = tab.find("messages")
    await messages.evaluate("(list) => list.scrollTop = 1200")
    await expect(messages.locator("li").first).not_to_have_attribute("aria-posinset", "1")
    before = await tab.row_texts.all_inner_texts()
    tab.client.send(message="One more")
    await expect(tab.find("total")).to_have_text("41 messages")
    assert await messages.evaluate("(list) => list.scrollTop") > 1200
    assert set(await tab.row_texts.all_inner_texts()) & set(before)
    # Without an open message, the rows are lower, and the list stays where it was.
    await tab.page.keyboard.press("Escape")
    await expect(tab.page.locator(".wide")).to_be_visible()
    assert await messages.evaluate("(list) => list.scrollTop") > 500


async def test_a_message_that_is_read_in_one_tab_is_read_in_the_other(tab: Tab) -> None:
    for text in ("one", "two", "three"):
        tab.client.send(message=text)
    await tab.open()
    other = Tab(await tab.page.context.new_page(), tab.client)
    await other.open()
    await tab.find("row").first.click()
    await other.find("row").last.click()
    for each in (tab, other):
        await expect(each.find("unread")).to_have_text("1")
    await other.page.reload()
    await expect(other.find("unread")).to_have_text("1")


async def test_a_status_that_changes_while_the_list_is_loading_is_shown(tab: Tab) -> None:
    sent = tab.client.send("+256700000003", "Waiting")
    await tab.open()

    async def respond_late(route: Route) -> None:
        response = await route.fetch()
        tab.client.post(f"/_sandbox/messages/{sent['id']}/status", {"status": "sent"})
        await tab.page.wait_for_function(HAS_EARLY_STATUS)
        await route.fulfill(response=response)

    await tab.page.route("**/_sandbox/messages?*", respond_late)
    await tab.page.reload()
    await expect(tab.find("row").get_by_test_id("status")).to_have_text("sent")


async def test_a_word_late_in_a_long_email_is_found(tab: Tab) -> None:
    email = {"from": "shop@example.com", "to": "jane@example.com"}
    text = "All is well. " * 300 + "The lighthouse is open."
    tab.client.post("/api/v1/developers/email", {**email, "subject": "Long", "text": text})
    tab.client.post("/api/v1/developers/email", {**email, "subject": "Short", "text": "Hello"})
    await tab.open()
    await expect(tab.find("row")).to_have_count(2)
    for query, subject in {"Lighthouse": "Long", "-lighthouse": "Short"}.items():
        await tab.find("search").fill(query)
        await expect(tab.find("row")).to_have_count(1)
        await expect(tab.find("row")).to_contain_text(subject)
