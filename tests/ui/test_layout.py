"""What surrounds the views, on wide and narrow windows."""

import pytest
from browsing import Client, Tab, new_tab
from live import Live, serving
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

ROW = "(row) => new Set([...row.children].map((each) => Math.round(each.offsetTop / 14))).size"
"""How many lines the parts of a row are on; they differ in size, so not in pixels."""
TEXTS = """(names) => [...names.querySelectorAll("dt")].flatMap((name) =>
  [name, name.nextElementSibling].map((each) => {
    const range = document.createRange();
    range.selectNodeContents([...each.childNodes].findLast(({ data }) => data?.trim()));
    return [Math.round(range.getBoundingClientRect().top), range.getClientRects().length];
  }))"""
"""Of each name in a list and of its value: the top of its text, and on how many lines it is."""
CONTRASTS = """async () => {
  const channels = (colour) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [red, green, blue, opacity] = channels(colour).map((each) => linear(each / 255));
    if (opacity < 1) throw new Error(`${colour} is not opaque`);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  return Object.fromEntries([...document.querySelectorAll("[placeholder]")].map((field) => {
    const { color, opacity } = getComputedStyle(field, "::placeholder");
    if (opacity !== "1") throw new Error(`opacity ${opacity}`);
    const both = [color, getComputedStyle(field).backgroundColor].map(luminance);
    return [field.placeholder, (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05)];
  }));
}"""
"""The contrast of each placeholder to its field, as WCAG 2 computes it."""
LINES = """(bar) => {
  const parts = [...bar.querySelectorAll("*")].map((each) => each.getBoundingClientRect())
    .filter(({ width }) => width > 1).sort((one, other) => one.top - other.top);
  let count = 0;
  let end = -Infinity;
  for (const { top, bottom } of parts) {
    if (top >= end) count += 1;
    end = Math.max(end, bottom);
  }
  return count;
}"""
"""On how many lines the visible parts of a bar are, one below the other."""
OVERFLOWS = """() => {
  const isCut = (element) => {
    for (let each = element; each; each = each.parentElement) {
      if (getComputedStyle(each).overflowX !== "visible") return true;
    }
    return false;
  };
  const scrolls = [...document.querySelectorAll("body, body *:not(.frame, input, select)")].filter(
    (each) => each.clientWidth > 1 && each.scrollWidth > each.clientWidth
      && ["visible", "auto"].includes(getComputedStyle(each).overflowX));
  const leaves = [...document.querySelectorAll("body *")].filter((each) =>
    each.getBoundingClientRect().right > innerWidth + 1 && !isCut(each));
  return [...scrolls, ...leaves].map((each) => each.outerHTML.slice(0, 200));
}"""
"""What is wider than its room, or than the window; the frame of an email may be."""
SCHEME = "getComputedStyle(document.body).backgroundColor"


async def test_a_wide_window_has_a_line_for_each_message_and_each_refused_call(
    browser: Browser, live: Live
) -> None:
    async with new_tab(browser, live, viewport={"width": 1440, "height": 900}) as tab:
        tab.client.send(message="A text that is much too long for the room that it has. " * 4)
        tab.client.post("/_sandbox/faults", {"effect": {"delivery": "failed"}, "times": 12})
        tab.client.send([f"+2567012345{number}" for number in range(10, 46)], "Many")
        tab.client.post("/_sandbox/clock/advance", {"seconds": 3})
        tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701", "message": "No"})
        await tab.open()
        for name, count in {"row": 2, "refused-row": 1}.items():
            await expect(tab.find(name)).to_have_count(count)
            for row in await tab.find(name).all():
                box = await row.bounding_box()
                assert box is not None
                assert box["height"] < 40
                assert await row.evaluate(ROW) == 1
        states = tab.find("row").first.locator(".states")
        await expect(states).to_contain_text("failed×12delivered×24")
        assert await states.evaluate("(states) => states.scrollWidth <= states.clientWidth")
        lefts = [
            await each.evaluate("(part) => part.offsetLeft")
            for each in await tab.page.locator(".wide .row .text").all()
        ]
        assert len(set(lefts)) == 1
        await tab.find("row").first.click()  # beside the open message there is less room
        await expect(tab.page.locator(".wide")).to_have_count(0)
        await expect(tab.find("message")).to_contain_text("Many")


async def test_the_header_is_one_line_at_1280_with_all_that_it_can_say(
    browser: Browser, live: Live
) -> None:
    async with new_tab(browser, live) as tab:
        tab.client.send(priority=1)
        tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701", "message": "No"})
        tab.client.post("/_sandbox/clock/advance", {"seconds": 300_000})
        tab.client.request("PATCH", "/_sandbox/account", json={"name": "The shop in Kampala"})
        await tab.open()
        await expect(tab.find("clock")).to_contain_text("ahead")
        await expect(tab.find("count-warning")).to_be_visible()
        box = await tab.page.locator("header").bounding_box()
        assert box is not None
        assert box["height"] < 60


async def test_on_a_phone_the_header_is_one_line_and_its_button_leads_everywhere(
    browser: Browser, live: Live
) -> None:
    async with new_tab(browser, live, viewport={"width": 390, "height": 844}) as tab:
        tab.client.send()
        await tab.open()
        for part in ("header", "footer"):
            box = await tab.page.locator(part).bounding_box()
            assert box is not None
            assert box["height"] < 60, part
        menu = tab.find("menu")
        await expect(menu).to_have_text("Inbox 1 ▾")
        await expect(tab.find("nav-webhooks")).to_be_hidden()
        await menu.click()
        await tab.find("nav-webhooks").click()
        await expect(menu).to_contain_text("Webhooks")
        await expect(tab.find("nav-webhooks")).to_be_hidden()
        await menu.click()
        await tab.find("all-accounts").click()
        await expect(tab.page.locator("main")).to_have_attribute("data-account", "all")
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_at_800_the_header_is_one_line_and_a_click_on_the_view_closes_its_menu(
    browser: Browser, live: Live
) -> None:
    async with new_tab(browser, live, viewport={"width": 800, "height": 900}) as tab:
        tab.client.request("PATCH", "/_sandbox/account", json={"name": "The shop in Kampala"})
        await tab.open()
        header = tab.page.locator("header")
        box = await header.bounding_box()
        assert box is not None
        assert box["height"] < 60
        await tab.find("menu").click()
        account = tab.find("account")
        assert await account.evaluate("(field) => field.scrollWidth <= field.clientWidth")
        await expect(account).to_have_attribute("title", await account.input_value())
        await tab.find("nav-inbox").click()
        await expect(tab.find("nav-inbox")).to_be_hidden()


async def freeze_with_much_to_say(tab: Tab, live: Live, *, all_accounts: bool) -> None:
    """Freeze clocks while something is due, and open the page."""
    tab.client.request("PATCH", "/_sandbox/account", json={"name": "The shop in Kampala"})
    tab.client.send(callbackUrl="http://127.0.0.1:9/closed")
    # Or the bar would come and go with the attempts of the webhooks.
    tab.client.post("/_sandbox/clock/advance", {"until": "idle"})
    tab.client.request("POST", "/api/v1/messages/sms", json={"to": "0701", "message": "No"})
    body = {"to": "+256701234567", "message": "Hi", "scheduledFor": "2099-01-01T06:00:00Z"}
    tab.client.post("/api/v1/developers/sms", body)
    if all_accounts:
        for _ in range(5):
            other = Client(live.origin)
            other.request("GET", "/_sandbox/account")
            other.post("/_sandbox/clock/freeze")
            other.close()
    else:
        tab.client.post("/_sandbox/clock/freeze")
    await tab.open(all_accounts=all_accounts)
    await expect(tab.find("frozen")).to_be_visible()
    await expect(tab.find("next")).to_be_visible()


@pytest.mark.parametrize("all_accounts", [False, True])
async def test_on_a_phone_bars_have_two_lines(browser: Browser, *, all_accounts: bool) -> None:
    with serving() as own:
        async with new_tab(browser, own, viewport={"width": 390, "height": 844}) as tab:
            await freeze_with_much_to_say(tab, own, all_accounts=all_accounts)
            assert await tab.page.locator(".frozen").evaluate(LINES) == 2
            assert await tab.find("next").locator("time").is_visible()
            for name in ("go-next", "go-idle"):
                box = await tab.find(name).bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= 390
            for view, row in {
                "inbox": "row",
                "requests": "request-row",
                "webhooks": "attempt-row",
            }.items():
                await tab.page.goto(f"{own.origin}/#/{view}")
                await expect(tab.find(row).first).to_be_visible()
                assert await tab.page.locator(".inbox > .bar").evaluate(LINES) <= 2, view


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_no_view_is_wider_than_the_window(browser: Browser, width: int) -> None:
    with serving() as own:
        async with new_tab(browser, own, viewport={"width": width, "height": 844}) as tab:
            await freeze_with_much_to_say(tab, own, all_accounts=False)
            ids = {
                "inbox": ("messages", "message"),
                "requests": ("requests", "request"),
                "webhooks": ("webhooks/attempts", "attempt"),
            }
            for view, (path, name) in ids.items():
                items = tab.client.request("GET", f"/_sandbox/{path}").json()["data"]
                await tab.page.goto(f"{own.origin}/#/{view}")
                await expect(tab.page.locator(".list .row").first).to_be_visible()
                assert await tab.page.evaluate(OVERFLOWS) == [], view
                await tab.page.goto(f"{own.origin}/#/{view}/{items[-1]['id']}")
                await expect(tab.find(name)).to_be_visible()
                assert await tab.page.evaluate(OVERFLOWS) == [], view
            for view, name in {
                "controls": "clock-facts",
                "playground": "send",
                "coverage": "percent",
            }.items():
                await tab.page.goto(f"{own.origin}/#/{view}")
                await expect(tab.find(name)).to_be_visible()
                assert await tab.page.evaluate(OVERFLOWS) == [], view


@pytest.mark.parametrize("width", [360, 1280])
async def test_names_and_their_values_are_at_one_height(
    browser: Browser, live: Live, width: int
) -> None:
    async with new_tab(browser, live, viewport={"width": width, "height": 800}) as tab:
        tab.client.request("PATCH", "/_sandbox/account", json={"tier": "professional"})
        body = {"to": "+256701234567", "message": "Hi", "scheduledFor": "2099-01-01T06:00:00Z"}
        tab.client.post("/_sandbox/clock/freeze")
        message = tab.client.post("/api/v1/developers/sms", body)
        await tab.open("controls")
        texts = await tab.find("windows").evaluate(TEXTS)
        assert [lines for _, lines in texts] == [1, 1, 1, 1]
        assert texts[::2] == texts[1::2]
        await tab.page.goto(f"{live.origin}/#/inbox/{message['id']}")
        await expect(tab.find("go-scheduled")).to_be_visible()
        if width == 1280:  # on a narrow window, the longest values are on two lines
            texts = await tab.find("facts").evaluate(TEXTS)
            assert texts[::2] == texts[1::2]
        tab.client.request("DELETE", f"/_sandbox/messages/{message['id']}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_placeholders_can_be_read(browser: Browser, live: Live, scheme: str) -> None:
    async with new_tab(browser, live, color_scheme=scheme) as tab:
        await tab.open()
        contrasts: dict[str, float] = {}
        for view, label in {
            "requests": "Search the requests",
            "inbox": "Search the inbox",
            "webhooks": "Signing secret",
            "controls": "Only for recipients",
        }.items():
            await tab.find(f"nav-{view}").click()
            await tab.page.get_by_label(label).wait_for()
            contrasts |= await tab.page.evaluate(CONTRASTS)
        assert {"all accounts", "Search  /", "URL  /", "whsec_…"} <= contrasts.keys()
        assert [each for each in contrasts.items() if each[1] < 4.5] == []


async def test_a_chosen_theme_stays(tab: Tab) -> None:
    await tab.open()
    light = await tab.page.evaluate(SCHEME)
    await tab.find("theme").select_option("dark")
    dark = await tab.page.evaluate(SCHEME)
    assert dark != light
    await tab.page.reload()
    await expect(tab.find("theme")).to_have_value("dark")
    assert await tab.page.evaluate(SCHEME) == dark
    await tab.find("theme").select_option("system")
    assert await tab.page.evaluate(SCHEME) == light


async def test_an_empty_inbox_sends_the_first_message(browser: Browser) -> None:
    with serving() as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            await tab.find("send-first").click()
            await expect(tab.find("row")).to_contain_text("Your code is 493817")
