"""Calls with their recorded responses, to compare what two versions of the sandbox answer."""

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx

Call = dict[str, Any]
"""`token`, `method`, `path`, and where it has them `headers` and `json`."""

# What depends on the wall clock or on how many requests this process has had.
_VOLATILE = frozenset({"realNow", "aheadSeconds", "windows"})
# What answers have had since the newest of the files was written.
_ADDED = frozenset({"answers", "ownDevices"})
_OF_AN_ATTEMPT = frozenset({"durationMs", "headers"})
_ATTEMPT_ID = re.compile(r"att_[0-9a-f]{16}")


def get(token: str | None, path: str) -> Call:
    """Return the call that reads a path as the account of a token, or as none."""
    return {"token": token, "method": "GET", "path": path}


def post(token: str | None, path: str, body: Any, **headers: str) -> Call:
    """Return the call that posts a body as JSON."""
    return {"token": token, "method": "POST", "path": path, "json": body, "headers": headers}


async def perform(http: httpx.AsyncClient, call: Call, *, fresh: bool) -> Call:
    """Perform a call and return what of its response has to stay the same.

    With `fresh`, the webhook attempts in it were made just now: their identifiers, headers and
    durations differ each time.
    """
    headers = dict(call.get("headers", {}))
    if call["token"] is not None:
        headers["Authorization"] = f"Bearer {call['token']}"
    response = await http.request(
        call["method"], call["path"], headers=headers, json=call.get("json")
    )
    return {
        "status": response.status_code,
        "replayed": response.headers.get("idempotent-replayed"),
        "retryAfter": response.headers.get("retry-after"),
        "body": _comparable(_content(response), fresh=fresh),
    }


async def record(http: httpx.AsyncClient, calls: Sequence[Call], *, fresh: bool) -> list[Call]:
    """Perform calls one after the other and return them with their responses."""
    return [call | {"response": await perform(http, call, fresh=fresh)} for call in calls]


def _content(response: httpx.Response) -> Any:
    try:
        content = response.json()
    except ValueError:
        return "not JSON"
    return {"code": content["error"]["code"]} if response.is_error else content


def _comparable(content: Any, *, fresh: bool) -> Any:
    left_out = _VOLATILE | _ADDED | (_OF_AN_ATTEMPT if fresh else frozenset())
    if isinstance(content, dict):
        kept = {
            name: _comparable(value, fresh=fresh)
            for name, value in content.items()
            if name not in left_out
        }
        # The time of a clock that runs is another one in every response.
        return kept | {"now": None} if kept.get("frozen") is False else kept
    if isinstance(content, list):
        return [_comparable(each, fresh=fresh) for each in content]
    if fresh and isinstance(content, str):
        return _ATTEMPT_ID.sub("att_…", content)
    return content


def moved(text: str, old: str, new: str) -> Any:
    """Return the value of a JSON text in which one origin stands in place of another."""
    return json.loads(text.replace(old, new))
