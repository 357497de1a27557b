"""Paths as they are written in URLs: an encoded slash separates nothing (RFC 3986, 2.2)."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from box import NUMBER, Box, sandbox
from hypothesis import given
from hypothesis import strategies as st
from matching import assert_refused
from wire import Served, post, served

from msgine_sandbox.asgi.routing import path_of

SMS = {"to": NUMBER, "message": "Hello"}
ENCODED_SLASHES = [
    "/api/v1/messages%2Fsms",
    "/api/v1/messages%2fsms",
    "/api/v1%2Fmessages/sms",
    "/api%2Fv1/messages/sms",
    "/%61pi/v1/messages%2Fsms",
    "/api/v1/developers/push%2Fdevice",
    "/api/v1/developers%2Fsms",
    "/api/v1/messages%252Fsms",
    "/_sandbox%2Freset",
    "/_sandbox/clock%2Ffreeze",
    "/_sandbox%2fclock/freeze",
]
DECODED = [
    "/api/v1/%6Dessages/sms",
    "/api/v1/%6dessages/%73ms",
    "/%61%70%69/v1/messages/sms",
    "/api/v1/messages/sms?x=%2F",
    "/api/v1/%6Dessages/sms?x=a%2Fb",
]
ELSEWHERE = [
    "/api/v1//messages/sms",
    "/api/v1/messages//sms",
    "/api/v1/messages/sms;a=b",
    "/api/v1/messages;/sms",
    "/api/v1/messages/sms%00",
    "/api/v1/messages/sms%ff",
    "/api/v1/messages/sms%C3%28",
    "/api/v1/messages/sms%",
    "/api/v1/messages/sms%2",
    "/api/v1/messages/sms%zz",
    "/api/v1/messages/%u0073ms",
    "/api/v1/messages/sms%3Fx",
    "/api/v1/messages/sms%20",
    "/api/v1/./messages/sms",
    "/api/v1/x/%2e%2e/messages/sms",
]


@pytest.fixture
async def one() -> Any:
    async with served() as fresh:
        yield fresh


@pytest.mark.parametrize("path", ENCODED_SLASHES)
async def test_an_encoded_slash_is_no_separator(one: Served, path: str) -> None:
    async with one.connected() as wire:
        assert_refused(await wire.ask(post(path=path)), 404, "not_found")
    assert await one.messages() == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "/api/v1/messages%2fsms",
            "There is no /api/v1/messages%2Fsms here; the API is under /api/v1",
        ),
        ("/api/v1", "There is no /api/v1 here; the API is below it"),
        ("/api/v1/", "There is no /api/v1/ here; the API is below it"),
        ("/api/v2/messages", "There is no /api/v2/messages here; the API is under /api/v1"),
    ],
)
async def test_an_unknown_path_is_named_as_it_is_read(
    one: Served, path: str, sentence: str
) -> None:
    async with one.connected() as wire:
        assert (await wire.ask(post(path=path))).json()["error"]["message"] == sentence


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_another_spelling_is_another_path(one: Served, path: str) -> None:
    async with one.connected() as wire:
        assert await wire.status(post(path=path)) in {404, 405}  # 405 for what could be an id
    assert await one.messages() == []


@pytest.mark.parametrize("path", DECODED)
async def test_an_encoded_letter_is_the_letter(one: Served, path: str) -> None:
    async with one.connected() as wire:
        assert await wire.status(post(path=path)) == 201


@pytest.mark.parametrize("path", [*ENCODED_SLASHES, "/api/v1/messages;/sms"])
async def test_they_are_other_paths_for_clients_in_this_process_too(box: Box, path: str) -> None:
    answer = await box.call("POST", httpx.URL(f"http://localhost{path}"), json=SMS)
    assert_refused(answer, 404, "not_found")
    assert await box.message_count() == 0


@pytest.mark.parametrize("path", DECODED)
async def test_an_encoded_letter_is_the_letter_in_this_process_too(box: Box, path: str) -> None:
    assert (await box.call("POST", httpx.URL(f"http://localhost{path}"), json=SMS)).is_success


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v1/messages", "/_sandbox/faults", "/_sandbox/requests"])
async def test_no_id_has_a_slash(box: Box, method: str, path: str) -> None:
    created = (await box.accepted())["id"]
    for written in (f"{path}/{created}%2F", f"{path}/%2F{created}", f"{path}%2F{created}"):
        answer = await box.call(method, httpx.URL(f"http://localhost{written}"))
        assert_refused(answer, 404, "not_found")


async def test_a_server_that_gives_no_raw_path_is_served() -> None:
    async with sandbox() as box:
        app = box.http._transport.app  # type: ignore[attr-defined]

        async def without_raw_path(scope: Any, receive: Any, send: Any) -> None:
            await app({k: v for k, v in scope.items() if k != "raw_path"}, receive, send)

        transport = httpx.ASGITransport(without_raw_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await Box(http, "test_raw").send()).status_code == 201


@pytest.mark.parametrize("raw", [b"/mounted/api/v1/a%2Fb", b"/mounted/api/v1/a%2Fb?c=%2F"])
def test_below_a_mount_the_path_begins_after_it(raw: bytes) -> None:
    scope = {"path": "/mounted/api/v1/a/b", "root_path": "/mounted", "raw_path": raw}
    assert path_of(scope) == "/api/v1/a%2Fb"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_path_is_decoded_but_for_its_encoded_slashes(segment: str) -> None:
    scope = {"path": f"/a/{segment}", "raw_path": b"/a/" + quote(segment, safe="").encode()}
    assert path_of(scope) == "/a/" + segment.replace("/", "%2F")
