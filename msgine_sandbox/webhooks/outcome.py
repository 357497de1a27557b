"""What came of one try to send a webhook."""

from dataclasses import dataclass

from msgine_sandbox.model.webhook import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a try."""

    status: int | None
    error: str | None
    duration_ms: float
    request: Exchange
    response: Exchange | None
    retry_after: str | None = None
