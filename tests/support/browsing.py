"""The page in Chromium, and a client of the sandbox whose messages it shows."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
from command import LIMIT
from live import Live
from needs import skip_or_fail
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from project import ROOT

NUMBER = "+256701234567"
WAIT_LIMIT = 60_000  # milliseconds; only a condition that never comes true takes so long
# An element that is only there once the view has its data.
LOADED = {
    "inbox": "row",
    "requests": "request-row",
    "webhooks": "attempts",
    "controls": "clock-facts",
    "playground": "magic",
    "coverage": "met",
}
# For a second and a half, which may pass before a busy machine looks.
NOTE_THAT_IT_SAYS_COPIED = """(button) => {
  const says = (done) => new MutationObserver(() => button.textContent === "Copied" && done())
    .observe(button, { childList: true, characterData: true, subtree: true });
  button.saidCopied = new Promise(says);
}"""
_tokens = count(1)

expect.set_options(timeout=WAIT_LIMIT)


def executable() -> str:
    """Return the path of Chromium; without one, skip the test, or fail it in CI.

    The one without windows is preferred: in the others each new profile opens a window, which takes
    longer than most of the tests.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    paths = [path for name in names if (path := shutil.which(name))]
    if not paths:
        skip_or_fail("needs Chromium: apt-get install chromium-headless-shell")
    return paths[0]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=executable())
        yield browser
        await browser.close()


def send_many(own: Live, count: int) -> None:
    """Send messages on several connections at once, numbered from 0."""
    port, where = own.origin.rpartition(":")[2], '"/api/v1/messages/sms"'
    script = f"""
import json
from benchmarks.load import post, run
body = lambda n: json.dumps({{"to": "{NUMBER}", "message": f"Number {{n}}"}}).encode()
run({port}, {count}, lambda n: post({where}, body(n), "Authorization: Bearer burst"))
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=LIMIT)


def run_shell(command: str) -> str:
    """Run a command that the page shows, and return its output."""
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=LIMIT, check=True
    )
    return ended.stdout


class Client:
    """A client of the sandbox, with an account of its own."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.use_token(f"test_{next(_tokens):04d}_in_the_browser_{next(_tokens):04d}")

    def use_token(self, token: str) -> None:
        """Send this token from now on."""
        self.token = token
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(
            base_url=self.origin, headers=headers, timeout=LIMIT, trust_env=False
        )

    def send(self, to: Any = NUMBER, message: str = "Hello", **fields: Any) -> dict[str, Any]:
        body = {"to": to, "message": message, **fields}
        return self.post("/api/v1/messages/sms", body)

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        return self._http.request(method, path, **kwargs)

    def close(self) -> None:
        self._http.close()


class Tab:
    """A browser tab with the page, and a client of the same sandbox."""

    def __init__(self, page: Page, client: Client, errors: list[str] | None = None) -> None:
        self.page = page
        self.client = client
        self.errors = [] if errors is None else errors
        """What the page has reported so far."""

    def find(self, name: str) -> Locator:
        """Return the elements with this data-testid."""
        return self.page.get_by_test_id(name)

    async def open(self, view: str = "inbox", *, all_accounts: bool = False) -> None:
        """Open a view, of the client's account unless of all accounts."""
        await self.page.goto(f"{self.client.origin}/#/{view}")
        if not all_accounts:
            self.client.request("GET", "/_sandbox/account")  # creates the account
            await self.choose_account()

    async def choose_account(self) -> None:
        """Choose the client's account, and wait until it is loaded."""
        [account] = self.client.request("GET", "/_sandbox/accounts").json()["data"]
        await self.page.locator("header").wait_for()
        if await self.find("menu").is_visible():  # on a narrow screen
            await self.find("menu").click()
        await self.find("account").fill(account["token"])
        await self.page.keyboard.press("Enter")
        account = account["id"]
        await self.page.locator(f"main[data-account={account}][data-loaded=true]").wait_for()

    @property
    def row_texts(self) -> Locator:
        """The texts of the rows of the inbox that are in the document."""
        return self.page.locator("[data-testid=row] .text")

    async def expect_rows(self, texts: Sequence[str]) -> None:
        """Wait until the inbox shows exactly these texts."""
        await expect(self.row_texts).to_have_text(texts)


async def copied(tab: Tab, name: str) -> str:
    """Click a button that copies, the first of this name, and return what it has copied."""
    button = tab.find(name).first
    await tab.page.evaluate("navigator.clipboard.writeText('')")
    await button.evaluate(NOTE_THAT_IT_SAYS_COPIED)
    await button.click()
    await button.evaluate("(button) => button.saidCopied")
    text = await tab.page.wait_for_function("navigator.clipboard.readText()")
    return await text.json_value()


@asynccontextmanager
async def new_tab(browser: Browser, live: Live, **context: Any) -> AsyncIterator[Tab]:
    """Open a tab in a new browser profile; fail if the page reports an error."""
    errors: list[str] = []
    # Without transitions, so that colours are final as soon as an element is there.
    settings = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | context
    profile = await browser.new_context(**settings)
    page = await profile.new_page()
    page.set_default_timeout(WAIT_LIMIT)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda entry: entry.type == "error" and errors.append(entry.text))
    client = Client(live.origin)
    try:
        yield Tab(page, client, errors)
    finally:
        client.close()
        await profile.close()
    # Some tests are about refused requests and lost connections, which Chromium reports as well.
    assert [each for each in errors if "Failed to load resource" not in each] == []
