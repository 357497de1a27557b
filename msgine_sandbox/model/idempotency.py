"""What is remembered of a request that carried an idempotency key."""

from dataclasses import dataclass

from msgine_sandbox.model.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The first answer to a key, and a digest of the request that it answered."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes
    status: int
    body: bytes
