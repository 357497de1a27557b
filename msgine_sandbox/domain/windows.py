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


class Gate:
    """Lets an account's requests in while both its windows have room."""

    def __init__(self, limits: Limits, windows: "Windows") -> None:
        self.limits = limits
        self.windows = windows
        self._items: list[RateLimitItem] = []
        if limits.per_minute is not None:
            self._items.append(RateLimitItemPerMinute(limits.per_minute))
        if limits.per_second is not None:
            self._items.append(RateLimitItemPerSecond(limits.per_second))
        self._limiter = MovingWindowRateLimiter(windows)

    def admit(self, now: Instant) -> int | None:
        """Use a place in each window, or none and give the microseconds until both have one."""
        self.windows.now = now
        full = [item for item in self._items if not self._limiter.test(item)]
        if full:
            return max(self._leaves(item) for item in full) - now
        for item in self._items:
            self._limiter.hit(item)
        return None

    def minute(self) -> tuple[int, Instant]:
        """Tell how many requests the minute's window holds, and when the oldest leaves it."""
        [item, *_] = self._items
        requests = self.windows.requests(item.get_expiry())
        oldest = requests[0] if requests else self.windows.now
        return len(requests), oldest + item.get_expiry() * SECOND

    def left(self, now: Instant) -> list[int]:
        """Tell how many places each window has."""
        self.windows.now = now
        return [
            max(item.amount - len(self.windows.requests(item.get_expiry())), 0)
            for item in self._items
        ]

    def _leaves(self, item: RateLimitItem) -> Instant:
        requests = self.windows.requests(item.get_expiry())
        room_after = requests[len(requests) - item.amount]
        return room_after + item.get_expiry() * SECOND


class Windows(Storage, MovingWindowSupport):
    """Remembers when requests came, by the width of the window; whoever decides sets `now` first.

    The keys of `limits` name the allowance as well, and a window outlives a change of that.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self.now: Instant = 0
        self._requests: dict[int, deque[Instant]] = {}

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:  # noqa: ARG002
        """Let requests in when there is room for all of them."""
        requests = self.requests(expiry)
        if len(requests) + amount > limit:
            return False
        requests.extend([self.now] * amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Give the oldest request's time in seconds, and how many there are."""
        requests = self.requests(expiry)
        oldest = requests[0] if requests else self.now
        return oldest / SECOND, len(requests)

    def requests(self, expiry: int) -> deque[Instant]:
        """Give the requests still inside a window of so many seconds, the oldest first."""
        requests = self._requests.setdefault(expiry, deque())
        # Half-open, so that a client that waits exactly Retry-After gets in.
        while requests and requests[0] <= self.now - expiry * SECOND:
            requests.popleft()
        return requests

    @property
    def base_exceptions(self) -> type[Exception]:
        """What `limits` would wrap, were it asked to."""
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
        """Tell that the storage works."""
        return True

    def reset(self) -> int:
        """Forget everything."""
        count = len(self._requests)
        self._requests.clear()
        return count

    def clear(self, key: str) -> None:
        """Not for moving windows."""
        raise NotImplementedError
