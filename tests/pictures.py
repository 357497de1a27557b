"""Makes the pictures of `docs/inbox.md` anew: `python tests/pictures.py`."""

import asyncio
from pathlib import Path

from browsing import ROOT, Client, Scene, chromium, staged
from live import Live, serving
from playwright.async_api import Browser, expect
from receiver import receiving

SCENARIO = ROOT / "fixtures" / "scenarios" / "page.json"
PICTURES = ROOT / "docs" / "pictures"
SCHEMES = ("light", "dark")
VIEWPORT = {"width": 1280, "height": 800}


async def main(folder: Path = PICTURES) -> None:
    """Take each picture in light and in dark."""
    folder.mkdir(exist_ok=True)
    async with chromium() as browser:
        for scheme in SCHEMES:
            with serving("--scenario", str(SCENARIO)) as live, receiving() as receiver:
                receiver.answers = [503]
                await taken(browser, live, receiver.url, scheme, folder)


async def taken(browser: Browser, live: Live, url: str, scheme: str, folder: Path) -> None:
    settings = {"viewport": VIEWPORT, "color_scheme": scheme}
    async with staged(browser, live, **settings) as scene:
        story(scene.client, url)
        await scene.open(alone=False)
        await expect(scene.at("row")).to_have_count(12)
        await shot(scene, folder / f"inbox-{scheme}.png")
        await scene.at("row").first.click()
        await expect(scene.at("timeline").locator("li.of-webhook")).to_have_count(3)
        await shot(scene, folder / f"message-{scheme}.png")
        await scene.open("playground", alone=False)
        await scene.at("token").fill("test_kampala_shop")
        await scene.at("send").click()
        await expect(scene.at("answer-status")).to_have_text("201")
        await scene.page.locator(".page").evaluate("(page) => page.scrollTop = 0")
        await shot(scene, folder / f"playground-{scheme}.png")


def story(client: Client, url: str) -> None:
    """Send what a client would: one that is heard of, and one that costs more than it should."""
    client.token = "test_kampala_shop"
    client.renew()
    client.send("+256752345678", "Omusanvu gwa mukaaga: order 1044 is confirmed. Pay on delivery.")
    text = "Your parcel comes today between 14:00 and 16:00 \u2013 the rider will call you first."
    client.send("+256701234567", text, callbackUrl=url, priority="high")
    client.post("/_sandbox/clock/advance", {"seconds": 30})


async def shot(scene: Scene, file: Path) -> None:
    await scene.page.mouse.move(0, 0)
    await scene.page.wait_for_timeout(200)  # until the last fonts and colours are there
    await scene.page.screenshot(path=file)


if __name__ == "__main__":
    asyncio.run(main())
