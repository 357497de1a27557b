"""What every channel's drafts share: whom they come from, whom they go to, when, and how long."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import Instant, iso
from msgine_sandbox.model.errors import InvalidMessage, InvalidRequest
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Delivery, Recipient

MAX_RECIPIENTS: Final = 100


class Origin(msgspec.Struct, frozen=True):
    """Whose request a message comes of, and when on the account's clock."""

    account: Account
    request_id: str
    now: Instant


def checked_recipients(
    texts: Iterable[str], check: Callable[[str], Recipient], *, field: str = "to", what: str
) -> list[Recipient]:
    """Give recipients back, each once, at its first place.

    Raises:
        InvalidRequest: there is none, or there are over 100 (our choice).
        ApiError: what `check` says of one of them.
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
    """Give a text back that can be sent.

    Raises:
        InvalidMessage: it is empty or over so many characters (documented), or not Unicode (ours).
    """
    name = field.capitalize()
    if not text:
        problem = f"{name} must not be empty"
    elif len(text) > longest:
        problem = f"{name} exceeds maximum length of {longest} characters"
    elif not is_unicode(text):
        problem = f"{name} contains half of a surrogate pair, which is not Unicode text"
    else:
        return text
    raise InvalidMessage(problem, field=field, maxLength=longest, actualLength=len(text))


def undelivered(
    recipients: Iterable[Recipient], origin: Origin, scheduled_at: Instant | None = None
) -> tuple[Delivery, ...]:
    """Give the deliveries that a new message begins with: `queued` where it is for later.

    Raises:
        InvalidRequest: the time it is scheduled for is not to come (our choice).
    """
    if scheduled_at is not None and scheduled_at <= origin.now:
        raise InvalidRequest(
            "scheduledFor must be in the future",
            field="scheduledFor",
            value=iso(scheduled_at),
            expected=f"a time after {iso(origin.now)}, which it is on the account's clock",
        )
    status = Status.PENDING if scheduled_at is None else Status.QUEUED
    start = ((status, origin.now),)
    return tuple(
        Delivery(recipient=recipient, status=status, history=start) for recipient in recipients
    )


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written: half of a surrogate pair, as JSON may have it, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
