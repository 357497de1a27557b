"""Email: what can be sent by it, and to whom."""

from collections.abc import Sequence
from typing import Final

import msgspec

from msgine_sandbox.domain.drafts import Origin, checked_recipients, checked_text, undelivered
from msgine_sandbox.model.address import checked_address, checked_mailbox
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.parts import EmailParts
from msgine_sandbox.model.warning import ClientWarning

MAX_SUBJECT: Final = 200
MAX_BODY: Final = 512 * 1024


class EmailDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An email as a client asks for it: the right types, not yet the right values."""

    sender: str
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str
    text: str | None = None
    html: str | None = None
    scheduled_at: Instant | None = None


class Email:
    """Turns drafts into messages."""

    channel = Channel.EMAIL

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    async def compose(self, draft: EmailDraft, origin: Origin) -> Message:
        """Give the message that a draft asks for; nothing is stored yet.

        Raises:
            InvalidRequest: an address is none, there are too many, there is nothing to read, or
                the time is not to come.
            InvalidMessage: the subject or a body is empty or too long.
        """
        account = origin.account
        sender = checked_mailbox(draft.sender)
        parts, everybody = _addressed(draft)
        subject = checked_text(draft.subject, MAX_SUBJECT, field="subject")
        return Message(
            id=self._ids.next(),
            account=account.id,
            channel=self.channel,
            sender=sender,
            text=_text(draft),
            title=subject,
            parts=parts,
            price=account.price.times(0),
            developer_price=account.developer_prices.of(self.channel),
            request_id=origin.request_id,
            created_at=origin.now,
            scheduled_at=draft.scheduled_at,
            deliveries=undelivered(everybody, origin, draft.scheduled_at),
        )

    def remarks(self, message: Message) -> list[ClientWarning]:  # noqa: ARG002
        """Give the warnings about what a message says, and to whom: there are none."""
        return []


def _addressed(draft: EmailDraft) -> tuple[EmailParts, list[str]]:
    """Check all addresses; who is named twice gets one copy, and counts where it is named first."""
    places: dict[str, str] = {}
    for field, texts in {"to": draft.to, "cc": draft.cc, "bcc": draft.bcc}.items():
        for text in texts:
            places.setdefault(text, field)
    everybody = checked_recipients(
        places if draft.to else (),
        lambda text: checked_address(text, places[text]),
        what="addresses, of which one at least is in to",
    )
    parts = EmailParts(
        to=[text for text in everybody if places[text] == "to"],
        cc=[text for text in everybody if places[text] == "cc"],
        bcc=[text for text in everybody if places[text] == "bcc"],
        html=draft.html,
        html_alone=draft.text is None,
    )
    return parts, everybody


def _text(draft: EmailDraft) -> str:
    if draft.text is None and draft.html is None:
        raise InvalidRequest(
            "text or html is required", field="text", expected="text, html or both"
        )
    for field, body in {"text": draft.text, "html": draft.html}.items():
        if body is not None:
            checked_text(body, MAX_BODY, field=field)
    if draft.text is not None:
        return draft.text
    from msgine_sandbox.model.markup import readable

    return readable(draft.html or "")
