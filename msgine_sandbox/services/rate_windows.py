"""One account's moving windows: the `limits` library on a storage that is exact to a microsecond.

Its own storages read the machine's clock, in float seconds; this one uses the account's clock.

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
        """Return None and count a request in each window, or return the microseconds to wait."""
        self.storage.now = now
        # Both are tested before either is used, so that a refused request is counted in none.
        full = [item for item in self._items if not self._limiter.test(item)]
        if full:
            return max(self._has_room_at(item) for item in full) - now
        for item in self._items:
            self._limiter.hit(item)
        return None

    def minute(self) -> tuple[int, Instant]:
        """Return how many requests the minute's window holds, and when the oldest leaves it.

        Called after `admit`, at the same time.
        """
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
        # There is room once fewer than `amount` are left. That may need more than the oldest to
        # leave, where the limit was lowered after they were counted.
        last_to_leave = requests[len(requests) - item.amount]
        return last_to_leave + item.get_expiry() * SECOND


class WindowStorage(Storage, MovingWindowSupport):
    """Remembers the times of requests, by the window's width in seconds; set `now` before each use.

    The keys that `limits` passes are ignored: they contain the limit, but what is counted must
    outlive a change of that.
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
        """What `limits` wraps in an error of its own, which is not enabled here."""
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Raise NotImplementedError: a moving window does not need it."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Raise NotImplementedError: a moving window does not need it."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Raise NotImplementedError: a moving window does not need it."""
        raise NotImplementedError

    def check(self) -> bool:
        """Return True: the storage always works."""
        return True

    def reset(self) -> int:
        """Empty every window."""
        count = len(self._requests)
        self._requests.clear()
        return count

    def clear(self, key: str) -> None:
        """Raise NotImplementedError: a moving window does not need it."""
        raise NotImplementedError
