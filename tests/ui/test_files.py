"""What guards the files of the page."""

import json
import re

import httpx
import pytest
from live import Live
from project import PAGE, ROOT

from msgine_sandbox.model.magic import ALL, Outcome

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


DOCS_PATHS = ["/docs/", "/docs/testing", "/docs/pictures/inbox-light.png"]


@pytest.mark.parametrize(
    "path", ["/", *DOCS_PATHS, *(f"/ui/{each.name}" for each in sorted(PAGE.iterdir()))]
)
async def test_every_file_is_guarded(live: Live, path: str) -> None:
    answer = httpx.get(live.origin + path)
    assert answer.status_code == 200
    policy = dict(
        each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    is_front = path in {"/", "/ui/index.html"}
    assert policy.get("frame-src") == ("'self'" if is_front else None)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not {"access-control-allow-origin"} & answer.headers.keys()
    known = {"If-None-Match": answer.headers["etag"]}
    assert httpx.get(live.origin + path, headers=known).status_code == 304


async def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    page = (PAGE / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page)
    named = set().union(*(hosts(file.read_text()) for file in PAGE.iterdir()))
    # An example of a webhook endpoint, and the names of the SVG and MathML namespaces.
    assert named == {"http://localhost", "http://www.w3.org"}


def hosts(text: str) -> set[str]:
    """Return the hosts that a file names outside its comments."""
    comments = r"/\*.*?\*/|(?<!:)//[^\n]*"
    return set(re.findall(r"https?://[\w.-]+", re.sub(comments, "", text, flags=re.S)))


# How a script turns a text into markup or code. `innerHTML` finds `dangerouslySetInnerHTML` too.
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment"
    r"|parseFromString|srcdoc|document\.write|\beval\(|new Function\(",
    re.I,
)


@pytest.mark.parametrize(
    "name", sorted(each.name for each in PAGE.glob("*.js") if each.name != "preact.js")
)
async def test_no_script_of_our_own_turns_a_text_into_markup(name: str) -> None:
    assert MARKUP.findall((PAGE / name).read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "html`<div dangerouslySetInnerHTML=${{ __html: message.html }} />`",
        "element.innerHTML = message.html",
        "element.insertAdjacentHTML('beforeend', message.html)",
        "document.write(message.html)",
    ],
)
async def test_a_line_that_turns_a_text_into_markup_is_found(line: str) -> None:
    assert MARKUP.search(line)


async def test_the_lock_file_of_the_linter_names_no_registry() -> None:
    lock = json.loads((ROOT / "tests" / "javascript" / "package-lock.json").read_text())
    packages = [each for path, each in lock["packages"].items() if path]
    assert packages
    assert not [each for each in packages if "resolved" in each or "integrity" not in each]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_gets_no_file_but_may_link_to_the_page(live: Live, site: str) -> None:
    linked = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    framed = linked | {"Sec-Fetch-Dest": "iframe"}
    for path in ("/", "/ui/main.js", *DOCS_PATHS):
        answer = httpx.get(live.origin + path, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
        assert httpx.get(live.origin + path, headers=framed).status_code == 403
    for path in ("/", *DOCS_PATHS):
        assert httpx.get(live.origin + path, headers=linked).status_code == 200


async def test_a_file_that_is_not_there_is_404_in_the_envelope(live: Live) -> None:
    for name in ("nothing.js", "..%2Fpage.py", "%2e%2e"):
        answer = httpx.get(f"{live.origin}/ui/{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("constant", "ends"),
    [
        ("UNDELIVERED", {(Outcome.PENDING, None), (Outcome.SENT, None)}),
        ("SLOW", {(Outcome.DELIVERED, 3600)}),
        ("FAILING", {(Outcome.FAILED, None), (Outcome.REFUSED, None)}),
    ],
)
async def test_the_page_names_every_magic_recipient_that_a_copied_test_treats_apart(
    constant: str, ends: set[tuple[Outcome, float | None]]
) -> None:
    script = (PAGE / "message_test.js").read_text()
    [names] = re.findall(rf"const {constant} = (\[.*\]);", script)
    assert json.loads(names) == [each.name for each in ALL if (each.outcome, each.after) in ends]
