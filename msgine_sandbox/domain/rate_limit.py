"""How many requests a token may make: two moving windows, both looked at before either is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgine_sandbox.model.account import Account, Limits
from msgine_sandbox.model.admission import Admission
from msgine_sandbox.model.clock import SECOND, Instant

if TYPE_CHECKING:
    from msgine_sandbox.domain.windows import Gate

MINUTE = 60
UNLIMITED = 2_147_483_647  # what the headers of an account without limit say: the largest int32


class RateLimit:
    """Decides for each account; what it remembers ends with the process."""

    def __init__(self) -> None:
        self._gates: dict[int, Gate] = {}

    def admit(self, account: Account, now: Instant) -> Admission:
        """Let a request in, or say how long to wait; a refused one uses nothing up.

        Source of the two windows: documented. That they move, and that a wait is rounded up to
        the whole seconds which `Retry-After` can say: our choice.
        """
        limits = account.limits
        if limits.per_minute is None:
            return untouched(limits)
        gate = self._gate(account)
        wait = gate.admit(now)
        used, oldest_leaves = gate.minute()
        return Admission(
            limit=limits.per_minute,
            remaining=max(limits.per_minute - used, 0),
            reset_after=_whole_seconds(oldest_leaves - now),
            retry_after=None if wait is None else _whole_seconds(wait),
        )

    def left(self, account: Account, now: Instant) -> tuple[int, int]:
        """Tell what the minute's and the second's window have left, and use nothing up."""
        if account.limits.per_minute is None:
            return UNLIMITED, UNLIMITED
        minute, second = self._gate(account).left(now)
        return minute, second

    def forget(self, account: int | None) -> None:
        """Empty the windows of an account, or of all."""
        if account is None:
            self._gates.clear()
        else:
            self._gates.pop(account, None)

    def _gate(self, account: Account) -> Gate:
        from msgine_sandbox.domain.windows import Gate, Windows

        gate = self._gates.get(account.id)
        if gate is None or gate.limits != account.limits:
            # Other limits look at the same requests.
            windows = Windows() if gate is None else gate.windows
            gate = self._gates[account.id] = Gate(account.limits, windows)
        return gate


def untouched(limits: Limits) -> Admission:
    """Say what limits allow a client that has made no request."""
    allowed = UNLIMITED if limits.per_minute is None else limits.per_minute
    return Admission(allowed, allowed, MINUTE)


def _whole_seconds(micros: int) -> int:
    return -(-micros // SECOND)
