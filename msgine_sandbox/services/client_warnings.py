"""Warnings about a client that one request alone does not justify.

Retries that come too early or without an idempotency key, polling where a webhook would do, and
receivers that are slow, unreachable or wrong.
"""

import os
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from msgine_sandbox.model import warning
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import SECOND, Instant
from msgine_sandbox.model.delivery import NEXT
from msgine_sandbox.model.journal import Repeat
from msgine_sandbox.model.message import AnswerForm, Message
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import Attempt, WebhookMode
from msgine_sandbox.services.webhooks.targets import is_loopback

MAX_FAILED: Final = 256
"""Failed requests that are remembered of each account; a retry of an older one is not detected."""

RETRIED_STATUSES: Final = frozenset({None, 408, 429, 500, 502, 503, 504})
"""Statuses after which all official SDKs retry, and None, no response, after which the Go SDK does.

Source: seen in SDKs.
"""

_NOT_HANDLED: Final = frozenset({429})
"""Statuses after which the request certainly had no effect, so that a retry needs no key."""

POLLS_BEFORE_WARNING: Final = 5
"""The number of reads of a message, before it is delivered or failed, that counts as polling."""
_MAX_POLLED: Final = 4096
"""Messages whose reads are counted; the one that was not read for longest is forgotten first."""

FAILS_ON_PURPOSE: Final = frozenset({WebhookMode.LOSE, WebhookMode.WRONG_SIGNATURE})
"""Modes in which no receiver can, or should, accept the webhook."""
_SLOW: Final = 1 / 3
"""The share of its deadline that a receiver may take before it counts as slow."""

Fingerprint = bytes


class FailedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that failed in a way that clients retry."""

    request_id: str
    at: Instant
    """On the account's clock."""
    real_at: Instant
    status: int | None
    retry_after: int | None
    """Seconds."""
    message: str | None
    """The id of the message that was accepted nevertheless, as a fault with `commit` does."""

    def repeated(self, now: Instant, real_now: Instant) -> Repeat:
        """Return what the journal says of a request that repeats this one now."""
        return Repeat(
            request_id=self.request_id,
            status=self.status,
            asked=self.retry_after,
            waited=max(now - self.at, real_now - self.real_at),
            message=self.message,
        )


class RetryDetector:
    """Remembers each account's latest failed requests, until the same request succeeds."""

    def __init__(self) -> None:
        self._failed: defaultdict[int, OrderedDict[Fingerprint, FailedRequest]] = defaultdict(
            OrderedDict
        )

    def has_failures(self, account: int) -> bool:
        """Return whether an account has failed requests that it could retry."""
        return bool(self._failed.get(account))

    def retried(self, account: int, fingerprint: Fingerprint) -> FailedRequest | None:
        """Return the failed request that a request repeats."""
        return self._failed[account].get(fingerprint)

    def add(self, account: int, fingerprint: Fingerprint, failed: FailedRequest) -> None:
        """Remember a failed request, instead of an earlier one with the same fingerprint."""
        requests = self._failed[account]
        requests[fingerprint] = failed
        requests.move_to_end(fingerprint)
        if len(requests) > MAX_FAILED:
            requests.popitem(last=False)

    def remove(self, account: int, fingerprint: Fingerprint) -> None:
        """Forget the failures of a request that has its final answer."""
        self._failed[account].pop(fingerprint, None)

    def forget(self, account: int | None) -> None:
        """Forget the failed requests of an account, or of all."""
        if account is None:
            self._failed.clear()
        else:
            self._failed.pop(account, None)


def retry_warnings(repeats: Repeat, *, is_send: bool, has_key: bool) -> list[ClientWarning]:
    """Return the warnings about repeating a failed request."""
    found = []
    failed = repeats.request_id
    if repeats.asked is not None and repeats.is_early:
        waited = repeats.waited / SECOND
        found.append(warning.retried_too_early(failed, repeats.asked, waited))
    if is_send and not has_key and repeats.status not in _NOT_HANDLED:
        found.append(warning.retried_without_key(failed, repeats.status, repeats.message))
    return found


class PollingDetector:
    """Counts the reads of messages that are not delivered or failed yet."""

    def __init__(self, form: AnswerForm) -> None:
        self._form = form
        self._reads: OrderedDict[int, int] = OrderedDict()

    def warnings_for(self, account: Account, message: Message) -> list[ClientWarning]:
        """Count a read; from the fifth on, return a warning unless a webhook is configured."""
        if not NEXT[message.status]:
            return []
        # Removed and added again, so that the order of the dictionary is that of the latest reads.
        reads = self._reads[message.id] = self._reads.pop(message.id, 0) + 1
        if len(self._reads) > _MAX_POLLED:
            self._reads.popitem(last=False)
        has_webhook = message.callback_url is not None or account.endpoints
        if has_webhook or reads < POLLS_BEFORE_WARNING:
            return []
        return [warning.polls(self._form.message_id(message.id), reads)]


def webhook_warnings(
    attempt: Attempt,
    mode: WebhookMode,
    deadline: float,
    *,
    receiver_ms: float | None,
    is_refused: bool,
    in_container: bool,
) -> Iterator[ClientWarning]:
    """Return the warnings about an attempt's receiver; its deadline is in seconds.

    `receiver_ms` is how long the receiver took, or None where nothing was reached: then neither is
    it slow, nor is it known whether there is one. `is_refused` is whether the sandbox did not try.
    """
    if receiver_ms is not None and receiver_ms > deadline * 1000 * _SLOW:
        yield warning.webhook_slow(attempt.event, attempt.url, receiver_ms, deadline)
    if attempt.succeeded or mode in FAILS_ON_PURPOSE:
        return
    why = attempt.error or f"it answered {attempt.status}"
    if is_refused:
        yield warning.webhook_not_sent(attempt.event, attempt.url, why)
        return
    yield warning.webhook_failed(attempt.event, attempt.url, why)
    if in_container and receiver_ms is None and is_loopback(urlsplit(attempt.url).hostname or ""):
        yield warning.webhook_localhost(attempt.url)


def runs_in_container() -> bool:
    """Return whether this process runs in a container, where localhost is the container."""
    marks = ("/.dockerenv", "/run/.containerenv")
    variables = {"container", "KUBERNETES_SERVICE_HOST"} & os.environ.keys()
    return bool(variables) or any(Path(mark).exists() for mark in marks)
