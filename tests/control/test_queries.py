"""What the queries of control calls refuse."""

from collections.abc import Iterator

import pytest
from box import Box
from hypothesis import given
from hypothesis import strategies as st
from sync_box import SyncBox, sync_sandbox

from msgine_sandbox.openapi.control import CALLS

LISTS = {
    "/messages": ["id", "channel", "before", "to", "status", "q", "contains", "matches", "since"],
    "/requests": ["method", "path", "status", "warning", "since", "before", "limit", "view"],
    "/webhooks/attempts": ["messageId", "before", "limit", "view"],
    "/accounts": ["limit"],
    "/report": ["format"],
}
ALL = [(path, name) for path, names in LISTS.items() for name in names]
ALL += [("/messages/wait", name) for name in (*LISTS["/messages"], "timeout", "jump", "field")]
ALL += [("/messages/count", name) for name in LISTS["/messages"]]

OPEN = ("/_sandbox", "/_sandbox/health")
WITHOUT = [call for call, each in CALLS.items() if call[1] not in OPEN and not each.parameters]
"""Calls without parameters, by method and path."""


async def refused(box: Box, path: str, query: str, field: str) -> object:
    """Check that a query is refused for a parameter, and return the value that is told."""
    error = await box.control_error("GET", f"{path}?{query}")
    assert error["details"]["field"] == field
    assert error["details"]["expected"]
    return error["details"]["value"]


@pytest.mark.parametrize(("path", "name"), ALL)
async def test_an_empty_parameter_is_refused(box: Box, path: str, name: str) -> None:
    await box.accepted()
    assert await refused(box, path, f"{name}=", name) == ""


@pytest.mark.parametrize(("path", "name"), ALL)
async def test_a_repeated_parameter_is_refused(box: Box, path: str, name: str) -> None:
    await box.accepted()
    for values in (["a", "b"], ["a", "a"], ["", "1"]):
        query = "&".join(f"{name}={value}" for value in values)
        assert await refused(box, path, query, name) == values


@pytest.mark.parametrize(("method", "path"), WITHOUT, ids=" ".join)
async def test_a_call_without_parameters_refuses_any(box: Box, method: str, path: str) -> None:
    message = await box.accepted()
    shown = path.replace("{id}", message["id"])
    answer = await box.call(method, f"{shown}?to=%2B256701234567", json={})
    error = answer.json()["error"]
    assert (answer.status_code, error["details"]["field"]) == (400, "to")
    assert error["message"] == f"{method} {path} has no parameter to, nor any other"


async def test_a_delete_with_a_filter_deletes_nothing(box: Box) -> None:
    await box.accepted()
    for path, name in ALL:
        answer = await box.call("DELETE", f"/_sandbox{path}?{name}=x")
        assert answer.status_code in {400, 405}
    assert (await box.control("GET", "/messages"))["total"] == 1
    assert (await box.control("GET", "/requests"))["total"] == 1


@pytest.mark.parametrize(
    "text",
    ["1_0", "nan", "inf", "-inf", "1e999", "-1", "60.1", "١", "%201", "1%20", "+1", "0x1", "."],
)
async def test_a_timeout_that_is_no_plain_number_is_refused(box: Box, text: str) -> None:
    await box.accepted()
    await refused(box, "/messages/wait", f"timeout={text}", "timeout")


@given(st.floats(0, 60))
def test_a_timeout_is_read_as_languages_write_numbers(sync: SyncBox, seconds: float) -> None:
    answer = sync.run(sync.box.call("GET", f"/_sandbox/messages/wait?timeout={seconds}"))
    assert answer.status_code == 200


@pytest.fixture(scope="module")
def sync() -> Iterator[SyncBox]:
    with sync_sandbox() as it:
        it.run(it.box.accepted())
        yield it
