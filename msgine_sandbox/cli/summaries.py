"""What the tools of `msgine-sandbox mcp` answer: JSON that stays small, whatever the sandbox has.

Lists end early, parts beyond the first few are counted, and long texts are cut off.
"""

from collections.abc import Iterable, Mapping
from json import JSONDecodeError
from typing import Any, Final

import msgspec

from msgine_sandbox.testing.client import without_none
from msgine_sandbox.testing.journal import Exchange, parse_exchange

MOST_CHARACTERS: Final = 20_000
"""Of the entries of a list together; one with a single entry may have more."""
_SHORT: Final = 500  # characters of a text
_LONG: Final = 4_000  # and of one that was asked for
_MOST_PARTS: Final = 20  # recipients, decisions, and similar parts of one entry
_MOST_MOMENTS: Final = 60  # of a timeline
_MOST_NEWEST: Final = 5  # of each list in a report
_ORDINARY: Final = {"accepted", "admitted"}
"""Outcomes of decisions that changed nothing about a request."""

Json = dict[str, Any]


def fitting(name: str, entries: Iterable[Json], raw: Json) -> Json:
    """Return as many entries as fit into an answer, and how many there are in total."""
    kept: list[Json] = []
    size, fits = 0, True
    for entry in entries:
        size += len(msgspec.json.encode(entry).decode())
        fits = not kept or size <= MOST_CHARACTERS
        if not fits:
            break
        kept.append(entry)
    answer: Json = {"total": raw["total"], name: kept}
    if not fits or raw.get("truncated"):
        answer["truncated"] = True
    if raw.get("totalIsMinimum"):
        answer["totalIsMinimum"] = True
    return answer


def message_summary(raw: Mapping[str, Any], length: int = _SHORT) -> Json:
    """Return what an agent asks of a message: its text, and the status of each recipient."""
    recipients = [
        without_none({name: each.get(name) for name in ("to", "status", "reason", "rule")})
        for each in raw["recipients"][:_MOST_PARTS]
    ]
    names = ("id", "account", "channel", "from", "status", "createdAt", "scheduledAt", "requestId")
    return without_none(
        {
            **{name: raw.get(name) for name in names},
            "title": cut_texts(raw.get("subject", raw.get("title"))),
            "text": _cut(raw["message"], length),
            "recipients": recipients,
            "moreRecipients": len(raw["recipients"]) - len(recipients) or None,
        }
    )


def whole_message(raw: Mapping[str, Any]) -> Json:
    """Return a message as a wait returns it, with its code, which can be null, and its links."""
    contents = {name: cut_texts(raw[name][:_MOST_PARTS]) for name in ("codes", "links")}
    return {"code": raw["code"], **contents, **message_summary(raw, _LONG)}


def timeline(raw: list[Json]) -> Json:
    """Return the beginning of a timeline, without the decisions, which the request has."""
    kept = [
        {name: cut_texts(each[name]) for name in each if name != "decisions"}
        for each in raw[:_MOST_MOMENTS]
    ]
    return without_none({"timeline": kept, "moreTimeline": len(raw) - len(kept) or None})


def request_summary(raw: Json) -> Json:
    """Return what an agent needs to see what a client did, and why it was answered so."""
    request = parse_exchange(raw["request"])
    response = None if raw["response"] is None else parse_exchange(raw["response"])
    decisions = [each for each in raw["decisions"] if each["outcome"] not in _ORDINARY]
    query = f"?{raw['query']}" if raw["query"] else ""
    return {
        **{name: raw[name] for name in ("id", "at", "account", "method", "status")},
        "path": _cut(raw["path"] + query),
        **without_none(
            {
                "messageId": raw.get("messageId"),
                "idempotencyKey": cut_texts(request.headers.get("idempotency-key")),
                "body": _cut(request.body) or None,
                "error": None if response is None else _error(response, raw["status"]),
                "retryAfter": None if response is None else response.headers.get("retry-after"),
                "decisions": cut_texts(decisions[:_MOST_PARTS]) or None,
            }
        ),
        "warnings": cut_texts(raw["warnings"]),
    }


def _error(response: Exchange, status: int) -> Any:
    """Return the error of a refusal: that of the API's envelope, or the body as it is."""
    if status < 400:
        return None
    try:
        return cut_texts(response.json()["error"])
    except (JSONDecodeError, LookupError, TypeError):
        return _cut(response.body)


def exchange(raw: Json | None) -> Json | None:
    """Return headers and body of a request or a response; None where there was no response."""
    if raw is None:
        return None
    headers = dict(list(raw["headers"].items())[:_MOST_PARTS])
    return {"headers": cut_texts(headers), "body": _cut(raw["body"], _LONG)}


def report_summary(raw: Json) -> Json:
    """Return the report on a client; of its lists, the first few."""
    newest = {
        name: {**raw[name], "newest": raw[name]["newest"][:_MOST_NEWEST]}
        for name in ("retries", "duplicates")
    }
    webhooks = {**raw["webhooks"], "results": raw["webhooks"]["results"][:_MOST_NEWEST]}
    summary: Json = cut_texts({**raw, **newest, "webhooks": webhooks})
    return summary


def _cut(text: str, length: int = _SHORT) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def cut_texts(value: Any) -> Any:
    """Return JSON with each of its texts cut off where it is long."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, Mapping):
        return {name: cut_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [cut_texts(each) for each in value]
    return value
