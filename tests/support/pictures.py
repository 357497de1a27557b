"""Takes the pictures of `docs/inbox.md`: `make pictures`. No test does.

`make pictures ARGS=FOLDER` takes those of all views instead, wide and narrow, to be looked at.
"""

import asyncio
import sys
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
SIZES = ((1440, 900), (390, 844))
SETTLING = 500  # milliseconds
RECEIPT = """<!doctype html><html><head><style>
  .card { font-family: Georgia, serif; max-width: 32rem; margin: auto; padding: 1rem }
  h1 { color: #0b6e63 } td { padding: .2rem 1rem .2rem 0 } .total { font-weight: bold }
</style></head><body><!-- the receipt --><div class="card"><h1>Webale nnyo!</h1>
<p>You paid <b>UGX 48,000</b> for order 1042.</p>
<table><tr><td>2 gomesi</td><td>40,000</td></tr><tr><td>Delivery</td><td>8,000</td></tr>
<tr class="total"><td>Total</td><td>48,000</td></tr></table>
<img src="https://shop.example/logo.png" alt="Kampala Shop" width="120" height="40">
<p><a href="https://shop.example/orders/1042">See your order</a>,
<a href="http://localhost:3000/help">help</a></p></div></body></html>"""


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


async def take_all_pictures(folder: Path) -> None:
    """Take every view in both schemes and widths, with what makes a page difficult."""
    folder.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        with serving("--scenario", str(SCENARIO)) as live, receiving() as receiver:
            receiver.answers = [503, 200]
            client = Client(live.origin)
            routes = make_views(client, receiver.url)
            client.close()
            for scheme in SCHEMES:
                for width, height in SIZES:
                    viewport = {"width": width, "height": height}
                    setting = new_tab(browser, live, viewport=viewport, color_scheme=scheme)
                    async with setting as tab:
                        for name, route in routes.items():
                            await tab.page.goto(f"{live.origin}/#/{route}")
                            await tab.page.locator("main[data-loaded=true]").wait_for()
                            # Views load what they show, and nothing says when all of it is there.
                            await tab.page.wait_for_timeout(SETTLING)
                            await take(tab, folder / f"{name}-{width}-{scheme}.png")
                        tab.errors.clear()  # the logo in the email, which is not loaded


def make_views(client: Client, url: str) -> dict[str, str]:
    """Make what the views show; return the routes by the names of the pictures."""
    send_messages(client, url)
    outage = {"effect": {"status": 503}, "times": 3, "match": {"to": "+254*"}}
    client.post("/_sandbox/faults", outage)
    client.post(
        "/_sandbox/faults",
        {"effect": {"delivery": "failed", "reason": "Unreachable handset"}, "probability": 0.1},
    )
    arabic = "\u0631\u0645\u0632 \u0627\u0644\u062a\u062d\u0642\u0642 493817. " * 6
    many = [f"+2567012345{n:02}" for n in range(40)] + ["+256700000001", "+256700000003"]
    sent = {
        "many": client.send(many, "Today only: 10% off until 18:00."),
        "arabic": client.send("+256701234567", arabic),
        "sms": client.send("+256701234567", "Your code is 493817. It ends in 10 minutes."),
    }
    for wrong in ({"to": "0701234567"}, {"message": ""}, {"to": "+254712345678"}):
        body = {"to": "+256701234567", "message": "Hello", **wrong}
        client.request("POST", "/api/v1/messages/sms", json=body)
    email = {
        "from": "Kampala Shop <shop@example.com>",
        "to": "jane@example.com",
        "subject": "Your receipt for order 1042",
        "html": RECEIPT,
    }
    sent["email"] = client.post("/api/v1/developers/email", email)
    client.post("/_sandbox/clock/advance", {"seconds": 10})
    pushes = client.request("GET", "/_sandbox/messages?channel=push").json()["data"]
    requests = client.request("GET", "/_sandbox/requests?limit=100").json()["data"]
    attempts = client.request("GET", "/_sandbox/webhooks/attempts?limit=1").json()["data"]
    refused = next(each["id"] for each in requests if each["status"] == 400)
    return {
        "inbox": "inbox",
        **{f"message-{name}": f"inbox/{answer['id']}" for name, answer in sent.items()},
        "message-push": f"inbox/{pushes[0]['id']}",
        "search-nothing": "inbox?q=nothing-has-this",
        "requests": "requests",
        "request-refused": f"requests/{refused}",
        "webhooks": "webhooks",
        "webhook-attempt": f"webhooks/{attempts[0]['id']}",
        "controls": "controls",
        "playground": "playground",
        "coverage": "coverage",
    }


async def take(tab: Tab, file: Path) -> None:
    """Take one picture, once all fonts are loaded and nothing is under the pointer."""
    await tab.page.mouse.move(0, 0)
    await tab.page.evaluate("document.fonts.ready.then(() => undefined)")
    await tab.page.screenshot(path=file)


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(take_all_pictures(Path(sys.argv[1])))
    else:
        asyncio.run(take_pictures(PICTURES))
