"""Whether a request may come in, as the rate limit decided."""

import msgspec


class Admission(msgspec.Struct, frozen=True):
    """What the windows have left for a request, as the headers say it; times in whole seconds."""

    limit: int
    remaining: int
    reset_after: int
    retry_after: int | None = None
    """How long to wait, when it may not come in."""
