"""Requests that come again after they failed: too early, or with nothing to tell them apart."""

from collections import OrderedDict, defaultdict
from typing import Final

import msgspec

from msgine_sandbox.model import warning
from msgine_sandbox.model.clock import SECOND, Instant
from msgine_sandbox.model.warning import ClientWarning

REMEMBERED: Final = 256
"""Failures of each account; a client that repeats an older one is not noticed."""

REPEATED: Final = frozenset({None, 408, 429, 500, 502, 503, 504})
"""What clients try again, as the official ones do; None is no answer. Source: seen in SDKs."""

_NOT_DONE: Final = frozenset({429})
"""What tells for sure that nothing was done, so that another try does no harm."""

Fingerprint = bytes


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A request that failed in a way that clients try again."""

    request_id: str
    at: Instant
    """On the account's clock."""
    real_at: Instant
    status: int | None
    retry_after: int | None
    """Seconds."""
    accepted: str | None
    """The message that was accepted all the same."""


class Retries:
    """Remembers each account's latest failures, until the same request succeeds."""

    def __init__(self) -> None:
        self._failures: defaultdict[int, OrderedDict[Fingerprint, Failure]] = defaultdict(
            OrderedDict
        )

    def expected_of(self, account: int) -> bool:
        """Tell whether an account has failures that a request could repeat."""
        return bool(self._failures.get(account))

    def repeated(self, account: int, fingerprint: Fingerprint) -> Failure | None:
        """Give the failure that a request repeats."""
        return self._failures[account].get(fingerprint)

    def failed(self, account: int, fingerprint: Fingerprint, failure: Failure) -> None:
        """Remember a failure, as the latest of its request."""
        failures = self._failures[account]
        failures[fingerprint] = failure
        failures.move_to_end(fingerprint)
        if len(failures) > REMEMBERED:
            failures.popitem(last=False)

    def settled(self, account: int, fingerprint: Fingerprint) -> None:
        """Forget the failures of a request that has its final answer."""
        self._failures[account].pop(fingerprint, None)

    def forget(self, account: int | None) -> None:
        """Forget the failures of an account, or of all."""
        if account is None:
            self._failures.clear()
        else:
            self._failures.pop(account, None)


def judged(
    failure: Failure, *, posts: bool, has_key: bool, now: Instant, real_now: Instant
) -> list[ClientWarning]:
    """Tell what is wrong with repeating a failure now.

    The longer of the account's time and real time counts as waited, so that a client which really
    sleeps is not blamed for a clock that stands.
    """
    found = []
    waited = max(now - failure.at, real_now - failure.real_at)
    asked = failure.retry_after
    if asked is not None and waited < asked * SECOND:
        found.append(warning.retried_too_early(failure.request_id, asked, waited / SECOND))
    if posts and not has_key and failure.status not in _NOT_DONE:
        found.append(
            warning.retried_without_key(failure.request_id, failure.status, failure.accepted)
        )
    return found
