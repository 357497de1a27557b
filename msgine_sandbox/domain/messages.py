"""Accepting messages: one transaction for a message, what will become of it, and its key."""

import re
from collections.abc import Callable, Sequence

import msgspec

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model import warning
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidMessage, InvalidRequest, InvalidSenderId
from msgine_sandbox.model.events import MessageAccepted
from msgine_sandbox.model.idempotency import Remembered
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import MAX_RECIPIENTS, MAX_TEXT, SMS, Delivery, Message
from msgine_sandbox.model.phone import Kind, Numbering
from msgine_sandbox.model.segments import Encoding, split, without_strangers
from msgine_sandbox.model.step import Step
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import webhook_problem
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline

Plan = Callable[[Message], Sequence[Step]]

MAX_SENDER = 11
_SENDER = re.compile(f"[A-Za-z0-9]{{1,{MAX_SENDER}}}")


class SmsDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An SMS as a client asks for it: the right types, not yet the right values."""

    to: Sequence[str]
    message: str
    sender: str | None = None
    callback_url: str | None = None


class Messages:
    """Turns drafts into messages, and accepts them."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        timeline: Timeline,
        bus: Bus,
        ids: Ids,
        numbering: Numbering,
        plan: Plan,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._bus = bus
        self._ids = ids
        self._numbering = numbering
        self._plan = plan

    def compose(
        self, account: Account, draft: SmsDraft, request_id: str, now: Instant | None = None
    ) -> Message:
        """Give the message that a draft asks for, now or at another time; nothing is stored yet.

        Raises:
            InvalidPhoneNumber, InvalidMessage, InvalidSenderId: documented.
            InvalidRequest: too many recipients, or a callbackUrl that is no URL.
        """
        recipients = self._recipients(draft.to)
        text = checked_text(draft.message)
        sender = account.sender_id if draft.sender is None else checked_sender(draft.sender)
        segments = split(text)
        now = self._accounts.now(account.id) if now is None else now
        start = ((Status.PENDING, now),)
        return Message(
            id=self._ids.next(),
            account=account.id,
            channel=SMS,
            sender=sender,
            text=text,
            encoding=segments.encoding,
            segments=segments.count,
            price=account.price,
            callback_url=_checked_url(draft.callback_url),
            request_id=request_id,
            created_at=now,
            deliveries=tuple(
                Delivery(recipient=recipient, status=Status.PENDING, history=start)
                for recipient in recipients
            ),
        )

    async def accept(self, message: Message, answer: Remembered | None = None) -> None:
        """Store a message, its steps and the answer to its key; leave once all is committed."""
        plan = self._plan(message)
        async with self._store.unit:
            await self._store.messages.add(message)
            await self._store.steps.add(plan)
            if answer is not None:
                await self._store.keys.remember(answer)
            self._timeline.planned(plan)
        self._bus.announce(MessageAccepted(message))

    def remarks(self, message: Message) -> list[ClientWarning]:
        """Give the warnings about what a message says, and to whom."""
        found = [
            warning.number_not_mobile(number, kind)
            for number in message.recipients
            if (kind := self._numbering.kind(number)) is not Kind.MOBILE
        ]
        if message.encoding is Encoding.UCS2:
            found += _forced(message)
        return found

    def _recipients(self, texts: Sequence[str]) -> list[str]:
        recipients = list(dict.fromkeys(texts))
        if 1 <= len(recipients) <= MAX_RECIPIENTS:
            return [self._numbering.check(recipient) for recipient in recipients]
        raise InvalidRequest(
            f"Send to 1 to {MAX_RECIPIENTS} recipients",
            field="to",
            value=len(recipients),
            expected=f"1 to {MAX_RECIPIENTS} numbers",
        )


def _forced(message: Message) -> list[ClientWarning]:
    character = split(message.text).forced_by
    if character is None:
        return []
    without = without_strangers(message.text)
    return [warning.forced_to_ucs2(character, message.segments, without)]


def checked_text(text: str) -> str:
    """Give a text back that can be sent.

    Raises:
        InvalidMessage: it is empty or over 1600 characters (documented), or not Unicode (ours).
    """
    if not text:
        problem = "Message must not be empty"
    elif len(text) > MAX_TEXT:
        problem = InvalidMessage.message
    elif not _is_unicode(text):
        problem = "Message contains half of a surrogate pair, which is not Unicode text"
    else:
        return text
    raise InvalidMessage(problem, field="message", maxLength=MAX_TEXT, actualLength=len(text))


def checked_sender(sender: str, field: str = "from") -> str:
    """Give a sender ID back that carriers take.

    Raises:
        InvalidSenderId: it is not 1 to 11 letters and digits (documented).
    """
    if _SENDER.fullmatch(sender):
        return sender
    raise InvalidSenderId(field=field, value=sender, maxLength=MAX_SENDER)


def _checked_url(url: str | None) -> str | None:
    problem = None if url is None else webhook_problem(url)
    if problem is None:
        return url
    raise InvalidRequest(
        "callbackUrl must be an http or https URL", field="callbackUrl", value=url, expected=problem
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
