"""A message with a delivery for each recipient, the lifecycle of deliveries, and messages' ids."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.ids import LARGEST, format_id, parse_id
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.segments import Encoding

_MESSAGE: Final = "msg"
_DEVICE: Final = "dev"
_UUID: Final = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-4([0-9a-f]{3})-8([0-9a-f])00-([0-9a-f]{12})", re.IGNORECASE
)

Recipient = str
"""A phone number, an email address, or what a push goes to, after it has been checked."""


class Status(StrEnum):
    """The status of a delivery. Source: documented elsewhere; of `queued`: seen in SDKs."""

    QUEUED = "queued"
    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


NEXT: Final[Mapping[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.PENDING}),
    Status.PENDING: frozenset({Status.SENT, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.FAILED}),
    Status.DELIVERED: frozenset(),
    Status.FAILED: frozenset(),
}
"""The lifecycle: the statuses that may follow each; after a final one, none."""


def summary(statuses: Collection[Status]) -> Status:
    """Return the status of a message whose deliveries have these. Source: our choice."""
    kinds = set(statuses)
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {Status.DELIVERED, Status.FAILED}:
        return Status.DELIVERED
    if kinds <= {Status.SENT, Status.DELIVERED, Status.FAILED}:
        return Status.SENT
    return Status.PENDING


class StatusChange(msgspec.Struct, frozen=True):
    """A change of a delivery's status; the position is that of the recipient in its message."""

    message: int
    position: int
    status: Status
    at: Instant
    reason: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient's copy of a message."""

    recipient: Recipient
    status: Status
    history: tuple[tuple[Status, Instant], ...]
    reason: str | None = None
    """Why it failed, in words."""

    def status_at(self, at: Instant) -> Status:
        """Return the status that it had at a time, after all changes of that time."""
        first, _ = self.history[0]
        return next((status for status, since in reversed(self.history) if since <= at), first)

    def may_become(self, status: Status) -> bool:
        """Return whether the lifecycle allows the change."""
        return status in NEXT[self.status]

    @property
    def at(self) -> Instant:
        """When it came to its present status."""
        return self.history[-1][1]

    @property
    def sent_at(self) -> Instant | None:
        """When it was sent; None while it has not been."""
        return next((at for status, at in self.history if status is Status.SENT), None)

    def with_status(self, change: StatusChange) -> "Delivery":
        """Return the delivery after a change."""
        history = (*self.history, (change.status, change.at))
        return replace(self, status=change.status, history=history, reason=change.reason)

    def without_latest(self, changes: int) -> "Delivery":
        """Return the delivery before its latest changes, without the reason that it had then."""
        history = self.history[:-changes]
        return replace(self, status=history[-1][0], history=history, reason=None)


class EmailParts(msgspec.Struct, frozen=True, kw_only=True, tag="email", omit_defaults=True):
    """What only an email has: who is in `to`, `cc` and `bcc`, and its HTML."""

    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    html: str | None = None
    links: Sequence[str] = ()
    """The URLs that the links of the HTML lead to."""
    html_alone: bool = False
    """Whether the message's text is extracted from the HTML, because the client sent none."""


class PushParts(msgspec.Struct, frozen=True, kw_only=True, tag="push", omit_defaults=True):
    """What only a push has."""

    data: Mapping[str, str] = {}
    image_url: str | None = None
    topic: str | None = None
    own_devices: bool = False
    """Whether the client named no target, so that it went to the account's devices."""


Parts = EmailParts | PushParts


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was accepted."""

    id: int
    account: int
    channel: Channel
    sender: str
    text: str
    """The text that a person reads: of an email that has only HTML, the text of the HTML."""
    title: str | None = None
    """The subject of an email, the title of a push."""
    parts: Parts | None = None
    encoding: Encoding | None = None
    segments: int = 1
    price: Money
    """For one recipient and one segment, in the Messages API."""
    developer_price: Money
    """The same in the Developers API."""
    callback_url: str | None = None
    request_id: str
    created_at: Instant
    scheduled_at: Instant | None = None
    deliveries: tuple[Delivery, ...]

    @property
    def recipients(self) -> list[Recipient]:
        """All recipients, those in `cc` and `bcc` included, in the order given."""
        return [delivery.recipient for delivery in self.deliveries]

    @property
    def to(self) -> Sequence[Recipient]:
        """The recipients that are shown as such: of an email, those in `to` only."""
        return self.parts.to if isinstance(self.parts, EmailParts) else self.recipients

    @property
    def content(self) -> str:
        """The text as its client sent it: of an email that has only HTML, the HTML."""
        parts = self.parts
        if isinstance(parts, EmailParts) and parts.html_alone and parts.html is not None:
            return parts.html
        return self.text

    @property
    def status(self) -> Status:
        """The summary of its deliveries' statuses."""
        return summary([delivery.status for delivery in self.deliveries])

    @property
    def cost(self) -> Money:
        """Price × recipients × segments. Source: documented; the segments are our choice."""
        return self.price.times(len(self.deliveries) * self.segments)

    @property
    def developer_cost(self) -> Money:
        """The same in the Developers API. Source: documented elsewhere; segments: our choice."""
        return self.developer_price.times(len(self.deliveries) * self.segments)

    @property
    def updated_at(self) -> Instant:
        """When any of its deliveries changed last."""
        return max([delivery.at for delivery in self.deliveries])

    @property
    def sent_at(self) -> Instant | None:
        """When the first of its deliveries was sent; None while none has been."""
        return min((at for d in self.deliveries if (at := d.sent_at) is not None), default=None)

    def with_changes(self, changes: Sequence[StatusChange]) -> "Message":
        """Return the message after changes of its deliveries."""
        deliveries = list(self.deliveries)
        for change in changes:
            deliveries[change.position] = deliveries[change.position].with_status(change)
        return replace(self, deliveries=tuple(deliveries))

    def with_history(self, lengths: Sequence[int]) -> "Message":
        """Return the message as it was when its deliveries had had so many statuses."""
        return replace(
            self,
            deliveries=tuple(
                delivery.without_latest(later)
                if (later := len(delivery.history) - length)
                else delivery
                for delivery, length in zip(self.deliveries, lengths, strict=True)
            ),
        )

    def before(self, changes: Sequence[StatusChange]) -> "Message":
        """Return the message as it was before the latest changes of its deliveries."""
        count: defaultdict[int, int] = defaultdict(int)
        for change in changes:
            count[change.position] += 1
        return replace(
            self,
            deliveries=tuple(
                delivery.without_latest(count[position]) if position in count else delivery
                for position, delivery in enumerate(self.deliveries)
            ),
        )


class AnswerForm:
    """What the setting `--answers` decides: how clients see ids, and the cost of an SMS.

    MsGine documents ids such as `msg_…` and prices in USD. The only recorded answer of the service
    has a UUID, no `sid`, and a price in UGX.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self._is_observed = answers is Answers.OBSERVED

    def message_id(self, row_id: int) -> str:
        """Return the id of a message. Source: documented; of UUIDs: seen in SDKs."""
        return _uuid(row_id) if self._is_observed else format_id(_MESSAGE, row_id)

    def sid(self, row_id: int) -> str | None:
        """Return a message's second id. Source: documented elsewhere; of null: seen in SDKs."""
        return None if self._is_observed else f"SM{row_id:016x}"

    def device_id(self, row_id: int) -> str:
        """Return the id of a device. Source: seen in SDKs; its form is our choice."""
        return _uuid(row_id) if self._is_observed else format_id(_DEVICE, row_id)

    def cost(self, message: Message) -> Money:
        """Return what the Messages API shows as the cost of an SMS.

        Source: documented, in USD; that it is 30 UGX, as in the Developers API: seen in SDKs.
        """
        return message.developer_cost if self._is_observed else message.cost


def parse_message_id(text: str) -> int | None:
    """Return the row id of a message's id, in either form; None when the text is none.

    Both are accepted under either setting: which one a client has stored depends on the setting at
    that time.
    """
    match = _UUID.fullmatch(text)
    if match is None:
        return parse_id(_MESSAGE, text)
    row_id = int("".join(match.groups()[:4]), 16)
    return row_id if row_id <= LARGEST and _uuid(row_id) == text.lower() else None


def _uuid(row_id: int) -> str:
    """Return a row id as a UUID: its 16 digits, and the last 12 of them again.

    It has the form of version 4, which is what clients that look at the version expect, and its
    order as a text is the order of acceptance. Without the repetition, all ids would end alike.
    """
    digits = f"{row_id:016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15]}00-{digits[4:]}"
