"""An email in the browser: as its recipient sees it, and nothing of it runs or is loaded."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from browsing import Tab, new_tab
from live import Live, serving
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

HTML = """<!doctype html><style>h1 { color: rgb(1, 2, 3) }</style><!-- a note -->
<h1 title='It is "on its way"'>Your order</h1><p>Your code is <b>493817</b></p>
<img alt=dot src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">
<a href="https://shop.example.com/orders/1042">See it</a> <a href="http://localhost:3000/x">Pay</a>
"""
# What loads, runs, submits or navigates by itself in an ordinary page.
HOSTILE = """<!doctype html><html manifest="{there}/manifest"><head><base href="{there}/">
<meta http-equiv="refresh" content="0; url={there}/refresh">
<meta http-equiv="Content-Security-Policy" content="default-src *">
<link rel="stylesheet" href="{there}/sheet.css"><link rel="icon" href="{there}/icon.png">
<link rel="prefetch" href="{there}/prefetch"><link rel="preload" as="image" href="{there}/preload">
<link rel="preconnect" href="{there}"><link rel="dns-prefetch" href="{there}">
<link rel="modulepreload" href="{there}/module.js"><link rel="prerender" href="{there}/prerender">
<style>@import "{there}/import.css"; @font-face {{ font-family: f; src: url({there}/font) }}
p {{ font-family: f; background: url({there}/background); cursor: url({there}/cursor), auto }}
</style><script src="{there}/script.js"></script><script>{hurt}; location = "{there}/js"</script>
<script type="speculationrules">{{"prefetch": [{{"urls": ["{there}/rules"]}}]}}</script>
</head><body background="{there}/body" onload="{hurt}"><h1>Hostile</h1><p>text</p>
<img src="x" onerror="{hurt}"><img src="{there}/pixel" srcset="{there}/set 2x">
<picture><source srcset="{there}/picture"><img></picture><input type="image" src="{there}/input">
<svg onload="{hurt}"><image href="{there}/svg" /><use href="{there}/use#a" /></svg>
<iframe src="{there}/iframe"></iframe><iframe srcdoc="<script>{hurt}</script>"></iframe>
<IFRAME
srcdoc="&lt;link rel=preconnect href={there}/>"></iframe><LINK/rel=preconnect href={there}>
<iframe src="data:text/html,%3Clink rel=preconnect href={there}>"></iframe>
<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'>%3CforeignObject>%3Clink
 xmlns='http://www.w3.org/1999/xhtml' rel='preconnect' href='{there}'/>%3C/foreignObject>%3C/svg>">
<object data="{there}/object"></object><embed src="{there}/embed">
<video src="{there}/video" poster="{there}/poster" autoplay></video>
<audio src="{there}/audio" autoplay></audio>
<a id="self" href="/self">self</a> <a id="top" target="_top" href="/top">top</a>
<a id="blank" target="_blank" ping="/ping" href="/blank">blank</a>
<a id="script" href="javascript:{hurt}">script</a>
<a id="out" href="{there}/out">out</a> <a id="own" href="{here}/_sandbox/messages">own</a>
<form action="/form"><button id="submit">Submit</button></form></body></html>
"""


async def send_email(tab: Tab, **fields: Any) -> str:
    """Send an email, and return the address of the page with it."""
    email = {"from": "Shop <shop@example.com>", "to": "jane@example.com", "subject": "Your order"}
    sent = tab.client.post("/api/v1/developers/email", email | fields)
    return f"{tab.client.origin}/#/inbox/{sent['id']}"


def tab_of(tab: Tab, name: str) -> Any:
    return tab.page.get_by_role("tab", name=name)


async def test_an_email_is_shown_as_its_recipient_sees_it(tab: Tab) -> None:
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.page.goto(
        await send_email(tab, html=HTML, cc="joe@example.com", bcc="me@example.com")
    )
    heading = tab.page.frame_locator("iframe").get_by_role("heading")
    await expect(heading).to_have_text("Your order")
    await expect(heading).to_have_css("color", "rgb(1, 2, 3)")
    dot = tab.page.frame_locator("iframe").get_by_alt_text("dot")
    assert await dot.evaluate("(image) => image.naturalWidth") == 1
    frame = tab.find("rendered")
    assert await frame.evaluate("(frame) => frame.clientWidth") > 600
    await tab.find("narrow").click()
    assert await frame.evaluate("(frame) => frame.clientWidth") == 375
    checks = tab.find("checks").locator("li.wrong")
    await expect(checks).to_have_text(
        [re.compile("^No text part"), re.compile("^1 link to this machine.*: localhost:3000$")]
    )
    await tab_of(tab, "Rendered").focus()
    for key, name in (("ArrowRight", "Text"), ("End", "Links"), ("ArrowRight", "Rendered")):
        await tab.page.keyboard.press(key)
        await expect(tab_of(tab, name)).to_be_focused()
        await expect(tab.page.get_by_role("tabpanel", name=name)).to_be_visible()
    await tab_of(tab, "Text").click()
    await expect(tab.find("text")).to_contain_text("Your code is 493817")
    await tab_of(tab, "Source").click()
    source = tab.find("source")
    assert (await source.text_content() or "").strip() == HTML.strip()
    await expect(source.locator(".comment")).to_have_text(["<!doctype html>", "<!-- a note -->"])
    await expect(source.locator(".value").first).to_have_text("='It is \"on its way\"'")
    await tab_of(tab, "Headers").click()
    headers = tab.find("headers")
    for text in ("Shop <shop@example.com>", "joe@example.com", "Bcc, which no recipient sees"):
        await expect(headers).to_contain_text(text)
    await tab_of(tab, "Links").click()
    links = tab.find("links").locator("bdi")
    await expect(links).to_have_text(
        ["https://shop.example.com/orders/1042", "http://localhost:3000/x"]
    )
    await tab.find("copy-link").first.click()
    await expect(tab.find("copy-link").first).to_have_text("Copied")
    copied = "navigator.clipboard.readText()"
    assert await tab.page.evaluate(copied) == "https://shop.example.com/orders/1042"
    await tab.find("copy-code").click()
    await expect(tab.find("copy-code")).to_have_text("Copied")
    assert await tab.page.evaluate(copied) == "493817"


async def test_an_email_has_the_views_that_it_has_something_for(tab: Tab) -> None:
    await tab.page.goto(await send_email(tab, text="Hello"))
    await expect(tab.find("text")).to_have_text("Hello")
    await expect(tab.page.get_by_role("tab")).to_have_text(["Text", "Headers"])
    await expect(tab.find("checks").locator("li")).to_have_text(["No links to this machine"])
    large = f"<p>{'x' * 102 * 1024}</p>" + "<b title='a'>" * 9000 + "<!--" * 1000
    await tab.page.goto(await send_email(tab, text="Hello", html=large))
    await expect(tab.find("checks").locator("li")).to_have_text(
        [
            "Has a text part",
            re.compile("Gmail cuts it off after 102 KB"),
            "No links to this machine",
        ]
    )
    await tab_of(tab, "Source").click()
    # All of it is there, and the end without colours.
    assert (await tab.find("source").text_content() or "").strip() == large
    assert 5000 < await tab.find("source").locator("span").count() < 10_000


@asynccontextmanager
async def counting_connections() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Listen, and write down how each connection begins, be it with nothing."""
    begun: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at = len(begun)
        begun.append(b"")
        begun[at] = await reader.read(1000)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", begun


async def test_nothing_of_a_hostile_email_runs_or_is_loaded(tab: Tab) -> None:
    async with counting_connections() as (there, begun):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"{there}/reached")
        assert len(begun) == 1  # so one would be noticed
        hurt = "top.hurt = parent.hurt = window.hurt = 1"
        html = HOSTILE.format(there=there, here=tab.client.origin, hurt=hurt)
        address = await send_email(tab, html=html, text="T")
        await tab.page.goto(address)
        frame = tab.page.frame_locator("iframe[data-testid=rendered]")
        await expect(frame.locator("h1")).to_have_text("Hostile")
        for name in ("top", "blank", "script", "submit"):
            await frame.locator(f"#{name}").click()
        for name in ("self", "own"):
            async with tab.page.expect_response("**/html?*"):  # what it led to is taken back
                await frame.locator(f"#{name}").click()
            await expect(tab.find("notice")).to_contain_text("Links do not open here")
            await expect(frame.locator("h1")).to_have_text("Hostile")
        assert begun[1:] == []
        async with tab.page.expect_response("**/html?*"):
            await frame.locator("#out").click()
        for view in ("Text", "Source", "Headers", "Links"):
            await tab_of(tab, view).click()
        assert tab.page.url == address
        assert len(tab.page.context.pages) == 1
        assert await tab.page.evaluate("window.hurt") is None
        # Chromium connects to the host of a link before it asks whether it may be opened.
        assert set(begun[1:]) <= {b""}
    tab.errors.clear()  # the browser reports all that it has refused


async def test_an_email_is_shown_where_a_control_token_is_required(browser: Browser) -> None:
    with serving("--control-token", "sesame") as own:
        async with new_tab(browser, own) as tab:
            await tab.open(all_accounts=True)
            address = await send_email(tab, html=HTML)
            await tab.find("control-token").get_by_label("control token").fill("sesame")
            await tab.page.keyboard.press("Enter")
            await tab.find("row").click()
            assert tab.page.url == address
            heading = tab.page.frame_locator("iframe").get_by_role("heading")
            await expect(heading).to_have_text("Your order")
            await expect(tab.find("about")).to_contain_text("0.")


async def test_the_code_and_the_links_of_an_sms_are_at_hand(tab: Tab) -> None:
    text = "Your code is 493817. Or open https://shop.example.com/in?c=493817 or http://10.0.2.2/x"
    tab.client.send(message=text)
    await tab.open()
    await tab.find("row").click()
    await expect(tab.find("code")).to_have_text("493817")
    box = await tab.find("code").bounding_box()
    assert box is not None
    assert box["height"] > 25
    await expect(tab.find("links").locator("bdi")).to_have_text(
        ["https://shop.example.com/in?c=493817", "http://10.0.2.2/x"]
    )
    opened = tab.find("links").get_by_role("link").first
    await expect(opened).to_have_attribute("rel", "noopener noreferrer")
    await expect(opened).to_have_attribute("target", "_blank")
    await expect(tab.find("message")).to_contain_text("1 link to this machine")
    tab.client.send(message="Hello")
    await tab.find("row").filter(has_text="Hello").click()
    await expect(tab.find("text")).to_have_text("Hello")
    await expect(tab.find("codes")).to_have_count(0)
    await expect(tab.find("links")).to_have_count(0)


LOCAL = [
    "localhost:3000", "api.localhost", "localhost.", "LOCALHOST", "127.0.0.1", "0x7f.1", "0.0.0.0",
    "10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.1.20", "169.254.1.1", "[::1]", "[fe80::1]",
    "[fd00::1]", "web", "nas.local", "host.docker.internal", "shop.test", "router.home.arpa",
]  # fmt: skip
PUBLIC = [
    "shop.example.com", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.1.1", "11.0.0.1",
    "[2001:db8::1]", "10.example.com", "localhost.example.com", "notlocalhost.com", "local.dev",
    "test.io", "127.0.0.1.nip.io", "müller.de",
]  # fmt: skip


async def test_links_are_told_apart_by_who_can_reach_them(tab: Tab) -> None:
    await tab.open(all_accounts=True)
    found = await tab.page.evaluate(
        "async (hosts) => { const { localLinksText } = await import('/ui/contents.js');"
        " return hosts.filter((host) => localLinksText([`https://${host}/x?y=z`])); }",
        [*LOCAL, *PUBLIC],
    )
    assert found == LOCAL
    text = "async (links) => (await import('/ui/contents.js')).localLinksText(links)"
    links = [
        "http://localhost:1/a",
        "http://localhost:1/b",
        "https://web/",
        "http://",
        "mailto:a@b",
    ]
    assert await tab.page.evaluate(text, links) == (
        "3 links to this machine or a private network, which no recipient reaches: localhost:1, web"
    )


async def test_the_version_the_base_url_and_the_reference_are_within_reach(tab: Tab) -> None:
    version = tab.client.request("GET", "/_sandbox/health").json()["version"]
    await tab.open("coverage")
    about = tab.find("about")
    await expect(about).to_contain_text(f"msgine-sandbox {version}")
    await expect(about).to_contain_text(f"{tab.client.origin}/api/v1")
    for name, heading in (("Docs", "Documentation"), ("API reference", "API")):
        await about.get_by_role("link", name=name).click()
        await expect(tab.page.locator("h1").first).to_contain_text(heading)
        await tab.page.go_back()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_view_of_an_email_has_an_accessibility_violation(
    browser: Browser, live: Live, scheme: Any
) -> None:
    from axe_playwright_python.async_playwright import Axe

    async with new_tab(browser, live, color_scheme=scheme) as tab:
        await tab.page.goto(await send_email(tab, html=HTML))
        await tab.page.frame_locator("iframe").locator("h1").wait_for()
        for name in ("Rendered", "Text", "Source", "Headers", "Links"):
            await tab_of(tab, name).click()
            found = (await Axe().run(tab.page)).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], name
