"""The page in Chromium: first paint, a new message, many at once, scrolling through all of them."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, Row, Scale, figure
from benchmarks.load import post, run
from benchmarks.servers import SANDBOX, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_BROWSERS = ("chromium", "google-chrome", "chromium-headless-shell")
ROWS = (
    Row("page-paint", "the page, first paint", "ms"),
    Row("page-new", "the page, from the response to a message in the inbox", "ms"),
    Row("page-burst", "the page, longest task of 2,000 messages at once (0: below 50)", "ms"),
    Row("page-scroll", "the page, a frame while scrolling 10,000 messages", "ms"),
)
BURST = 2000
MESSAGES = 10_000  # as many as the page holds
FRAME_COUNT = 100
TIMEOUT = 60_000  # milliseconds

# Functions: the page's content security policy does not allow strings to be evaluated.
TOTAL = """() => {
  const element = document.querySelector("[data-testid=total]");
  return Number(element.textContent.replace(/\\D/g, ""));
}"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"

# Set window.seenAt, by the machine's clock, to when a row with this text is in the document.
WATCH_ROW = """(text) => {
  window.seenAt = null;
  const look = () => {
    const rows = [...document.querySelectorAll("[data-testid=row]")];
    if (rows.some((row) => row.textContent.includes(text))) window.seenAt = Date.now();
    else requestAnimationFrame(look);
  };
  look();
}"""

# Collect the durations of the tasks that block the page for 50 ms or more.
WATCH_TASKS = """() => {
  window.tasks = [0];
  new PerformanceObserver((list) => {
    window.tasks.push(...list.getEntries().map((entry) => entry.duration));
  }).observe({ type: "longtask" });
}"""

# Return the durations of frames while the list scrolls.
SCROLL = """async (count) => {
  const list = document.querySelector("[data-testid=messages]");
  const frames = [];
  let last = performance.now();
  for (let i = 0; i < count; i++) {
    list.scrollTop += 5000;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames;
}"""


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows, or say why there are none."""
    chromium = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if chromium is None:
        print("page: not measured, because there is no Chromium", file=sys.stderr)
        return
    from playwright.sync_api import sync_playwright

    rounds = range(min(scale.rounds, 15))
    with sync_playwright() as driver, running(SANDBOX) as server:
        browser = driver.chromium.launch(executable_path=chromium)
        if "page-paint" in names:
            yield figure("page-paint", [first_paint(browser, server.port) for _ in rounds])
        with opened(browser, server.port) as page:
            if "page-new" in names:
                delays = [new_message(page, server.port, number) for number in rounds]
                yield figure("page-new", delays)
            if "page-burst" in names:
                yield figure("page-burst", [burst(page, server.port)])
            if "page-scroll" in names:
                yield figure("page-scroll", scroll(page, server.port))
        browser.close()


@contextmanager
def opened(browser: "Browser", port: int) -> Iterator["Page"]:
    """Open the inbox in a new profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto(f"http://127.0.0.1:{port}/")
    page.locator("main[data-loaded=true]").wait_for()
    yield page
    context.close()


def first_paint(browser: "Browser", port: int) -> float:
    """Return the milliseconds from the navigation to the first content, without a cache."""
    with opened(browser, port) as page:
        page.wait_for_function(PAINT)
        return float(page.evaluate(PAINT))


def new_message(page: "Page", port: int, number: int) -> float:
    """Return the milliseconds between the response to a message and its row."""
    text = f"New message {number}."
    page.evaluate(WATCH_ROW, text)
    send(port, 1, text)
    sent_at = time.time() * 1000
    page.wait_for_function("() => window.seenAt")
    return float(page.evaluate("window.seenAt")) - sent_at


def burst(page: "Page", port: int) -> float:
    """Return the milliseconds of the longest task while many messages come in."""
    page.evaluate(WATCH_TASKS)
    send(port, BURST, "One of many")
    wait_for_total(page, port)
    return float(page.evaluate("Math.max(...window.tasks)"))


def scroll(page: "Page", port: int) -> list[float]:
    """Return the milliseconds of each frame."""
    send(port, MESSAGES - total(page), "One of many")
    wait_for_total(page, port)
    return list(page.evaluate(SCROLL, FRAME_COUNT))


def send(port: int, count: int, text: str) -> None:
    """Send messages; in a thread, because Playwright's event loop runs in this one."""
    body = json.dumps({"to": "+256701234567", "message": text}).encode()

    def write(_: int) -> bytes:
        return post("/api/v1/messages/sms", body, "Authorization: Bearer bench")

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run, port, count, write).result()
    result.expect(201)


def total(page: "Page") -> int:
    """Return how many messages the page counts."""
    return int(page.evaluate(TOTAL))


def wait_for_total(page: "Page", port: int) -> None:
    """Wait until the page counts as many messages as the sandbox has."""
    found = page.request.get(f"http://127.0.0.1:{port}/_sandbox/messages?limit=1").json()
    page.wait_for_function(f"(expected) => ({TOTAL})() === expected", arg=found["total"])
