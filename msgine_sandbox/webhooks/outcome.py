"""What came of one try to send a webhook."""

import msgspec

from msgine_sandbox.model.webhook import Exchange


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a try."""

    status: int | None
    error: str | None
    duration_ms: float
    request: Exchange
    response: Exchange | None
    retry_after: str | None = None
