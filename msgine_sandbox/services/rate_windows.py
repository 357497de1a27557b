"""One account's moving windows: `limits` on a storage that is exact, on the account's clock.

Apart from `rate_limit.py` because importing `limits` takes longer than answering the first request.
"""

from collections import deque

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import Storage
from limits.storage.base import MovingWindowSupport
from limits.strategies import MovingWindowRateLimiter

from msgine_sandbox.model.account import Limits
from msgine_sandbox.model.clock import SECOND, Instant


class AccountWindows:
    """Admits an account's requests while both its windows have room."""

    def __init__(self, limits: Limits, storage: "WindowStorage") -> None:
        self.limits = limits
        self.storage = storage
        self._items: list[RateLimitItem] = []
        if limits.per_minute is not None:
            self._items.append(RateLimitItemPerMinute(limits.per_minute))
        if limits.per_second is not None:
            self._items.append(RateLimitItemPerSecond(limits.per_second))
        self._limiter = MovingWindowRateLimiter(storage)

    def admit(self, now: Instant) -> int | None:
        """Count a request in each window, or in none: then return the microseconds to wait."""
        self.storage.now = now
        full = [item for item in self._items if not self._limiter.test(item)]
        if full:
            return max(self._has_room_at(item) for item in full) - now
        for item in self._items:
            self._limiter.hit(item)
        return None

    def minute(self) -> tuple[int, Instant]:
        """Return how many requests the minute's window holds, and when the oldest leaves it."""
        [item, *_] = self._items
        requests = self.storage.requests(item.get_expiry())
        oldest = requests[0] if requests else self.storage.now
        return len(requests), oldest + item.get_expiry() * SECOND

    def remaining(self, now: Instant) -> list[int]:
        """Return how many more requests each window admits."""
        self.storage.now = now
        return [
            max(item.amount - len(self.storage.requests(item.get_expiry())), 0)
            for item in self._items
        ]

    def _has_room_at(self, item: RateLimitItem) -> Instant:
        requests = self.storage.requests(item.get_expiry())
        leaves = requests[len(requests) - item.amount]
        return leaves + item.get_expiry() * SECOND


class WindowStorage(Storage, MovingWindowSupport):
    """Remembers when requests came, by the width of the window; the caller sets `now` first.

    The keys that `limits` passes are ignored: they name the allowance, and a window outlives a
    change of that.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self.now: Instant = 0
        self._requests: dict[int, deque[Instant]] = {}

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:  # noqa: ARG002
        """Count requests where there is room for all of them."""
        requests = self.requests(expiry)
        if len(requests) + amount > limit:
            return False
        requests.extend([self.now] * amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return the oldest request's time in seconds, and how many there are."""
        requests = self.requests(expiry)
        oldest = requests[0] if requests else self.now
        return oldest / SECOND, len(requests)

    def requests(self, expiry: int) -> deque[Instant]:
        """Return the requests that are still inside a window of so many seconds, oldest first."""
        requests = self._requests.setdefault(expiry, deque())
        # Half-open, so that a client that waits exactly Retry-After is admitted.
        while requests and requests[0] <= self.now - expiry * SECOND:
            requests.popleft()
        return requests

    @property
    def base_exceptions(self) -> type[Exception]:
        """What `limits` would wrap if it were asked to."""
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not for moving windows."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Not for moving windows."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Not for moving windows."""
        raise NotImplementedError

    def check(self) -> bool:
        """Return that the storage works."""
        return True

    def reset(self) -> int:
        """Empty every window."""
        count = len(self._requests)
        self._requests.clear()
        return count

    def clear(self, key: str) -> None:
        """Not for moving windows."""
        raise NotImplementedError
