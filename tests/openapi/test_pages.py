"""What the sandbox says of itself: the index, the reference as a page, llms.txt."""

import re
from html import unescape

import pytest
from box import Box, sandbox
from matching import assert_refused

from msgine_sandbox import __version__

PATHS = [
    "/_sandbox",
    "/_sandbox/openapi.json",
    "/openapi.json",
    "/llms.txt",
    "/docs/api",
    "/docs/api.md",
]


async def test_the_index_leads_to_every_document_and_names_every_call(box: Box) -> None:
    index = await box.anonymous.get("/_sandbox")
    assert (index["version"], index["api"]) == (__version__, "/api/v1")
    for path in (index["inbox"], *index["documents"].values()):
        assert (await box.http.get(path)).status_code == 200, path
    document = await box.anonymous.get("/_sandbox/openapi.json")
    assert {(each["method"].lower(), each["path"]) for each in index["calls"]} == {
        (method, path) for path, methods in document["paths"].items() for method in methods
    }


async def test_every_link_of_llms_txt_leads_somewhere(box: Box) -> None:
    answer = await box.http.get("/llms.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    links = re.findall(r"\]\((/[^)]*)\)", answer.text)
    assert len(links) > 10
    for link in links:
        assert (await box.http.get(link)).status_code == 200, link


async def test_the_page_has_every_call_and_every_object(box: Box) -> None:
    answer = await box.http.get("/docs/api")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    headings = re.findall(r"<h[34] id=\"[^\"]*\">(.*?)&nbsp;", answer.text)
    shown = {unescape(each) for each in headings}
    for path, base in (("/openapi.json", "/api/v1"), ("/_sandbox/openapi.json", "")):
        document = await box.anonymous.get(path)
        for name, methods in document["paths"].items():
            assert {f"{method.upper()} {base}{name}" for method in methods} <= shown
        assert document["components"]["schemas"].keys() <= shown
        for name in document.get("webhooks", {}):
            assert f"Webhook {name}" in shown


async def test_every_link_within_the_page_leads_somewhere(box: Box) -> None:
    text = (await box.http.get("/docs/api")).text
    anchors = set(re.findall(r' id="([^"]+)"', text))
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links - anchors == set()
    assert len(links) > 100


async def test_the_page_runs_nothing_and_loads_nothing_from_elsewhere(box: Box) -> None:
    answer = await box.http.get("/docs/api")
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)


@pytest.mark.parametrize("path", PATHS)
async def test_a_document_is_guarded_as_the_docs_are(path: str) -> None:
    async with sandbox(control_token="sesame") as box:
        assert (await box.http.get(path)).status_code == 200
        answer = await box.http.get(path, headers={"Host": "attacker.example"})
        assert_refused(answer, 421, "misdirected_request")
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert_refused(await box.http.get(path, headers=foreign), 403, "forbidden")
        linked = foreign | {"Sec-Fetch-Dest": "document"}
        assert (await box.http.get(path, headers=linked)).status_code == 200
        assert_refused(await box.http.post(path), 405, "method_not_allowed")
        head = await box.http.head(path)
        assert (head.status_code, head.content) == (200, b"")
