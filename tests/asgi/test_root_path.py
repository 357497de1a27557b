"""A sandbox under a path of a proxy, which strips that path from requests or keeps it."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from box import NUMBER, Box, sandbox
from hypothesis import assume, given
from hypothesis import strategies as st
from matching import assert_refused

import msgine_sandbox
from msgine_sandbox.app import create_app
from msgine_sandbox.openapi.control import CALLS
from msgine_sandbox.settings import BASE_PATH, Settings, SettingsError

ROOT = "/team/sandbox"
SMS = {"to": NUMBER, "message": "Hello"}


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with sandbox(root_path=ROOT) as box:
        yield box


@pytest.mark.parametrize("prefix", [ROOT, ""], ids=["kept", "stripped"])
async def test_every_part_answers_whether_a_proxy_keeps_the_path_or_strips_it(
    box: Box, prefix: str
) -> None:
    sent = await box.call("POST", f"{prefix}/api/v1/messages/sms", json=SMS)
    assert sent.status_code == 201
    shown = await box.call("GET", f"{prefix}/_sandbox/messages/{sent.json()['id']}")
    assert shown.json()["message"] == "Hello"
    [entry] = (await box.call("GET", f"{prefix}/_sandbox/requests")).json()["data"]
    assert entry["path"] == "/api/v1/messages/sms"  # the same for each kind of proxy
    for path in ["/ui/main.js", "/docs/", "/docs/api", "/llms.txt", "/_sandbox/health"]:
        assert (await box.http.get(prefix + path)).status_code == 200, path


async def test_a_request_repeated_through_the_other_kind_of_proxy_is_the_same(box: Box) -> None:
    key = {"Idempotency-Key": "one"}
    answers = [
        await box.call("POST", f"{prefix}/api/v1/messages/sms", json=SMS, headers=key)
        for prefix in (ROOT, "")
    ]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert "idempotency-key-reused" not in str(answers[1].headers)


PAGES = ["/ui/main.js", "/docs/", "/docs/api.md", "/openapi.json", "/llms.txt"]
OWN = [f"{BASE_PATH}/messages/sms", f"{BASE_PATH}/developers", *PAGES, *(path for _, path in CALLS)]
NAMES = [*sorted({name for path in OWN for name in path.split("/") if name}), "team", "sandbox"]
ROOTED = create_app(Settings(root_path=ROOT))


@pytest.mark.parametrize("path", sorted({path.rstrip("/") for path in OWN}))
def test_no_root_is_accepted_below_which_a_path_of_the_sandbox_is(path: str) -> None:
    for end in re.finditer(r"(?<=.)(?=/|$)", path):
        with pytest.raises(SettingsError):
            Settings(root_path=path[: end.start()])


def parts() -> st.SearchStrategy[str]:
    names = [name for name in NAMES if name not in {"events", "wait", "{id}"}]
    others = [
        "",
        "%2F",
        "%2f",
        "%2E%2E",
        "%73andbox",
        "api%2Fv1",
        "%00",
        "%C3%A9",
        "%FF",
    ]
    return st.lists(st.sampled_from(names) | st.sampled_from(others), max_size=5).map(
        lambda found: "/" + "/".join(found)
    )


@given(parts())
def test_any_path_is_answered_alike_whether_the_root_is_kept_or_stripped(path: str) -> None:
    assume(not httpx.URL(f"http://localhost{path}").path.startswith(ROOT))

    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(ROOTED)
        headers = {"Authorization": "Bearer test_root"}
        async with httpx.AsyncClient(transport=transport, headers=headers) as http:
            return [await http.get(f"http://localhost{root}{path}") for root in ("", ROOT)]

    stripped, kept = asyncio.run(answers())
    assert stripped.status_code == kept.status_code
    assert stripped.headers.get("location") == kept.headers.get("location")
    if stripped.is_error:
        assert stripped.json()["error"] == kept.json()["error"]


async def test_a_root_may_be_deep() -> None:
    root = "/a.b/c~d" * 8
    async with sandbox(root_path=root) as box:
        assert (await box.call("GET", f"{root}/_sandbox/messages")).json()["total"] == 0


async def test_the_root_without_a_slash_is_the_page(box: Box) -> None:
    assert (await box.http.get(ROOT)).content == (await box.http.get(f"{ROOT}/")).content


@pytest.mark.parametrize(
    "path",
    ["/team/sandboxes/api/v1/messages", "/team/api/v1/messages", f"{ROOT}%2Fapi/v1/messages"],
)
async def test_a_path_that_only_begins_alike_is_not_below_the_root(box: Box, path: str) -> None:
    assert_refused(await box.call("GET", path), 404, "not_found")


@pytest.mark.parametrize("path", ["/", "/docs/", "/docs/settings", "/docs/api"])
async def test_every_link_of_a_page_leads_below_the_root(box: Box, path: str) -> None:
    text = (await box.http.get(path)).text
    links = re.findall(r' (?:href|src)="(/[^"]*)"', text)
    assert len(links) > 4
    assert [link for link in links if not link.startswith(f"{ROOT}/")] == []
    for link in set(links):
        assert (await box.http.get(link)).status_code == 200, link


async def test_a_page_has_another_etag_than_without_a_root(box: Box) -> None:
    first = await box.http.get("/")
    again = {"If-None-Match": first.headers["etag"]}
    assert (await box.http.get("/", headers=again)).status_code == 304
    async with sandbox() as other:
        assert (await other.http.get("/", headers=again)).status_code == 200


async def test_a_redirect_stays_where_it_is(box: Box) -> None:
    answer = await box.http.get(f"{ROOT}/docs", follow_redirects=False)
    assert answer.status_code == 307
    assert httpx.URL(f"http://proxy{ROOT}/docs").join(answer.headers["location"]).path == (
        f"{ROOT}/docs/"
    )


async def test_documents_and_index_name_paths_below_the_root(box: Box) -> None:
    public = (await box.http.get("/openapi.json")).json()
    control = (await box.http.get("/_sandbox/openapi.json")).json()
    assert [public["servers"][0]["url"], control["servers"][0]["url"]] == [f"{ROOT}/api/v1", ROOT]
    text = (await box.http.get("/llms.txt")).text
    links = re.findall(r"(?:\]\(|[A-Z] |URL: )(/[^)` ]*)", text)
    assert {f"{ROOT}/api/v1", f"{ROOT}/_sandbox/messages/wait"} <= set(links)
    assert len(links) > 9
    assert [link for link in links if not link.startswith(f"{ROOT}/")] == []
    index = (await box.http.get("/_sandbox")).json()
    named = [index["api"], index["inbox"], *index["documents"].values()]
    named += [each["path"] for each in index["calls"]]
    assert [each for each in named if not each.startswith(f"{ROOT}/")] == []


@pytest.mark.parametrize("prefix", [ROOT, ""], ids=["kept", "stripped"])
async def test_links_of_a_report_lead_below_the_root(box: Box, prefix: str) -> None:
    await box.accepted(unknown=1)
    report = await box.call("GET", f"{prefix}/_sandbox/report?format=markdown")
    assert f"http://localhost{ROOT}/docs/warnings#unknown-field" in report.text


@pytest.mark.live
def test_a_client_takes_the_base_url_with_the_path() -> None:
    with msgine_sandbox.start(root_path=ROOT, control_token="sesame") as account:
        assert account.base_url.endswith(f"{ROOT}/api/v1")
        with msgine_sandbox.connect(f"{account.base_url}/", control_token="sesame") as remote:
            headers = {"Authorization": f"Bearer {remote.token}"}
            answer = httpx.post(f"{remote.base_url}/messages/sms", json=SMS, headers=headers)
            assert remote.messages.wait(to=NUMBER, timeout=60).id == answer.json()["id"]


async def test_without_a_root_there_is_none_in_any_link() -> None:
    async with sandbox() as box:
        assert 'href="/ui/style.css"' in (await box.http.get("/")).text
        assert (await box.http.get("/openapi.json")).json()["servers"][0]["url"] == "/api/v1"
        assert_refused(await box.call("GET", f"{ROOT}/api/v1/messages"), 404, "not_found")
