"""How many requests a token may make: two moving windows, both checked before either is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgine_sandbox.model.account import Account, Admission, Limits
from msgine_sandbox.model.clock import SECOND, ClockState, Instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgine_sandbox.services.rate_windows import AccountWindows

MINUTE: Final = 60 * SECOND
UNLIMITED: Final = 2_147_483_647
"""What the headers of an account without limit say: the largest int32."""


class RateLimit:
    """Admits or refuses the requests of each account.

    The windows are in memory only: a row for each request would cost more than the request.
    """

    def __init__(self) -> None:
        self._windows: dict[int, AccountWindows] = {}

    def admit(self, account: Account, now: Instant) -> Admission:
        """Admit a request, or return how long to wait; a refused one is not counted.

        Source of the two windows: documented. That they move, and that a wait is rounded up to
        the whole seconds which `Retry-After` can say: our choice.
        """
        if account.limits.per_minute is None:
            return _UNLIMITED
        return self._windows_of(account).admit(now)

    def remaining(self, account: Account, now: Instant) -> tuple[int, int]:
        """Return what the minute's and the second's window have left, without using any."""
        if account.limits.per_minute is None:
            return UNLIMITED, UNLIMITED
        minute, second = self._windows_of(account).remaining(now)
        return minute, second

    def forget(self, account: int | None) -> Mapping[int, AccountWindows]:
        """Empty the windows of an account, or of all; return those that `restore` takes."""
        chosen = list(self._windows) if account is None else [account]
        return {each: self._windows.pop(each) for each in chosen if each in self._windows}

    def restore(self, windows: Mapping[int, AccountWindows]) -> None:
        """Use windows again that have been emptied."""
        self._windows.update(windows)

    def prepare(self) -> None:
        """Import what the first limited request needs, which takes longer than answering it.

        It may be called in a thread.
        """
        from msgine_sandbox.services import rate_windows  # noqa: F401

    def _windows_of(self, account: Account) -> AccountWindows:
        windows = self._windows.get(account.id)
        if windows is None or windows.limits != account.limits:
            from msgine_sandbox.services.rate_windows import AccountWindows, WindowStorage

            # Changed limits count the requests that were made before the change.
            storage = WindowStorage() if windows is None else windows.storage
            windows = self._windows[account.id] = AccountWindows(account.limits, storage)
        return windows


def full_allowance(limits: Limits) -> Admission:
    """Return what limits allow a client that has made no request."""
    allowed = UNLIMITED if limits.per_minute is None else limits.per_minute
    return Admission(allowed, allowed, MINUTE)


_UNLIMITED: Final = full_allowance(Limits(None, None))
_WAITING: Final[Mapping[ClockState, str]] = {
    ClockState.FROZEN: (
        "The account's clock is frozen, so waiting in real time does not help: advance it by {} s, "
        "or resume it."
    ),
    ClockState.MOVING: (
        "The account's clock stands while it is being advanced, so waiting in real time does not "
        "help: answer the webhook, and try again after the call that advances the clock."
    ),
    ClockState.ENDED: (
        "The account's clock has reached the end of the year 9999, so waiting does not help: reset "
        "the account."
    ),
}


def why_waiting_does_not_help(state: ClockState, retry_after: int) -> str | None:
    """Return why a client that waits in real time stays refused; None where the clock runs."""
    text = _WAITING.get(state)
    return None if text is None else text.format(retry_after)
