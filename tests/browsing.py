"""The page in Debian's Chromium, and what a test does with it beside a client that sends."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import Live
from playwright.async_api import Browser, Locator, Page, async_playwright

ROOT = Path(__file__).parent.parent
NUMBER = "+256701234567"
_tokens = count(1)


def executable() -> str:
    """Chromium as Debian packages it; where there is none, only CI must not go on without it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "needs Chromium: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=executable())
        yield browser
        await browser.close()


def burst(own: Live, count: int) -> None:
    """Send many messages, on as few connections as are quick."""
    port, where = own.origin.rpartition(":")[2], '"/api/v1/messages/sms"'
    script = f"""
import json
from benchmarks.load import post, run
body = lambda n: json.dumps({{"to": "{NUMBER}", "message": f"Number {{n}}"}}).encode()
run({port}, {count}, lambda n: post({where}, body(n), "Authorization: Bearer burst"))
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)


def shell(command: str) -> str:
    """Run a command as who copied it would, and give what it says."""
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=20, check=True
    )
    return ended.stdout


class Client:
    """A client of the sandbox, with an account of its own."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.token = f"test_{next(_tokens):04d}_in_the_browser_{next(_tokens):04d}"
        self.renew()

    def renew(self) -> None:
        """Speak for the account of the token, which may be another one by now."""
        headers = {"Authorization": f"Bearer {self.token}"}
        self._http = httpx.Client(base_url=self.origin, headers=headers, trust_env=False)

    @property
    def hint(self) -> str:
        """The token, as the page may show it."""
        return f"{self.token[:5]}…{self.token[-4:]}"

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


class Scene:
    """A page, and a client beside it."""

    def __init__(self, page: Page, client: Client) -> None:
        self.page = page
        self.client = client

    def at(self, name: str) -> Locator:
        """What a test looks for by its name."""
        return self.page.get_by_test_id(name)

    async def open(self, view: str = "inbox", *, alone: bool = True) -> None:
        """Look at a view, of the client's account alone or of all."""
        await self.page.goto(f"{self.client.origin}/#/{view}")
        if alone:
            self.client.request("GET", "/_sandbox/account")  # which opens it
            await self.choose()

    async def choose(self) -> None:
        """Choose the client's account."""
        option = self.page.locator("[data-testid=account] option", has_text=self.client.hint)
        await option.wait_for(state="attached")
        number = await option.get_attribute("value")
        await self.at("account").select_option(number)
        await self.page.locator(f"main[data-account={number}][data-loaded=true]").wait_for()

    async def rows(self) -> list[str]:
        """The texts of the rows that are there."""
        return await self.page.locator("[data-testid=row] .said").all_inner_texts()


@asynccontextmanager
async def staged(browser: Browser, live: Live, **context: Any) -> AsyncIterator[Scene]:
    """A scene in a browser profile of its own; whatever the page complains of fails the test."""
    complaints: list[str] = []
    settings = {"viewport": {"width": 1280, "height": 800}} | context
    profile = await browser.new_context(**settings)
    page = await profile.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    client = Client(live.origin)
    try:
        yield Scene(page, client)
    finally:
        client.close()
        await profile.close()
    # A refused call and a lost connection are what some tests are about.
    assert [each for each in complaints if "Failed to load resource" not in each] == []
