"""The page as a whole: keys, tabs, restarts, narrow screens, barriers, weight."""

import re
from pathlib import Path
from typing import Any

import pytest
from browsing import Client, Scene, staged
from live import Live, serving
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

UI = Path(__file__).parent.parent / "msgine_sandbox" / "ui" / "static"
STALE = 5_000  # milliseconds within which a page has caught up


async def test_the_keyboard_is_enough(scene: Scene) -> None:
    for text in ("one", "two", "three"):
        scene.client.send(message=text)
    await scene.open()
    await expect(scene.at("row")).to_have_count(3)
    keys = scene.page.keyboard
    await scene.page.locator("body").click(position={"x": 600, "y": 700})
    await keys.press("j")
    await expect(scene.at("text")).to_have_text("three")
    await keys.press("j")
    await expect(scene.at("text")).to_have_text("two")
    await keys.press("k")
    await expect(scene.at("text")).to_have_text("three")
    await keys.press("Escape")
    await expect(scene.at("message")).to_have_count(0)
    await keys.press("/")
    await expect(scene.at("search")).to_be_focused()
    await keys.type("one")
    await keys.press("Enter")
    await expect(scene.at("text")).to_have_text("one")
    await keys.press("?")
    await expect(scene.at("help")).to_be_visible()
    await keys.press("Escape")
    await expect(scene.at("help")).to_have_count(0)
    for key, view in enumerate(
        ("inbox", "requests", "webhooks", "controls", "playground", "coverage"), 1
    ):
        await keys.press(str(key))
        await expect(scene.at(f"nav-{view}")).to_have_attribute("aria-current", "page")


async def test_two_tabs_show_the_same(scene: Scene) -> None:
    await scene.open()
    second = await scene.page.context.new_page()
    other = Scene(second, scene.client)
    await other.open()
    sent = scene.client.send("+256700000003", "Seen by both")
    for tab in (scene, other):
        await expect(tab.at("row")).to_contain_text("Seen by both")
    scene.client.post(f"/_sandbox/messages/{sent['id']}/status", {"status": "sent"})
    for tab in (scene, other):
        await expect(tab.at("row").get_by_test_id("status")).to_have_text("sent")


async def test_a_page_outlives_its_server_says_so_and_catches_up(
    browser: Browser, tmp_path: Path
) -> None:
    file = ("--database", str(tmp_path / "kept.db"))
    with serving(*file) as own:
        port = own.origin.rpartition(":")[2]
        async with staged(browser, own) as scene:
            scene.client.send(message="Before")
            await scene.open()
            await expect(scene.at("row")).to_have_count(1)
            own.process.terminate()
            own.process.wait(timeout=10)
            await expect(scene.at("link")).to_contain_text("does not answer")
            with serving(*file, "--port", port):
                scene.client.send(message="After")
                await expect(scene.at("link")).to_have_attribute("data-link", "live", timeout=STALE)
                await expect(scene.at("row")).to_have_count(2)
                assert await scene.rows() == ["After", "Before"]
                scene.client.send(message="Live again")
                await expect(scene.at("row")).to_have_count(3)


async def test_a_sandbox_with_a_control_token_asks_for_it(browser: Browser) -> None:
    with serving("--control-token", "sesame") as own:
        async with staged(browser, own) as scene:
            scene.client.send(message="Guarded")
            await scene.open(alone=False)
            await scene.at("control-token").get_by_label("control token").fill("sesame")
            await scene.page.keyboard.press("Enter")
            await expect(scene.at("row")).to_contain_text("Guarded")


@pytest.mark.parametrize(
    "view", ["inbox", "requests", "webhooks", "controls", "playground", "coverage"]
)
async def test_a_narrow_screen_shows_all_of_a_view(browser: Browser, live: Live, view: str) -> None:
    async with staged(browser, live, viewport={"width": 360, "height": 640}) as scene:
        sent = scene.client.send(message="Hello")
        await scene.open(view)
        await scene.page.wait_for_timeout(100)
        assert await scene.page.evaluate("document.documentElement.scrollWidth") <= 360
        if view == "inbox":
            await scene.at("row").click()
            await expect(scene.at("message")).to_contain_text(sent["id"])
            await scene.page.get_by_role("link", name="← Inbox").click()
            await expect(scene.at("row")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_view_has_a_barrier(browser: Browser, live: Live, scheme: Any) -> None:
    from axe_playwright_python.async_playwright import Axe

    async with staged(browser, live, color_scheme=scheme) as scene:
        receiver_is_not_there = "http://127.0.0.1:9/"
        sent = scene.client.send(message="ê" * 80, callbackUrl=receiver_is_not_there, priority=1)
        scene.client.post("/_sandbox/faults", {"effect": {"status": 503}, "times": 1})
        scene.client.post("/_sandbox/clock/freeze")
        scene.client.post("/_sandbox/clock/advance", {"seconds": 3})
        scene.client.request("GET", "/api/v1/messages")
        await scene.open()
        [entry] = scene.client.request("GET", "/_sandbox/requests?status=503").json()["data"]
        views = ["inbox", f"inbox/{sent['id']}", "requests", f"requests/{entry['id']}"]
        for view in (*views, "webhooks", "controls", "playground", "coverage"):
            await scene.page.goto(f"{live.origin}/#/{view}")
            if view == "playground":
                await scene.at("send").click()
                await scene.at("answer-status").wait_for()
            await scene.page.wait_for_timeout(150)
            found = (await Axe().run(scene.page)).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], view
        await scene.page.keyboard.press("Escape")
        await scene.page.get_by_role("button", name="Keys").click()
        found = (await Axe().run(scene.page)).response["violations"]
        assert [each["id"] for each in found] == []


async def test_the_page_is_light_and_quickly_there(browser: Browser, live: Live) -> None:
    weight = sum(each.stat().st_size for each in UI.iterdir())
    assert weight < 150_000
    paints = []
    for _ in range(5):
        async with staged(browser, live) as scene:
            await scene.page.goto(live.origin)
            await scene.page.wait_for_function(
                "performance.getEntriesByName('first-contentful-paint').length > 0"
            )
            paints.append(
                await scene.page.evaluate(
                    "performance.getEntriesByName('first-contentful-paint')[0].startTime"
                )
            )
    assert min(paints) < 500, paints


@pytest.mark.parametrize(
    "route", ["constructor", "__proto__", "inbox/wait", "inbox/wait?timeout=0", "inbox/..", "x/y/z"]
)
async def test_no_address_breaks_the_page(scene: Scene, route: str) -> None:
    scene.client.send(message="Hello")
    await scene.page.goto(f"{scene.client.origin}/#/{route}")
    await scene.choose()
    await expect(scene.page).to_have_title(re.compile("Inbox"))
    await expect(scene.at("row")).to_have_count(1)
    scene.client.send(message="Live")
    await expect(scene.at("row")).to_have_count(2)


async def test_what_a_restart_has_lost_is_gone_and_a_strangers_account_is_not_taken_for_ones_own(
    browser: Browser,
) -> None:
    with serving() as own:
        port = own.origin.rpartition(":")[2]
        async with staged(browser, own) as scene:
            scene.client.send(message="Before")
            await scene.open()
            await scene.at("row").click()
            own.process.terminate()
            own.process.wait(timeout=10)
            await expect(scene.at("link")).to_contain_text("does not answer")
            with serving("--port", port):
                stranger = Client(own.origin)
                stranger.send(message="Of a stranger")
                stranger.close()
                await expect(scene.at("notice")).to_contain_text("not there any more")
                await expect(scene.at("row")).to_have_count(1)
                assert await scene.rows() == ["Of a stranger"]
                await expect(scene.at("account")).to_have_value("")


async def test_a_wrong_control_token_is_said_to_be_wrong(browser: Browser) -> None:
    with serving("--control-token", "sesame") as own:
        async with staged(browser, own) as scene:
            await scene.open(alone=False)
            field = scene.at("control-token").get_by_label("control token")
            await field.fill("parsley")
            await scene.page.keyboard.press("Enter")
            await expect(scene.at("control-token")).to_contain_text("That was not it")
            await field.fill("sesame")
            await scene.page.keyboard.press("Enter")
            await expect(scene.at("empty")).to_be_visible()


async def test_keys_do_not_reach_behind_a_dialog(scene: Scene) -> None:
    for text in ("one", "two"):
        scene.client.send(message=text)
    await scene.open()
    await scene.at("row").first.click()
    await scene.page.locator("h2").first.click()
    await scene.page.keyboard.press("?")
    await expect(scene.at("help")).to_be_visible()
    for key in ("j", "Escape"):
        await scene.page.keyboard.press(key)
    await expect(scene.at("help")).to_have_count(0)
    await expect(scene.at("text")).to_have_text("two")
