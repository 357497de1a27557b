"""Takes the pictures of `docs/inbox.md`: `make pictures`. No test does."""

import asyncio
from pathlib import Path

from browsing import Client, Tab, chromium, new_tab
from live import Live, serving
from playwright.async_api import Browser, expect
from project import DOCS, FIXTURES
from receiver import receiving

SCENARIO = FIXTURES / "scenarios" / "page.json"
PICTURES = DOCS / "pictures"
SCHEMES = ("light", "dark")
VIEWPORT = {"width": 1280, "height": 800}


async def take_pictures(folder: Path) -> None:
    """Take each picture in light and in dark."""
    folder.mkdir(exist_ok=True)
    async with chromium() as browser:
        for scheme in SCHEMES:
            with serving("--scenario", str(SCENARIO)) as live, receiving() as receiver:
                receiver.answers = [503]
                await take_scheme(browser, live, receiver.url, scheme, folder)


async def take_scheme(browser: Browser, live: Live, url: str, scheme: str, folder: Path) -> None:
    """Take the pictures of one colour scheme; `url` receives webhooks."""
    async with new_tab(browser, live, viewport=VIEWPORT, color_scheme=scheme) as tab:
        send_messages(tab.client, url)
        await tab.open(all_accounts=True)
        await expect(tab.find("row")).to_have_count(12)
        await take(tab, folder / f"inbox-{scheme}.png")
        await tab.find("row").first.click()
        await expect(tab.find("timeline").locator("li.of-webhook")).to_have_count(3)
        await take(tab, folder / f"message-{scheme}.png")
        await tab.open("playground", all_accounts=True)
        await tab.find("token").fill("test_kampala_shop")
        await tab.find("send").click()
        await expect(tab.find("answer-status")).to_have_text("201")
        await tab.page.locator(".page").evaluate("(page) => page.scrollTop = 0")
        await take(tab, folder / f"playground-{scheme}.png")


def send_messages(client: Client, url: str) -> None:
    """Send one message without warnings, and one with webhooks and warnings."""
    client.use_token("test_kampala_shop")
    client.send("+256752345678", "Omusanvu gwa mukaaga: order 1044 is confirmed. Pay on delivery.")
    text = "Your parcel comes today between 14:00 and 16:00 \u2013 the rider will call you first."
    client.send("+256701234567", text, callbackUrl=url, priority="high")
    client.post("/_sandbox/clock/advance", {"seconds": 30})


async def take(tab: Tab, file: Path) -> None:
    """Take one picture, once all fonts are loaded and nothing is under the pointer."""
    await tab.page.mouse.move(0, 0)
    await tab.page.evaluate("document.fonts.ready.then(() => undefined)")
    await tab.page.screenshot(path=file)


if __name__ == "__main__":
    asyncio.run(take_pictures(PICTURES))
