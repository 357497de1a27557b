"""What all channels share: the context of a send, and the checks of recipients, text and time."""

from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

import msgspec

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant, iso
from msgine_sandbox.model.delivery import Recipient
from msgine_sandbox.model.errors import InvalidMessage, InvalidRequest
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.warning import ClientWarning

MAX_RECIPIENTS: Final = 100

Draft = TypeVar("Draft")


class SendContext(msgspec.Struct, frozen=True):
    """The account and the request that a message comes from, its id, and the account's time."""

    account: Account
    request_id: str
    message_id: int
    now: Instant


class ScheduledTime(msgspec.Struct, frozen=True):
    """When a message is to be sent."""

    at: Instant
    text: str
    """As it was sent."""
    has_offset: bool
    """Whether the text has an offset from UTC; without one, it is in UTC."""


class ChannelService(Generic[Draft]):
    """One channel: it checks drafts and makes messages of them."""

    channel: Channel

    async def prepared(self, draft: Draft) -> Draft:
        """Return a draft with all that takes long to compute, before its message gets a time.

        Others are answered meanwhile, so clocks and accounts can change.
        """
        return draft

    async def compose(self, draft: Draft, context: SendContext) -> Message:
        """Return the message that a prepared draft describes; nothing is stored yet.

        Raises:
            ApiError: a value of the draft is not one that the channel accepts.
        """
        raise NotImplementedError

    def warnings_about(self, message: Message) -> list[ClientWarning]:  # noqa: ARG002
        """Return the warnings about a message's text and recipients."""
        return []


def checked_recipients(
    texts: Iterable[str], check: Callable[[str], Recipient], *, field: str = "to", what: str
) -> list[Recipient]:
    """Return recipients, each once, in the order of their first occurrence.

    Raises:
        InvalidRequest: there is none, or there are over 100 (our choice).
        ApiError: `check` refuses one of them.
    """
    recipients = list(dict.fromkeys(texts))
    if 1 <= len(recipients) <= MAX_RECIPIENTS:
        return list(map(check, recipients))
    raise InvalidRequest(
        f"Send to 1 to {MAX_RECIPIENTS} recipients",
        field=field,
        value=len(recipients),
        expected=f"1 to {MAX_RECIPIENTS} {what}",
    )


def checked_text(text: str, longest: int, *, field: str = "message") -> str:
    """Return a text that can be sent.

    Raises:
        InvalidMessage: it is empty or has over `longest` characters (documented), or it is not
            Unicode (our choice).
    """
    if not text:
        problem = "must not be empty"
    elif len(text) > longest:
        problem = f"exceeds maximum length of {longest} characters"
    elif not (text.isascii() or is_unicode(text)):
        problem = "contains half of a surrogate pair, which is not Unicode text"
    else:
        return text
    problem = f"{field.capitalize()} {problem}"
    raise InvalidMessage(problem, field=field, maxLength=longest, actualLength=len(text))


def checked_schedule(scheduled_for: ScheduledTime | None, now: Instant) -> Instant | None:
    """Return when a message is to be sent; None for at once.

    Raises:
        InvalidRequest: that is not in the future (our choice).
    """
    if scheduled_for is None:
        return None
    if scheduled_for.at > now:
        return scheduled_for.at
    raise InvalidRequest(
        "scheduledFor must be in the future",
        field="scheduledFor",
        value=scheduled_for.text,
        expected=f"a time after {iso(now)}, which it is on the account's clock",
    )


def is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: JSON allows half of a surrogate pair, which cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
