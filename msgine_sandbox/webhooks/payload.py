"""What a webhook says. Source of every field: documented elsewhere."""

import msgspec

from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.webhook import Notice


class Payload(msgspec.Struct, rename="camel"):
    """The body of a webhook; `to` is one number."""

    id: str
    event: str
    status: str
    to: str
    from_: str = msgspec.field(name="from")
    timestamp: str
    message_id: str
    sid: str


def payload(notice: Notice, message: Message) -> bytes:
    """Write the body that every try of a notice carries."""
    return msgspec.json.encode(
        Payload(
            id=message.public_id,
            event=notice.event,
            status=notice.event.removeprefix("message."),
            to=message.deliveries[notice.position].recipient,
            from_=message.sender,
            timestamp=iso_seconds(notice.at),
            message_id=message.public_id,
            sid=message.sid,
        )
    )
