"""What is remembered of a request that carried an idempotency key."""

import msgspec

from msgine_sandbox.model.clock import Instant


class Remembered(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The first answer to a key, and a digest of the request that it answered."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes
    status: int
    body: bytes
