"""A message with a delivery for each recipient, and the ids of messages."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.delivery import Delivery, Recipient, Status, Timelines
from msgine_sandbox.model.ids import LARGEST, format_id, parse_id
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.segments import Encoding

_MESSAGE: Final = "msg"
_DEVICE: Final = "dev"
# A text, because few starts need it, and to compile it takes time from each.
_UUID: Final = r"(?i)([0-9a-f]{8})-([0-9a-f]{4})-4([0-9a-f]{3})-8([0-9a-f])00-([0-9a-f]{12})"


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


class Message(msgspec.Struct, frozen=True):
    """A message that was accepted, as it is seen at an instant."""

    id: int
    account: int
    channel: Channel
    recipients: Sequence[Recipient]
    """All of them, those in `cc` and `bcc` included, in the order given."""
    timelines: Timelines
    seen_at: Instant
    """Up to when statuses have begun: usually the account's time."""
    sender: str
    text: str
    """The text that a person reads: of an email that has only HTML, the text of the HTML."""
    request_id: str
    price: Money
    """For one recipient and one segment, in the Messages API."""
    developer_price: Money
    """The same in the Developers API."""
    title: str | None = None
    """The subject of an email, the title of a push."""
    parts: Parts | None = None
    encoding: Encoding | None = None
    segments: int = 1
    callback_url: str | None = None
    scheduled_at: Instant | None = None
    traceparent: str | None = None
    """The trace context of its request, which its webhooks carry on."""

    @property
    def created_at(self) -> Instant:
        """When it was accepted."""
        return self.timelines.created_at

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The delivery to each recipient."""
        return self.timelines.deliveries_at(self.recipients, self.seen_at)

    @property
    def to(self) -> Sequence[Recipient]:
        """The recipients that are shown as such: of an email, those in `to` only."""
        parts = self.parts
        # Two conditions, because an SMS has no parts, and `isinstance` is slow for what is not of a
        # Struct's class: it asks the metaclass.
        return parts.to if parts is not None and isinstance(parts, EmailParts) else self.recipients

    @property
    def content(self) -> str:
        """The text as its client sent it: of an email that has only HTML, the HTML."""
        parts = self.parts
        if parts is None:
            return self.text
        if isinstance(parts, EmailParts) and parts.html_alone and parts.html is not None:
            return parts.html
        return self.text

    @property
    def status(self) -> Status:
        """The summary of its deliveries' statuses."""
        return self.timelines.state_at(self.seen_at)[0]

    @property
    def cost(self) -> Money:
        """Price × recipients × segments. Source: documented; the segments are our choice."""
        count = len(self.recipients) * self.segments
        return self.price if count == 1 else self.price.times(count)  # most are one SMS

    @property
    def developer_cost(self) -> Money:
        """The same in the Developers API. Source: documented elsewhere; segments: our choice."""
        count = len(self.recipients) * self.segments
        return self.developer_price if count == 1 else self.developer_price.times(count)

    @property
    def updated_at(self) -> Instant:
        """When any of its deliveries changed last."""
        return self.timelines.state_at(self.seen_at)[1]

    @property
    def sent_at(self) -> Instant | None:
        """When the first of its deliveries was sent; None while none has been."""
        return self.timelines.sent_at(self.seen_at)

    def as_accepted(self) -> "Message":
        """Return the message as the answer to its request has it."""
        return replace(self, seen_at=self.created_at - 1)


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

    def ids(self, row_id: int) -> tuple[str, str | None]:
        """Return the id of a message, and its `sid`.

        Source of the latter: documented elsewhere; of null: seen in SDKs.
        """
        if self._is_observed:
            return _uuid(row_id), None
        message_id = format_id(_MESSAGE, row_id)
        return message_id, f"SM{message_id[-16:]}"

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
    if text.startswith(_MESSAGE):
        return parse_id(_MESSAGE, text)
    match = re.fullmatch(_UUID, text)
    if match is None:
        return None
    row_id = int("".join(match.groups()[:4]), 16)
    return row_id if row_id <= LARGEST and _uuid(row_id) == text.lower() else None


def _uuid(row_id: int) -> str:
    """Return a row id as a UUID: its 16 digits, and the last 12 of them again.

    It has the form of version 4, which is what clients that look at the version expect, and its
    order as a text is the order of acceptance. Without the repetition, all ids would end alike.
    """
    digits = row_id.to_bytes(8).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15]}00-{digits[4:]}"
