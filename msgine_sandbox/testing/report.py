"""What a failed test's report says of an account: its messages and its requests, in few lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from msgine_sandbox.testing.account import Account

_MOST: Final = 15
_WIDTH: Final = 160
_PATIENCE: Final = 2.0  # seconds; a report must not hang
_BODY: Final = 90

Section = tuple[str, str]


def sections(account: Account) -> list[Section]:
    """Give the sections of an account's messages and requests; never raises."""
    from msgine_sandbox.testing.errors import SandboxError
    from msgine_sandbox.testing.messages import describe_message

    of = f"of account {_hint(account.token)}"
    found = []
    for title, path, write in (
        ("messages", "/messages", lambda raw: [describe_message(raw)]),
        ("requests", "/requests", _request),
    ):
        try:
            listed = account.server.wire.call(
                "GET", path, account.token, params={"limit": _MOST}, timeout=_PATIENCE
            )
            text = _told(listed, write)
        except SandboxError as error:
            text = f"unknown: {error}"
        found.append((f"MsGine {title} {of}", text))
    return found


def _told(listed: Mapping[str, Any], write: Any) -> str:
    """Write the newest entries, the oldest of them first, as a story is told."""
    entries, total = listed["data"], listed["total"]
    lines = [f"… {total - len(entries)} earlier ones"] if total > len(entries) else []
    for raw in reversed(entries):
        lines += [text if len(text) <= _WIDTH else text[:_WIDTH] + "…" for text in write(raw)]
    return "\n".join(lines) or "none"


def _request(raw: Mapping[str, Any]) -> Iterator[str]:
    query = f"?{raw['query']}" if raw["query"] else ""
    status = "no answer" if raw["status"] is None else raw["status"]
    sent = _short(raw["request"]["body"])
    yield f"{raw['method']} {raw['path']}{query} → {status} {sent}".rstrip()
    if raw["response"] is not None and raw["status"] >= 400:
        yield f"    answer: {_short(raw['response']['body'])}"
    decisions = [f"{each['by']} {each['outcome']}" for each in raw["decisions"]]
    if decisions:
        yield f"    decided: {', '.join(decisions)}"
    for warning in raw["warnings"]:
        yield f"    warning: {warning['code']}: {warning['message']}"


def _short(body: str) -> str:
    text = re.sub(r"\s+", " ", body)
    return text if len(text) <= _BODY else text[:_BODY] + "…"


def _hint(token: str) -> str:
    return f"{token[:5]}…{token[-4:]}" if len(token) > 12 else "…"
