"""The tools of `msgine-sandbox mcp`: their arguments, what agents read about them, and their calls.

Each is a thin layer over the control API.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from msgine_sandbox.cli.clock import advance_body
from msgine_sandbox.cli.messages import send_message
from msgine_sandbox.cli.remote import RemoteSandbox
from msgine_sandbox.cli.summaries import (
    Json,
    exchange,
    fitting,
    message_summary,
    report_summary,
    request_summary,
    timeline,
    whole_message,
)
from msgine_sandbox.testing.client import without_none
from msgine_sandbox.testing.clock import ADVANCE_TIMEOUT
from msgine_sandbox.testing.messages import Messages

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
            return {**whole_message(raw), **timeline(raw["timeline"])}
        filters = msgspec.structs.asdict(self)
        listed = sandbox.account.get("/messages", {**filters, "view": "summary"})
        return fitting("messages", map(message_summary, listed["data"]), listed)


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
        return whole_message(Messages(sandbox.account).wait(timeout, jump=jump, **wanted).raw)


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
        return {**added, **fitting("faults", newest, listed)}


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
            exchanges = {each: exchange(raw[each]) for each in ("request", "response")}
            return {**request_summary(raw), **without_none(exchanges)}
        listed = sandbox.account.get("/requests", msgspec.structs.asdict(self))
        return fitting("requests", map(request_summary, listed["data"]), listed)


class GetReport(Tool, frozen=True):
    """Report on the application: retries and their waits, idempotency keys, duplicates, polling.

    Also webhook receivers, and each warning with its count and advice.
    """

    name = "get_report"

    def run(self, sandbox: RemoteSandbox) -> Json:
        """Return the report; of its lists, the first few."""
        return report_summary(sandbox.account.get("/report"))


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
