"""A fault: what happens on purpose to which requests, deliveries or webhooks, and how often."""

from collections.abc import Collection
from random import Random
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.magic import Outcome
from msgine_sandbox.model.recipients import is_address
from msgine_sandbox.model.webhook import EventType, WebhookMode

PREFIX: Final = "flt"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MethodName = Annotated[
    str,
    Meta(description="one of " + ", ".join(METHODS), extra_json_schema={"enum": METHODS}),
]
# Every webhook needs it, and Python 3.11 is slow to find the members of an enum.
_REORDER: Final = WebhookMode.REORDER


class FaultTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of a request that a match is compared with."""

    method: str
    path: str
    """Below the base URL."""
    recipients: Collection[str] = ()


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a fault applies to: all given fields must match."""

    method: MethodName | None = None
    path: str | None = None
    """`*` stands for any text."""
    to: str | None = None
    """A recipient, where `*` stands for any text; an email address in any case."""
    event: EventType | None = None
    channel: Channel | None = None
    """Only of deliveries."""

    def matches_request(self, target: FaultTarget) -> bool:
        """Return whether the fault applies to a request."""
        return (
            self.method in {None, target.method}
            and (self.path is None or _fits(target.path, self.path))
            and (self.to is None or any(map(self.matches_recipient, target.recipients)))
        )

    def matches_webhook(self, event: EventType, recipient: str) -> bool:
        """Return whether the fault applies to a webhook."""
        return self.event in {None, event} and self.matches_recipient(recipient)

    def matches_delivery(self, channel: Channel, recipient: str) -> bool:
        """Return whether the fault applies to a delivery."""
        return self.channel in {None, channel} and self.matches_recipient(recipient)

    def matches_recipient(self, recipient: str) -> bool:
        """Return whether the fault applies to a recipient."""
        if self.to is None:
            return True
        if is_address(recipient):
            return _fits(recipient.lower(), self.to.lower())
        return _fits(recipient, self.to)


def _fits(text: str, pattern: str) -> bool:
    """Return whether a text fits a pattern in which `*` stands for any text.

    Not by a regular expression, which takes seconds to compile where a pattern is long.
    """
    first, *others = pattern.split("*")
    if not others:
        return text == first
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class RequestEffect(msgspec.Struct, frozen=True, kw_only=True, tag="request", omit_defaults=True):
    """What happens to a request: first the delay, then the connection or the response."""

    status: int | None = None
    code: str | None = None
    envelope: bool = True
    """Whether an error has the documented form, instead of a `message` alone."""
    retry_after: int | None = None
    """Seconds."""
    delay: float = 0
    """Seconds of real time, as network timeouts are."""
    drop: bool = False
    malformed: bool = False
    commit: bool = False
    """Whether the request is handled first, so that the effect is on its response only."""
    spares_replays: bool = False
    """Whether it has no effect on a replay, so that a retry with the same key gets its answer."""


class WebhookEffect(msgspec.Struct, frozen=True, kw_only=True, tag="webhook", omit_defaults=True):
    """What happens to a webhook."""

    mode: WebhookMode = WebhookMode.PLAIN
    delay: float = 0
    """Seconds on the account's clock."""

    def reorders(self, event: EventType) -> bool:
        """Return whether an event is held back until its delivery has ended.

        Only `sent` can be: the other events are those of a delivery's end.
        """
        return self.mode is _REORDER and event is EventType.SENT


class DeliveryEffect(msgspec.Struct, frozen=True, kw_only=True, tag="delivery", omit_defaults=True):
    """How a delivery ends."""

    outcome: Outcome
    reason: str | None = None
    """Why it fails; None is the usual reason of its channel."""
    after: float | None = None
    """Seconds from acceptance to the last status; None is as the settings say."""


Effect = RequestEffect | WebhookEffect | DeliveryEffect


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, and how often it has."""

    id: int
    account: int | None
    """The account to which it applies; None is every account."""
    match: Match
    effect: Effect
    times: int | None = None
    """How often it acts; None is until it is removed."""
    probability: float = 1.0
    seed: int = 0
    hits: int = 0
    seen: int = 0
    """How often something matched, whether it acted on it or not."""
    magic: bool = False
    """Whether a magic recipient added it."""

    @property
    def public_id(self) -> str:
        """The identifier that the control API uses."""
        return format_id(PREFIX, self.id)

    @property
    def left(self) -> int | None:
        """How often it will still act; None is without end."""
        return None if self.times is None else self.times - self.hits

    def counted(self) -> "Fault":
        """Return the fault after the next match, on which it acts or not."""
        return replace(self, seen=self.seen + 1, hits=self.hits + self.acts_next())

    def acts_next(self) -> bool:
        """Return whether it acts on the next match: the same sequence every time for a seed."""
        if self.probability >= 1:
            return True
        # A generator for each match, because a fault is a row: it needs no state but `seen`, and a
        # restart changes nothing.
        draw = Random(f"{self.seed}/{self.seen}").random()  # noqa: S311  (nothing secret)
        return draw < self.probability
