"""An SMS for tests that store messages without sending them."""

from msgspec.structs import replace

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.delivery import PlannedStatus, Status, planned_timelines
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.money import Money

ACCOUNT = 1
_SMS = Message(
    id=0,
    account=ACCOUNT,
    channel=Channel.SMS,
    recipients=["+256701234567"],
    timelines=planned_timelines(0, 1, [(PlannedStatus(Status.PENDING, 0),)]),
    seen_at=0,
    sender="MSGINE",
    text="Hello",
    request_id="req_0",
    price=Money(0, "UGX"),
    developer_price=Money(0, "UGX"),
)


def sms(number: int) -> Message:
    """Return an SMS of `ACCOUNT` with a number as its id, which stays pending."""
    return replace(_SMS, id=number)
