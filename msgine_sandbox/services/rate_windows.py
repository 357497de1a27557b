"""One account's moving windows: items of the `limits` library, on a storage of its interface.

Its own storages read the machine's clock, in float seconds; this one uses the account's clock, and
is exact to a microsecond. Its strategies would compute the same keys and widths for each request.

Apart from `rate_limit.py` because importing `limits` takes longer than answering the first request.
"""

from collections import defaultdict, deque

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond

from msgine_sandbox.model.account import Admission, Limits
from msgine_sandbox.model.clock import SECOND, Instant, whole_seconds


class AccountWindows:
    """Admits an account's requests while both its windows have room."""

    def __init__(self, limits: Limits, storage: "WindowStorage") -> None:
        self.limits = limits
        self.storage = storage
        items: list[RateLimitItem] = []
        if limits.per_minute is not None:
            items.append(RateLimitItemPerMinute(limits.per_minute))
        if limits.per_second is not None:
            items.append(RateLimitItemPerSecond(limits.per_second))
        # Not `key_for`, which contains the limit: what is counted must outlive a change of that.
        self._windows = [(item.GRANULARITY.name, item.amount, item.get_expiry()) for item in items]

    def admit(self, now: Instant) -> Admission:
        """Count a request in each window, or say how long to wait; a refused one is not counted."""
        storage, wait = self.storage, None
        storage.now = now
        # Both are tested before either is used, so that a refused request is counted in none.
        for key, amount, expiry in self._windows:
            if storage.get_moving_window(key, amount, expiry)[1] >= amount:
                wait = whole_seconds(self._has_room_at(now) - now)
                break
        else:
            for key, amount, expiry in self._windows:
                storage.acquire_entry(key, amount, expiry)
        key, amount, expiry = self._windows[0]
        minute = storage.requests(key, expiry)
        oldest = minute[0] if minute else now
        return Admission(
            limit=amount,
            remaining=max(amount - len(minute), 0),
            reset_after=oldest + expiry * SECOND - now,
            retry_after=wait,
        )

    def _has_room_at(self, now: Instant) -> Instant:
        """Return when each window has room for another request."""
        times = [now]
        for key, amount, expiry in self._windows:
            requests = self.storage.requests(key, expiry)
            if len(requests) >= amount:
                # There is room once fewer than `amount` are left. That may need more than the
                # oldest to leave, where the limit was lowered after they were counted.
                times.append(requests[len(requests) - amount] + expiry * SECOND)
        return max(times)

    def remaining(self, now: Instant) -> list[int]:
        """Return how many more requests each window admits."""
        self.storage.now = now
        return [
            max(amount - len(self.storage.requests(key, expiry)), 0)
            for key, amount, expiry in self._windows
        ]


class WindowStorage:
    """Remembers the times of requests, by the window's name; set `now` before each use.

    It has the two methods by which `limits` uses the storage of a moving window. It is no subclass
    of its classes, which wrap each method and ask for others that no moving window needs.
    """

    def __init__(self) -> None:
        self.now: Instant = 0
        self._requests: defaultdict[str, deque[Instant]] = defaultdict(deque)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count requests where there is room for all of them."""
        requests = self.requests(key, expiry)
        if len(requests) + amount > limit:
            return False
        requests.extend([self.now] * amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return the oldest request's time in seconds, and how many there are."""
        requests = self.requests(key, expiry)
        return (requests[0] if requests else self.now) / SECOND, len(requests)

    def requests(self, key: str, expiry: int) -> deque[Instant]:
        """Return the requests that are still inside a window of so many seconds, oldest first."""
        requests = self._requests[key]
        # Half-open, so that a client that waits exactly Retry-After is admitted.
        left = self.now - expiry * SECOND
        while requests and requests[0] <= left:
            requests.popleft()
        return requests
