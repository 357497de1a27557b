"""The first generation's shapes: how a draft is read, and how a message is written."""

from typing import Final

from msgine_sandbox.api.form import Form
from msgine_sandbox.api.texts import Text, written
from msgine_sandbox.domain.sms import SmsDraft
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message


def draft(body: Fields) -> SmsDraft:
    """Read the draft of an SMS; unknown fields are ignored.

    Raises:
        InvalidRequest: a field is missing or of the wrong type.
    """
    return SmsDraft(
        to=body.texts("to"),
        message=body.required_text("message"),
        sender=body.text("from"),
        callback_url=body.text("callbackUrl"),
    )


def shape(message: Message) -> Text:
    """Write a message; one that is queued for later is pending, as this generation knows it."""
    status = message.status
    known = Status.PENDING if status is Status.QUEUED else status
    return written(Text, message, message.cost, known)


SMS: Final = Form(frozenset({"to", "message", "from", "callbackUrl"}), draft, shape)
