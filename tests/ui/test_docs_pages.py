"""The docs as the sandbox serves them at `/docs/`."""

import asyncio
import http.client
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from box import Box, sandbox
from browsing import Tab, new_tab
from command import LIMIT
from live import Live
from matching import assert_refused
from playwright.async_api import Browser, expect
from project import DOCS

from msgine_sandbox.model.warning import ClientWarning, WarningCode
from msgine_sandbox.ui import docs
from msgine_sandbox.ui.markdown import Renderer, anchor_of

HOLD = 30  # seconds; only a page that is rendered on the event loop takes so long

Served = Callable[[Path], AbstractAsyncContextManager[Box]]


class Found(HTMLParser):
    """What a page has: links, pictures, anchors, elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.ids: list[str] = []
        self.elements: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        self.elements.add(tag)
        self.links += [of["href"]] if tag == "a" else []
        self.pictures += [of["src"]] if tag == "img" else []
        self.ids += [of["id"]] if "id" in of else []


async def found(box: Box, path: str) -> Found:
    answer = await box.http.get(path)
    assert answer.status_code == 200, path
    return Found(answer.text)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """A sandbox whose docs are the files of a folder."""

    @asynccontextmanager
    async def serve(folder: Path) -> AsyncIterator[Box]:
        monkeypatch.setattr(docs, "docs_folder", lambda: folder)
        async with sandbox() as box:
            yield box

    return serve


# Pages, and the links between them


async def test_every_link_and_picture_leads_somewhere_and_every_page_is_linked(box: Box) -> None:
    pages: dict[str, Found] = {}
    anchors: set[tuple[str, str]] = set()
    pictures: set[str] = set()
    unread = {"/docs/"}
    while unread:
        path = unread.pop()
        page = pages[path] = await found(box, path)
        assert len(page.ids) == len(set(page.ids)), path
        pictures |= {urljoin(path, each) for each in page.pictures}
        inside = [link for link in page.links if not urlsplit(link).scheme]
        for target, anchor in (urldefrag(urljoin(path, link)) for link in inside):
            if target.startswith("/docs/"):
                unread |= {target} - pages.keys()
                anchors |= {(target, anchor)} if anchor else set()
    assert [(path, anchor) for path, anchor in anchors if anchor not in pages[path].ids] == []
    for picture in pictures:
        assert (await box.http.get(picture)).headers["content-type"].startswith("image/"), picture
    read = {path.removeprefix("/docs/").removesuffix(".md") or "README" for path in pages}
    files = {str(file.relative_to(DOCS).with_suffix("")) for file in DOCS.rglob("*.md")}
    assert files - read == set()


@pytest.mark.parametrize(
    ("name", "other"),
    [("testing", "testing.md"), ("", "README.md"), ("", "README"),
     ("decisions/0001-group-commit", "decisions/0001-group-commit.md")],
)  # fmt: skip
async def test_a_page_has_a_name_with_and_one_without_its_suffix(
    box: Box, name: str, other: str
) -> None:
    one, same = [await box.http.get(f"/docs/{each}") for each in (name, other)]
    assert (one.status_code, one.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert one.content == same.content


@pytest.mark.parametrize(("path", "to"), [("", "docs/"), ("/decisions", "decisions/")])
async def test_a_folder_without_its_slash_is_redirected_so_that_its_links_work(
    box: Box, path: str, to: str
) -> None:
    answer = await box.http.get(f"/docs{path}")
    assert (answer.status_code, answer.headers["location"]) == (307, to)
    followed = await box.http.get(f"/docs{path}", follow_redirects=True)
    assert (followed.status_code, followed.url.path) == (200, f"/docs{path}/")


async def test_each_page_has_the_list_of_pages_and_marks_itself_in_it(box: Box) -> None:
    page = (await box.http.get("/docs/warnings.md")).text
    assert '<a href="/docs/warnings" aria-current="page">Warnings</a>' in page
    assert '<a href="/docs/settings">Settings</a>' in page
    assert "<title>Warnings · msgine-sandbox</title>" in page


@pytest.mark.parametrize("code", WarningCode)
async def test_a_warning_links_to_the_section_that_explains_it(box: Box, code: WarningCode) -> None:
    path, anchor = urldefrag(ClientWarning(code, "").docs)
    assert anchor in (await found(box, path)).ids


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Wait for a message", "wait-for-a-message"),
        ("The Developers API: `/developers/*`", "the-developers-api-developers"),
        ("`+256700000005`, [slow](faults.md) & *late*", "256700000005-slow--late"),
        ("What’s a_b – c?", "whats-a_b--c"),
        ("Überweisung 東京", "überweisung-東京"),
    ],
)
async def test_an_anchor_is_that_of_github(heading: str, anchor: str) -> None:
    page = Found(Renderer("").page(f"# Page\n\n## {heading}\n", "page"))
    assert page.ids == ["page", anchor]
    assert f"#{anchor}" in page.links


async def test_headings_with_the_same_text_are_numbered_as_on_github() -> None:
    page = Renderer("").page("# A\n## Query\n## Query\n## Query 1\n## Query\n", "page")
    assert Found(page).ids == ["a", "query", "query-1", "query-1-1", "query-2"]
    assert anchor_of(" A B ") == "a-b"


# What is not served


@pytest.mark.live
@pytest.mark.parametrize(
    "path",
    [
        "/docs/../settings.py",
        "/docs/%2e%2e/settings.py",
        "/docs/..%2fsettings.py",
        "/docs/..%5csettings.py",
        "/docs/../../pyproject.toml",
        "/docs/decisions/../README.md",
        "/docs//etc/passwd",
        "/docs/%2fetc/passwd",
        "/docs/%00",
        "/docs/README.md%00.png",
        "/docs/C:/Windows/win.ini",
        "/docs/./README.md",
        "/docs/readme.md/",
        "/docs/testing/",
        "/docs/pictures/",
        "/docs/nothing",
    ],
)
def test_no_path_leads_out_of_the_docs(live: Live, path: str) -> None:
    # Not httpx, which resolves dots before it sends.
    connection = http.client.HTTPConnection(urlsplit(live.origin).netloc, timeout=LIMIT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 404
        assert b'"code":"not_found"' in answer.read()
    finally:
        connection.close()


async def test_links_in_the_file_system_are_not_followed(served: Served, tmp_path: Path) -> None:
    docs, secrets = tmp_path / "docs", tmp_path / "secrets"
    docs.mkdir()
    secrets.mkdir()
    (docs / "README.md").write_text("# Index\n")
    (docs / "other.txt").write_text("neither a page nor a picture")
    (secrets / "secret.md").write_text("# Secret\n")
    (docs / "linked.md").symlink_to(secrets / "secret.md")
    (docs / "folder").symlink_to(secrets)
    async with served(docs) as box:
        assert (await box.http.get("/docs/")).status_code == 200
        for name in ("linked.md", "linked", "folder", "folder/", "folder/secret.md", "other.txt"):
            assert_refused(await box.http.get(f"/docs/{name}"), 404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/testing"])
async def test_only_reading_is_possible(box: Box, method: str, path: str) -> None:
    answer = await box.http.request(method, path)
    assert_refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/docs/", "/docs/testing", "/docs/pictures/inbox-light.png"])
async def test_head_has_the_headers_of_get_and_no_body(box: Box, path: str) -> None:
    got, head = await box.http.get(path), await box.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers[name] == got.headers[name]


HOSTILE = """\
# Title <script>alert(1)</script>

<script>alert(1)</script>

<!-- a comment for maintainers -->

Text <img src=x onerror="alert(1)"> and <b onclick="alert(1)">more</b>.

[a](javascript:alert(1)) [b](data:text/html;base64,AAAA) ![c](vbscript:x) [d](/"onclick=alert)

`<script>` and <https://a.example/"x>

```html"><script>
<script>alert(1)</script>
```
"""


async def test_raw_html_is_left_out(served: Served, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(HOSTILE)
    async with served(tmp_path) as box:
        answer = await box.http.get("/docs/")
    page = answer.text
    content = Found(page[page.index("<main>") :])
    assert content.elements == {"main", "h1", "a", "p", "code", "pre"}
    assert not [link for link in content.links if urlsplit(link).scheme not in {"", "https"}]
    assert "comment" not in page
    assert "onerror" not in page
    assert page.count("&lt;script&gt;") == 2  # those in code
    assert '"onclick' not in page


# Who may read it, and what it costs


async def test_docs_need_no_control_token_and_no_credential() -> None:
    async with sandbox(control_token="secret", token=("only-this",)) as box:
        assert (await box.http.get("/docs/")).status_code == 200
        assert (await box.http.get("/docs/pictures/inbox-light.png")).status_code == 200


async def test_docs_are_served_to_allowed_hosts_only(box: Box) -> None:
    answer = await box.http.get("/docs/", headers={"Host": "evil.example"})
    assert_refused(answer, 421, "misdirected_request")


async def test_a_page_that_the_browser_has_is_not_sent_again(box: Box) -> None:
    first = await box.http.get("/docs/testing")
    again = await box.http.get("/docs/testing", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await box.http.get("/docs/faults", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_a_page_is_rendered_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []
    render = Renderer.page

    def page(self: Renderer, text: str, name: str) -> str:
        rendered.append(name)
        return render(self, text, name)

    monkeypatch.setattr(Renderer, "page", page)
    for name in ("testing", "testing.md", "testing"):
        await box.http.get(f"/docs/{name}")
    assert rendered == ["testing"]


async def test_other_requests_are_answered_while_a_page_is_rendered(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, answered = threading.Event(), threading.Event()

    def page(*_: Any) -> str:
        begun.set()
        return "done" if answered.wait(HOLD) else "the event loop was held"

    monkeypatch.setattr(Renderer, "page", page)
    reading = asyncio.create_task(box.http.get("/docs/fidelity"))
    assert await asyncio.to_thread(begun.wait, LIMIT)
    await box.accepted()
    answered.set()
    assert (await reading).text == "done"


def test_markdown_is_imported_with_the_first_page() -> None:
    script = """
import asyncio, sys
import httpx
from msgine_sandbox.app import create_app

async def main():
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        for path in ("/", "/ui/docs.css", "/_sandbox/definitions", "/_sandbox/requests",
                     "/docs", "/docs/nothing", "/docs/pictures/inbox-light.png"):
            await http.get(path)
        sms = {"to": "+256701234567", "message": "Hello", "unknown": 1}
        sent = await http.post(
            "/api/v1/messages/sms", json=sms, headers={"Authorization": "Bearer test_me"})
        assert sent.status_code == 201
        assert "markdown_it" not in sys.modules
        assert (await http.get("/docs/")).status_code == 200
        assert "markdown_it" in sys.modules

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=LIMIT)


# In the browser

in_browser = pytest.mark.asyncio(loop_scope="session")
NARROW, WIDE = 400, 1440


@pytest.mark.live
@in_browser
@pytest.mark.parametrize(("scheme", "width"), [("light", NARROW), ("dark", WIDE)])
async def test_a_page_fits_the_window_and_has_no_accessibility_violation(
    browser: Browser, live: Live, scheme: Any, width: int
) -> None:
    from axe_playwright_python.async_playwright import Axe

    size = {"width": width, "height": 800}
    async with new_tab(browser, live, viewport=size, color_scheme=scheme) as tab:
        for name in ("", "control", "fidelity#rate-limits", "inbox", "decisions/"):
            await tab.page.goto(f"{live.origin}/docs/{name}")
            wide = await tab.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, name
            found = (await Axe().run(tab.page)).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], name


@pytest.mark.live
@in_browser
async def test_docs_are_read_without_javascript(browser: Browser, live: Live) -> None:
    async with new_tab(browser, live, java_script_enabled=False) as tab:
        await tab.page.goto(f"{live.origin}/docs")
        await tab.page.locator("main").get_by_role("link", name="Warnings").click()
        await tab.page.get_by_role("link", name="the journal").click()
        await expect(tab.page).to_have_url(f"{live.origin}/docs/control.md#requests")
        await expect(tab.page.locator("h2#requests")).to_be_in_viewport()
        await tab.page.goto(f"{live.origin}/docs/inbox")
        for picture in await tab.page.locator("main img").all():
            await picture.scroll_into_view_if_needed()
            assert (await picture.bounding_box() or {})["height"] > 200


@pytest.mark.live
@in_browser
async def test_the_inbox_links_to_the_docs_and_a_warning_to_its_section(tab: Tab) -> None:
    tab.client.send(priority=1)
    await tab.open("requests")
    await tab.find("request-row").click()
    await tab.find("warnings").get_by_role("link", name="More about unknown-field").click()
    await expect(tab.page.locator("h2#unknown-field")).to_be_in_viewport()
    await tab.page.get_by_role("link", name="Inbox", exact=True).click()
    await tab.find("docs").click()
    await expect(tab.page).to_have_url(f"{tab.client.origin}/docs/")
