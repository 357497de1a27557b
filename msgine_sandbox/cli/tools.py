"""The tools of `msgine-sandbox mcp`: their arguments, what agents read about them, and their calls.

Each is a thin layer over the control API. Its answer is JSON that stays small, whatever the sandbox
has: lists of summaries, long texts cut off.
"""

from collections.abc import Iterable, Mapping
from json import JSONDecodeError
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from msgine_sandbox.cli.clock import advance_body
from msgine_sandbox.cli.messages import send_message
from msgine_sandbox.cli.remote import RemoteSandbox
from msgine_sandbox.testing.client import without_none
from msgine_sandbox.testing.clock import ADVANCE_TIMEOUT
from msgine_sandbox.testing.journal import Exchange, parse_exchange
from msgine_sandbox.testing.messages import Messages

_MOST_CHARACTERS: Final = 20_000
"""Of the entries of a list together; an answer with one entry may have more."""
_SHORT: Final = 500  # characters of a text in a list
_LONG: Final = 4_000  # and where it is the only one
_MOST_PARTS: Final = 20  # recipients, decisions, and similar parts of one entry
_MOST_MOMENTS: Final = 60  # of a timeline
_MOST_NEWEST: Final = 5  # of each list in a report
_ORDINARY: Final = {"accepted", "admitted"}
"""Outcomes of decisions that changed nothing about a request."""

Json = dict[str, Any]
Channel = Literal["sms", "email", "push"]
_To = Annotated[str | None, Meta(description="exact recipient")]
_Status = Annotated[str | None, Meta(description="queued, pending, sent, delivered or failed")]
_Contains = Annotated[str | None, Meta(description="text in message or title")]
_Limit = Annotated[int, Meta(ge=1, le=50)]


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of a call; the docstring of each kind of tool is its description for agents."""

    name: ClassVar[str]
    only_reads: ClassVar[bool] = True

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the answer, as JSON.

        Raises:
            SandboxError: the sandbox refuses the call, or does not answer.
            MessageNotFound: there is no such message.
            UsageError: the arguments contradict each other.
        """
        raise NotImplementedError


class ListMessages(Tool, frozen=True):
    """List messages that the application sent, newest first: texts and status of each recipient.

    With id, one in full: code, links, and the timeline of statuses and webhooks.
    """

    name = "list_messages"
    id: str | None = None
    to: _To = None
    channel: Channel | None = None
    status: _Status = None
    contains: _Contains = None
    limit: _Limit = 10

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return `messages` and `total`, or one message."""
        if self.id is not None:
            raw = Messages(sandbox.account).get(self.id).raw
            return {**_whole_message(raw), **_timeline(raw["timeline"])}
        filters = msgspec.structs.asdict(self)
        listed = sandbox.account.get("/messages", {**filters, "view": "summary"})
        return _listed("messages", map(_message, listed["data"]), listed)


class WaitForMessage(Tool, frozen=True):
    """Wait for a message, and return the newest that fits: text, one-time code and links."""

    name = "wait_for_message"
    only_reads = False
    to: _To = None
    channel: Channel | None = None
    contains: _Contains = None
    matches: Annotated[str | None, Meta(description="regular expression")] = None
    status: _Status = None
    jump: Annotated[
        bool, Meta(description="move the clock until it has that status, instead of waiting")
    ] = False
    timeout: Annotated[float, Meta(ge=0, le=60, description="seconds")] = 10

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the message; null as the code where it has none."""
        wanted = msgspec.structs.asdict(self)
        jump, timeout = wanted.pop("jump"), wanted.pop("timeout")
        return _whole_message(Messages(sandbox.account).wait(timeout, jump=jump, **wanted).raw)


class SendMessage(Tool, frozen=True):
    """Send a message as an application would. The sandbox delivers it to nobody."""

    name = "send_message"
    only_reads = False
    to: Annotated[
        str, Meta(description="number, email address, device token, user:ID or topic:NAME")
    ]
    text: str
    channel: Channel = "sms"
    title: Annotated[str | None, Meta(description="email subject or push title")] = None

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the API's answer, without the text."""
        sent = send_message(sandbox, self.channel, self.to, self.text, self.title)
        return {name: sent[name] for name in ("id", "status", "cost", "currency") if name in sent}


class InjectFault(Tool, frozen=True):
    """Make requests, deliveries or webhooks fail on purpose; returns all faults with their hits.

    Without arguments: only list. effect has one of these forms:
    - of requests: {"status":503,"retryAfter":1}, {"delay":3} (real seconds), {"malformed":true},
      {"drop":"before"} or {"drop":"after"} (no answer; "after": the message is accepted). With
      "commit":true beside the first three, the message is accepted nevertheless.
    - of deliveries: {"delivery":"failed","reason":"any text","after":90} (seconds of the clock), or
      "delivered", "refused" (fails unsent), "sent" (no receipt ever), "pending" (stays so).
    - of webhooks: {"webhook":"duplicate"}, or "reorder", "lose", "wrong-signature",
      {"webhook":"delay","delay":60}.
    match has method, path, to for requests; to, channel for deliveries; event, to for webhooks.
    "*" stands for any text. The oldest fault that matches applies.
    """

    name = "inject_fault"
    only_reads = False
    effect: Json | None = None
    match: Annotated[
        Json | None,
        Meta(description='such as {"path":"/messages/sms","to":"+254*"}; without it, all'),
    ] = None
    times: Annotated[int | None, Meta(description="how often; null: until cleared")] = None
    probability: Annotated[float | None, Meta(description="0 to 1")] = None
    seed: int | None = None
    clear: Annotated[bool, Meta(description="remove all faults, and do nothing else")] = False

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the id of the fault that was `added`, if one was, and the newest `faults`."""
        fault = without_none(msgspec.structs.asdict(self))
        if fault.pop("clear"):
            # Not both, because a fault that is refused must change nothing.
            if fault:
                raise msgspec.ValidationError("Clear the faults in a call of its own")
            return {"removed": sandbox.account.delete("/faults")}
        added = {"added": sandbox.account.post("/faults", fault)["id"]} if fault else {}
        listed = sandbox.account.get("/faults")
        newest = [without_none(each) for each in reversed(listed["data"][-50:])]
        return {**added, **_listed("faults", newest, listed)}


class MoveTime(Tool, frozen=True):
    """Move the clock forward; statuses and webhooks that fall due happen before it returns."""

    name = "move_time"
    only_reads = False
    by: Annotated[
        str,
        Meta(
            description="90s, 1h30m, 2d; a time such as 2026-11-27T09:00:00Z; "
            "next: to what is due next; idle: on until nothing is due within a day"
        ),
    ]

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the clock."""
        body = advance_body(self.by)
        clock: Json = sandbox.account.post("/clock/advance", body, timeout=ADVANCE_TIMEOUT)
        return clock


class ListRequests(Tool, frozen=True):
    """List API requests of the application, newest first: answers, errors with reasons, warnings.

    A warning is a mistake that the real API would not tell of; advice says what to change.
    With id, one request with headers and bodies.
    """

    name = "list_requests"
    id: Annotated[str, Meta(pattern="^req_[0-9a-f]{16}$")] | None = None
    method: str | None = None
    path: Annotated[str | None, Meta(description="text in the path")] = None
    status: Annotated[str | None, Meta(description="429, or a class such as 4xx")] = None
    warning: Annotated[str | None, Meta(description="code of a warning")] = None
    limit: _Limit = 10

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return `requests` and `total`, or one request."""
        if self.id is not None:
            raw = sandbox.account.get(f"/requests/{self.id}")
            exchanges = {each: _exchange(raw[each]) for each in ("request", "response")}
            return {**_request(raw), **without_none(exchanges)}
        listed = sandbox.account.get("/requests", msgspec.structs.asdict(self))
        return _listed("requests", map(_request, listed["data"]), listed)


class GetReport(Tool, frozen=True):
    """Report on the application: retries and their waits, idempotency keys, duplicates, polling.

    Also webhook receivers, and each warning with its count and advice.
    """

    name = "get_report"

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the report; of its lists, the first few."""
        report = sandbox.account.get("/report")
        for name in ("retries", "duplicates"):
            report[name]["newest"] = report[name]["newest"][:_MOST_NEWEST]
        report["webhooks"]["results"] = report["webhooks"]["results"][:_MOST_NEWEST]
        cut: Json = _cut_texts(report)
        return cut


class GetCoverage(Tool, frozen=True):
    """Which documented behaviours of the API the application has met, and which not yet."""

    name = "get_coverage"

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return `met`, `unmet` and `percent`."""
        coverage: Json = sandbox.account.get("/coverage")
        return coverage


TOOLS: Final[Mapping[str, type[Tool]]] = {
    each.name: each
    for each in (
        *(ListMessages, WaitForMessage, SendMessage, InjectFault),
        *(MoveTime, ListRequests, GetReport, GetCoverage),
    )
}


def _listed(name: str, entries: Iterable[Json], raw: Json) -> Json:
    """Return as many entries as fit into an answer, and how many there are in total."""
    kept: list[Json] = []
    size, fits = 0, True
    for entry in entries:
        size += len(msgspec.json.encode(entry))
        fits = not kept or size <= _MOST_CHARACTERS
        if not fits:
            break
        kept.append(entry)
    answer: Json = {"total": raw["total"], name: kept}
    if not fits or raw.get("truncated"):
        answer["truncated"] = True
    if raw.get("totalIsMinimum"):
        answer["totalIsMinimum"] = True
    return answer


def _message(raw: Mapping[str, Any], length: int = _SHORT) -> Json:
    recipients = [
        without_none({name: each.get(name) for name in ("to", "status", "reason", "rule")})
        for each in raw["recipients"][:_MOST_PARTS]
    ]
    names = ("id", "account", "channel", "from", "status", "createdAt", "scheduledAt", "requestId")
    return without_none(
        {
            **{name: raw.get(name) for name in names},
            "title": _cut_texts(raw.get("subject", raw.get("title"))),
            "text": _cut(raw["message"], length),
            "recipients": recipients,
            "moreRecipients": len(raw["recipients"]) - len(recipients) or None,
        }
    )


def _whole_message(raw: Mapping[str, Any]) -> Json:
    contents = {name: _cut_texts(raw[name][:_MOST_PARTS]) for name in ("codes", "links")}
    return {"code": raw["code"], **contents, **_message(raw, _LONG)}


def _timeline(raw: list[Json]) -> Json:
    """Return the beginning of a timeline, without the decisions, which the request has."""
    kept = [
        {name: _cut_texts(each[name]) for name in each if name != "decisions"}
        for each in raw[:_MOST_MOMENTS]
    ]
    return without_none({"timeline": kept, "moreTimeline": len(raw) - len(kept) or None})


def _request(raw: Json) -> Json:
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
                "idempotencyKey": _cut_texts(request.headers.get("idempotency-key")),
                "body": _cut(request.body) or None,
                "error": None if response is None else _error(response, raw["status"]),
                "retryAfter": None if response is None else response.headers.get("retry-after"),
                "decisions": _cut_texts(decisions[:_MOST_PARTS]) or None,
            }
        ),
        "warnings": _cut_texts(raw["warnings"]),
    }


def _error(response: Exchange, status: int) -> Any:
    """Return the error of a refusal: that of the API's envelope, or the body as it is."""
    if status < 400:
        return None
    try:
        return _cut_texts(response.json()["error"])
    except (JSONDecodeError, LookupError, TypeError):
        return _cut(response.body)


def _exchange(raw: Json | None) -> Json | None:
    if raw is None:
        return None
    headers = dict(list(raw["headers"].items())[:_MOST_PARTS])
    return {"headers": _cut_texts(headers), "body": _cut(raw["body"], _LONG)}


def _cut(text: str, length: int = _SHORT) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def _cut_texts(value: Any) -> Any:
    """Return JSON with each of its texts cut off where it is long."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, Mapping):
        return {name: _cut_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cut_texts(each) for each in value]
    return value
