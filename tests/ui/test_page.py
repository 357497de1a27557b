"""The whole page: keyboard, tabs, restarts, narrow screens, accessibility, size."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import LOADED, NUMBER, Client, Tab, new_tab
from live import Live, serving
from playwright.async_api import Browser, Response, Route, expect
from project import PAGE

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


# How a browser refuses storage: where site data is blocked, and where no room is left.
NO_STORAGE = {
    "blocked": """for (const name of ["sessionStorage", "localStorage"]) {
      Object.defineProperty(window, name, {
        get() { throw new DOMException("Access is denied", "SecurityError"); },
      });
    }
    window.SharedWorker = class {
      constructor() { throw new DOMException("Access is denied", "SecurityError"); }
    };""",
    "full": """Storage.prototype.setItem = () => {
      throw new DOMException("exceeded", "QuotaExceededError");
    };""",
}


async def test_the_page_is_used_with_the_keyboard(tab: Tab) -> None:
    for text in ("one", "two", "three"):
        tab.client.send(message=text)
    await tab.open()
    await expect(tab.find("row")).to_have_count(3)
    keys = tab.page.keyboard
    await tab.page.locator("body").click(position={"x": 600, "y": 700})
    await keys.press("j")
    await expect(tab.find("text")).to_have_text("three")
    await keys.press("j")
    await expect(tab.find("text")).to_have_text("two")
    await keys.press("k")
    await expect(tab.find("text")).to_have_text("three")
    await keys.press("Escape")
    await expect(tab.find("message")).to_have_count(0)
    await keys.press("/")
    await expect(tab.find("search")).to_be_focused()
    await keys.type("one")
    await keys.press("Enter")
    await expect(tab.find("text")).to_have_text("one")
    await keys.press("?")
    await expect(tab.find("help")).to_be_visible()
    await keys.press("Escape")
    await expect(tab.find("help")).to_have_count(0)
    for key, view in enumerate(LOADED, 1):
        await keys.press(str(key))
        await expect(tab.find(f"nav-{view}")).to_have_attribute("aria-current", "page")


async def test_two_tabs_show_the_same(tab: Tab) -> None:
    await tab.open()
    second = await tab.page.context.new_page()
    other = Tab(second, tab.client)
    await other.open()
    sent = tab.client.send("+256700000003", "Seen by both")
    for each in (tab, other):
        await expect(each.find("row")).to_contain_text("Seen by both")
    tab.client.post(f"/_sandbox/messages/{sent['id']}/status", {"status": "sent"})
    for each in (tab, other):
        await expect(each.find("row").get_by_test_id("status")).to_have_text("sent")


async def test_a_page_reports_a_lost_server_and_reconnects(
    browser: Browser, tmp_path: Path
) -> None:
    file = ("--database", str(tmp_path / "kept.db"))
    with serving(*file) as own:
        port = own.origin.rpartition(":")[2]
        async with new_tab(browser, own) as tab:
            tab.client.send(message="Before")
            await tab.open()
            await expect(tab.find("row")).to_have_count(1)
            own.process.terminate()
            own.wait()
            await expect(tab.find("link")).to_contain_text("not responding")
            with serving(*file, "--port", port):
                tab.client.send(message="After")
                await expect(tab.find("link")).to_have_attribute("data-link", "live")
                await expect(tab.find("row")).to_have_count(2)
                await tab.expect_rows(["After", "Before"])
                tab.client.send(message="Live again")
                await expect(tab.find("row")).to_have_count(3)


async def test_a_sandbox_with_a_control_token_asks_for_it(browser: Browser) -> None:
    with serving("--control-token", "sesame") as own:
        async with new_tab(browser, own) as tab:
            tab.client.send(message="Guarded")
            await tab.open(all_accounts=True)
            await tab.find("control-token").get_by_label("control token").fill("sesame")
            await tab.page.keyboard.press("Enter")
            await expect(tab.find("row")).to_contain_text("Guarded")


async def test_a_narrow_screen_shows_all_of_every_view(browser: Browser, live: Live) -> None:
    async with new_tab(browser, live, viewport={"width": 360, "height": 640}) as tab:
        sent = tab.client.send(message="Hello")
        for view, part in LOADED.items():
            await tab.open(view)
            await tab.find(part).first.wait_for(state="attached")
            assert await tab.page.evaluate("document.documentElement.scrollWidth") <= 360, view
        await tab.open("inbox")
        await tab.find("row").click()
        await expect(tab.find("message")).to_contain_text(sent["id"])
        await tab.page.get_by_role("link", name="← Inbox").click()
        await expect(tab.find("row")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_view_has_an_accessibility_violation(
    browser: Browser, live: Live, scheme: Any
) -> None:
    from axe_playwright_python.async_playwright import Axe

    async with new_tab(browser, live, color_scheme=scheme) as tab:
        closed_port = "http://127.0.0.1:9/"
        sent = tab.client.send(message="ê" * 80, callbackUrl=closed_port, priority=1)
        tab.client.post("/_sandbox/faults", {"effect": {"status": 503}, "times": 1})
        tab.client.post("/_sandbox/clock/freeze")
        tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
        tab.client.request("GET", "/api/v1/messages")
        await tab.open()
        tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701"})
        refused, lost = tab.client.request("GET", "/_sandbox/requests?outcome=refused").json()[
            "data"
        ]
        details = {
            f"inbox/{sent['id']}": "timeline",
            f"inbox/{refused['id']}": "refusal",
            f"requests/{lost['id']}": "request",
        }
        [attempt, *_] = tab.client.request("GET", "/_sandbox/webhooks/attempts").json()["data"]
        details[f"webhooks/{attempt['id']}"] = "attempt"
        for view, element in (LOADED | details).items():
            await tab.page.goto(f"{live.origin}/#/{view}")
            await tab.find(element).first.wait_for(state="attached")
            if view == "playground":
                await tab.find("send").click()
                await tab.find("answer-status").wait_for()
            found = (await Axe().run(tab.page)).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], view
        await tab.page.keyboard.press("Escape")
        await tab.page.get_by_role("button", name="Keyboard shortcuts").click()
        found = (await Axe().run(tab.page)).response["violations"]
        assert [each["id"] for each in found] == []


_STATIC_IMPORT = re.compile(r'^(?:import|export) [^;]*?from "\./([\w.]+)";', re.M)
_DYNAMIC_IMPORT = re.compile(r'import\("\./([\w.]+)"\)')
_WORKER = "feed_worker.js"


def loaded_with(*names: str) -> set[str]:
    """Return the modules that are loaded with these."""
    loaded: set[str] = set()
    rest = set(names)
    while rest:
        name = rest.pop()
        loaded.add(name)
        rest |= set(_STATIC_IMPORT.findall((PAGE / name).read_text())) - loaded
    return loaded


async def test_no_view_needs_200_kilobytes_of_the_page() -> None:
    always = {"index.html", "style.css", "icon.svg"}
    later = {
        each for file in PAGE.glob("*.js") for each in _DYNAMIC_IMPORT.findall(file.read_text())
    }
    assert {"email.js", "playground.js", "request.js"} < later
    needed = {name: always | loaded_with("main.js", _WORKER, name) for name in ["main.js", *later]}
    for view, files in needed.items():
        assert sum((PAGE / name).stat().st_size for name in files) < 200_000, view
    assert set().union(*needed.values()) == {each.name for each in PAGE.iterdir()} - {"docs.css"}


async def test_a_view_that_could_not_be_loaded_can_be_tried_again(tab: Tab) -> None:
    await tab.open(all_accounts=True)
    await tab.page.route("**/ui/coverage.js", lambda route: route.abort())
    await tab.find("nav-coverage").click()
    await expect(tab.find("broken")).to_be_visible()
    await tab.find("nav-inbox").click()  # the others are as usable as before
    await expect(tab.find("search")).to_be_visible()
    await tab.find("nav-coverage").click()
    await expect(tab.find("broken")).to_be_visible()
    await tab.page.unroute("**/ui/coverage.js")
    await tab.page.get_by_role("button", name="Try again").click()
    await expect(tab.find("unmet").first).to_be_visible()


async def test_no_address_breaks_the_page(tab: Tab) -> None:
    routes = ("constructor", "__proto__", "inbox/wait", "inbox/wait?timeout=0", "inbox/..", "x/y/z")
    for count, route in enumerate(routes, 1):
        tab.client.send(message="Hello")
        await tab.page.goto(f"{tab.client.origin}/#/{route}")
        await tab.page.reload()  # of one page to another, only the fragment changes
        await tab.choose_account()
        await expect(tab.page).to_have_title(re.compile("Inbox"))
        await expect(tab.find("row")).to_have_count(2 * count - 1)
        tab.client.send(message="Live")
        await expect(tab.find("row")).to_have_count(2 * count)


@pytest.mark.parametrize("named", ["nonsense", "Inbox", "__proto__", "%E2%80%AE", "nonsense/more"])
@pytest.mark.parametrize("is_loaded_anew", [False, True])
async def test_an_address_with_no_view_shows_the_inbox_and_says_so(
    tab: Tab, named: str, *, is_loaded_anew: bool
) -> None:
    tab.client.send(message="Mine")
    await tab.open()
    await tab.expect_rows(["Mine"])
    account = tab.page.url.partition("?")[2]
    if is_loaded_anew:
        await tab.page.goto("about:blank")
    await tab.page.goto(f"{tab.client.origin}/#/{named}?q=m&{account}")
    await expect(tab.find("notice")).to_have_text("The address names no view; showing the inbox")
    await tab.expect_rows(["Mine"])
    assert re.fullmatch(rf".*#/inbox(/unknown)?\?q=m&{account}", tab.page.url)


@pytest.mark.parametrize("named", ["", "#", "#/", "#/?q=m"])
async def test_an_address_without_a_view_is_that_of_the_inbox(tab: Tab, named: str) -> None:
    tab.client.send(message="Mine")
    await tab.open()
    await tab.page.goto("about:blank")
    await tab.page.goto(f"{tab.client.origin}/{named}")
    await tab.expect_rows(["Mine"])
    await expect(tab.find("notice")).to_be_empty()


async def test_an_account_that_a_restart_lost_is_not_confused_with_a_new_one(
    browser: Browser,
) -> None:
    with serving() as own:
        port = own.origin.rpartition(":")[2]
        async with new_tab(browser, own) as tab:
            tab.client.send(message="Before")
            await tab.open()
            await tab.find("row").click()
            own.process.terminate()
            own.wait()
            await expect(tab.find("link")).to_contain_text("not responding")
            with serving("--port", port):
                other = Client(own.origin)
                other.send(message="Of another")
                other.close()
                await expect(tab.find("notice")).to_contain_text("no longer exists")
                await expect(tab.find("row")).to_have_count(1)
                await tab.expect_rows(["Of another"])
                await expect(tab.find("account")).to_have_value("")


async def test_a_late_response_about_one_account_does_not_drop_another(tab: Tab) -> None:
    other = Client(tab.client.origin)
    other.send(message="Of another")
    await tab.open()
    is_chosen = asyncio.Event()

    async def respond_late(route: Route) -> None:
        response = await route.fetch()
        await is_chosen.wait()
        await route.fulfill(response=response)

    # The page asks regularly.
    async with tab.page.expect_request("**/_sandbox/accounts") as first:
        await tab.page.route("**/_sandbox/accounts", respond_late, times=1)
    tab.client, mine = other, tab.client
    await tab.choose_account()
    is_chosen.set()
    response = await (await first.value).response()
    assert response is not None
    await response.finished()
    await tab.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert await tab.find("notice").inner_text() == ""
    assert await tab.find("account").input_value() != ""
    other.close()
    tab.client = mine


async def test_a_wrong_control_token_is_reported(browser: Browser) -> None:
    with serving("--control-token", "sesame") as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            field = tab.find("control-token").get_by_label("control token")
            await field.fill("parsley")
            await tab.page.keyboard.press("Enter")
            await expect(tab.find("control-token")).to_contain_text("Wrong control token. Continue")
            await field.fill("sesame")
            await tab.page.keyboard.press("Enter")
            await expect(tab.find("empty")).to_be_visible()


async def test_shortcuts_do_nothing_behind_a_dialog(tab: Tab) -> None:
    for text in ("one", "two"):
        tab.client.send(message=text)
    await tab.open()
    await tab.find("row").first.click()
    await tab.page.locator("h2").first.click()
    await tab.page.keyboard.press("?")
    await expect(tab.find("help")).to_be_visible()
    for key in ("j", "Escape"):
        await tab.page.keyboard.press(key)
    await expect(tab.find("help")).to_have_count(0)
    await expect(tab.find("text")).to_have_text("two")


@pytest.mark.parametrize("fault", ["blocked", "full"])
async def test_the_page_works_without_storage(browser: Browser, live: Live, fault: str) -> None:
    async with new_tab(browser, live) as tab:
        await tab.page.add_init_script(NO_STORAGE[fault])
        await tab.open()
        sent = tab.client.send(message="Hello")
        await expect(tab.find("unread")).to_have_text("1")
        await tab.find("row").click()
        await expect(tab.find("message")).to_contain_text(sent["id"])
        await expect(tab.find("unread")).to_have_count(0)
        await tab.find("nav-playground").click()
        await tab.find("send").click()
        await expect(tab.find("answer-status")).to_contain_text("201")


def open_accounts(live: Live, tokens: Iterable[str]) -> None:
    """Open accounts, in this order."""
    with httpx.Client(base_url=live.origin, trust_env=False) as client:
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            client.get("/_sandbox/account", headers=headers).raise_for_status()


async def test_an_account_is_found_by_typing_and_named_in_each_row(browser: Browser) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            open_accounts(own, [f"test_suite_{number:04d}_case" for number in range(300)])
            headers = {"Authorization": "Bearer test_suite_0007_case"}
            sms = {"to": NUMBER, "message": "Of the seventh"}
            httpx.post(f"{own.base_url}/messages/sms", json=sms, headers=headers)
            await tab.open(all_accounts=True)
            await expect(tab.find("row")).to_contain_text("test_suite_0007_case")
            await tab.find("account").fill("0007")
            await tab.page.keyboard.press("Enter")
            await expect(tab.find("account")).to_have_value("test_suite_0007_case · 8")
            await expect(tab.find("row")).not_to_contain_text("test_suite_0007_case")
            await tab.find("account").fill("nobody")
            await tab.page.keyboard.press("Enter")
            await expect(tab.find("notice")).to_contain_text("no account nobody")
            await tab.find("all-accounts").click()
            await expect(tab.find("account")).to_have_value("")


async def test_what_another_client_changes_is_shown(tab: Tab) -> None:
    tab.client.send(message="Hello")
    await tab.open("requests")
    await expect(tab.find("total")).to_have_text("1 request")
    tab.client.request("DELETE", "/_sandbox/requests")
    await expect(tab.find("total")).to_have_text("0 requests")
    await tab.find("nav-controls").click()
    await expect(tab.find("faults").locator("li")).to_have_count(0)
    tab.client.post("/_sandbox/faults", {"effect": {"status": 503}, "times": 1})
    await expect(tab.find("faults").locator("li")).to_have_count(1)
    await tab.find("nav-webhooks").click()
    await expect(tab.find("endpoints").locator("li")).to_have_count(0)
    endpoints = {"endpoints": [{"url": "http://localhost:9/"}]}
    tab.client.request("PUT", "/_sandbox/webhooks", json=endpoints)
    await expect(tab.find("endpoints").locator("li")).to_have_count(1)
    tab.client.post("/_sandbox/clock/freeze")
    await expect(tab.find("frozen")).to_be_visible()
    tab.client.post("/_sandbox/reset")
    await expect(tab.find("frozen")).to_have_count(0)
    await expect(tab.find("endpoints").locator("li")).to_have_count(0)


async def test_an_idle_page_asks_for_little_however_many_accounts(browser: Browser) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            open_accounts(own, [f"test_{number}" for number in range(200)])
            await tab.open(all_accounts=True)
            responses: list[Response] = []
            for _ in range(2):  # the first one may be of the loading
                async with tab.page.expect_response("**/_sandbox/clock"):
                    pass
            tab.page.on("response", lambda response: responses.append(response))
            for _ in range(2):
                async with tab.page.expect_response("**/_sandbox/clock"):
                    pass
            # Not when they come: the page may be closed before the last one is read.
            assert sum([len(await each.body()) for each in responses]) < 2000


async def test_nothing_is_said_of_what_is_locked(browser: Browser) -> None:
    with serving("--control-token", "sesame") as own:
        async with new_tab(browser, own) as tab:
            for view in ("webhooks", "controls", "coverage"):
                await tab.open(view, all_accounts=True)
                await expect(tab.find("locked")).to_be_visible()
                await expect(tab.find("attempts")).to_have_count(0)
                await expect(tab.find("clock-facts")).to_have_count(0)


async def test_search_and_filters_are_in_the_address(tab: Tab) -> None:
    for text in ("one", "two", "three"):
        tab.client.send(message=text)
    tab.client.request("GET", "/api/v1/messages/unknown")
    await tab.open()
    await tab.find("search").fill("t")
    await tab.expect_rows(["three", "two"])
    await tab.page.reload()
    await tab.expect_rows(["three", "two"])
    await expect(tab.find("search")).to_have_value("t")
    await tab.page.goto(f"{tab.client.origin}/#/requests")
    await tab.find("filter-status").select_option("4xx")
    await expect(tab.find("request-row")).to_have_count(1)
    await tab.find("request-row").click()
    await tab.page.reload()
    await expect(tab.find("request")).to_be_visible()
    await expect(tab.find("filter-status")).to_have_value("4xx")
    await expect(tab.find("request-row")).to_have_count(1)
    await tab.page.go_back()
    await tab.page.go_back()
    await tab.expect_rows(["three", "two"])


async def test_messages_read_in_a_row_are_one_step_back(tab: Tab) -> None:
    for text in ("one", "two", "three"):
        tab.client.send(message=text)
    await tab.open()
    await tab.find("row").first.click()
    await expect(tab.page).to_have_title(re.compile("three to"))
    for text in ("two", "one"):
        await tab.page.keyboard.press("j")
        await expect(tab.find("text")).to_have_text(text)
        await expect(tab.page).to_have_title(re.compile(f"{text} to"))
    await tab.page.go_back()
    await expect(tab.find("message")).to_have_count(0)


async def test_the_title_names_what_is_open_and_nothing_that_is_not(tab: Tab) -> None:
    sent = tab.client.send(message="Hello")["id"]
    await tab.open()
    for address, title in {
        f"inbox/{sent}": "Inbox, Hello to +256701234567",
        "inbox/msg_12": "Inbox, not found",
        "requests/nothing": "Requests, not found",
        f"controls/{sent}": "Controls",
        "controls/nothing": "Controls",
        "coverage/nothing": "Coverage",
        "playground/nothing": "Playground, sms",
    }.items():
        await tab.page.goto(f"{tab.client.origin}/#/{address}")
        await expect(tab.page).to_have_title(f"{title} · msgine-sandbox")
