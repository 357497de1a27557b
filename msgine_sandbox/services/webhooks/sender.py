"""Sending webhook events: sign, send, record the attempt, and plan the next one."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.clock import DAY, SECOND, Instant, RealTime, from_datetime, iso_seconds
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import AnswerForm, Message
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import (
    Attempt,
    AttemptHttp,
    AttemptOutcome,
    EventState,
    WebhookEvent,
    WebhookMode,
)
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus, InboxEmptied, MessagesDeleted, WebhookAttempted
from msgine_sandbox.services.client_warnings import webhook_warnings
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.signature import key_of, signature, wrong_key
from msgine_sandbox.services.webhooks.targets import Targets
from msgine_sandbox.services.webhooks.turns import Endings, Turns
from msgine_sandbox.storage.store import Store
from msgine_sandbox.version import __version__

if TYPE_CHECKING:
    from msgine_sandbox.services.webhooks.client import AttemptResult, WebhookClient

TRIES_AFTER: Final = (0, 5, 30, 2 * 60, 10 * 60, 30 * 60, 2 * 3600, 6 * 3600)
"""Seconds from the event to each attempt, on the account's clock. Source: our choice.

From the event instead of from the attempt before, so that a test that moves the clock knows when
each attempt is due, however long the receiver took for those before it.
"""

USER_AGENT: Final = "msgine-sandbox-webhook"
"""The product name that every webhook carries as its user agent, before its version."""


class WebhookSender:
    """Sends one event at a time, and records every attempt."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        due_queue: DueQueue,
        bus: Bus,
        journal: Journal,
        ids: Ids,
        real: RealTime,
        targets: Targets,
        authorities: Authorities,
        form: AnswerForm,
        deadline: float,
        *,
        most_in_flight: int,
        in_container: bool,
        keep_alive: bool,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._due_queue = due_queue
        self._bus = bus
        self._journal = journal
        self._ids = ids
        self._real = real
        self._targets = targets
        self._authorities = authorities
        self._form = form
        self._deadline = deadline
        self._most_in_flight = most_in_flight
        self._turns = Turns(most_in_flight)
        self._endings = Endings()
        self._in_container = in_container
        self._keep_alive = keep_alive
        self._client: WebhookClient | None = None
        self._unrecorded: dict[int, tuple[Attempt, AttemptResult]] = {}
        """By step, attempts that could not be stored, because the disk failed."""
        self.outcomes = Counter(dict.fromkeys(AttemptOutcome, 0))
        """How many attempts there were since the start, by outcome."""
        bus.listen(InboxEmptied, self._forget)
        bus.listen(MessagesDeleted, self._forget)

    def room(self, account: int) -> int:
        """Return how many more webhooks of an account should begin now; see `Turns.room`."""
        return self._turns.room(account)

    async def send(self, step: Step) -> None:
        """Send an event that is due, and plan what follows from the receiver's response."""
        async with self._turns.turn(step.account) as waited:
            if waited:  # until then no other of its account began
                self._due_queue.wake_at(step.account, self._real.now())
            await self._send(step)

    async def _send(self, step: Step) -> None:
        turns, endings = self._turns, self._endings  # of this event loop, if another takes over
        event = await self._store.webhooks.get(step.subject)
        message = await self._store.messages.get(step.message)
        if event is None or message is None:
            # Deleted since the step was read. Usually the step was deleted with them; one that was
            # not could never be performed.
            async with self._store.write():
                await self._store.steps.remove([step])
            return
        # One that could not be stored is not sent again, unless the process or its loop ends.
        sent = self._unrecorded.pop(step.id, None) or await self._attempt(event, message)
        try:
            if turns.in_flight > 1:
                await endings.wait()
            await self._record(step, event, message, *sent)
        except Exception:
            self._unrecorded[step.id] = sent
            raise

    async def _record(
        self,
        step: Step,
        event: WebhookEvent,
        message: Message,
        attempt: Attempt,
        result: AttemptResult,
    ) -> None:
        after, due = self._follow_up(event, attempt, result.retry_after)
        steps = [] if due is None else [self._step(event, due)]
        async with self._store.write():
            # The step is gone if the account was reset, or its messages were deleted, while the
            # receiver was awaited: then neither an attempt nor another step may be stored.
            if not await self._store.steps.remove([step]):
                return
            await self._store.webhooks.record(attempt, after)
            await self._store.steps.add(steps)
            self._store.after_commit(partial(self._due_queue.schedule, steps))
            self._store.after_commit(partial(self._announce, attempt, result, event, message))

    async def resend(self, attempt: Attempt) -> Attempt | None:
        """Send the event of an earlier attempt again, at once; None when its message is gone."""
        async with self._turns.turn(attempt.account):
            return await self._resend(attempt)

    async def _resend(self, attempt: Attempt) -> Attempt | None:
        event = await self._store.webhooks.get(attempt.webhook_event)
        message = await self._store.messages.get(attempt.message)
        if event is None or message is None:
            return None
        fresh, result = await self._attempt(event, message)
        async with self._store.write():
            # A planned attempt may have ended meanwhile: the event's state and tries are as that
            # attempt left them, because one that is sent by hand does not count.
            current = await self._store.webhooks.get(event.id)
            if current is None:
                return None
            await self._store.webhooks.record(fresh, current)
            self._store.after_commit(partial(self._announce, fresh, result, event, message))
        return fresh

    def _forget(self, event: InboxEmptied | MessagesDeleted) -> None:
        """Forget attempts of messages that are deleted: no step of theirs is ever sent again."""
        for step, (attempt, _) in list(self._unrecorded.items()):
            is_deleted = (
                attempt.message <= event.until
                if isinstance(event, InboxEmptied)
                else attempt.message in event.messages
            )
            if is_deleted and attempt.account == event.account:
                del self._unrecorded[step]

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def leave_loop(self) -> None:
        """Forget the client, whose connections belong to an event loop that has ended."""
        self._client = None
        self._turns = Turns(self._most_in_flight)
        self._endings = Endings()

    async def _attempt(
        self, event: WebhookEvent, message: Message
    ) -> tuple[Attempt, AttemptResult]:
        """Return an attempt, and what of its result is not stored."""
        at = self._accounts.now(event.account)  # before the receiver is awaited
        result = await self._result(event, message, payload(event, message, self._form))
        attempt = Attempt(
            id=self._ids.next(),
            account=event.account,
            webhook_event=event.id,
            message=event.message,
            event=event.event,
            url=event.url,
            # Counted after the response: a resend of the same event may have ended meanwhile.
            number=await self._store.webhooks.tries(event) + 1,
            at=at,
            status=result.status,
            duration_ms=result.duration_ms,
            error=result.error,
            request=result.request,
            response=result.response,
        )
        return attempt, result

    async def _result(self, event: WebhookEvent, message: Message, body: bytes) -> AttemptResult:
        if self._client is None:
            # Here, because httpx takes 4 MB, and more with its command, which most sandboxes never
            # need. On a thread, because requests would wait; without one, it is imported below.
            with suppress(RuntimeError):
                await asyncio.to_thread(import_module, "msgine_sandbox.services.webhooks.client")
        from msgine_sandbox.services.webhooks.client import AttemptResult, WebhookClient

        headers = self._headers(event, message, body)
        if event.mode is WebhookMode.LOSE:
            return AttemptResult(
                status=None,
                error="Lost on purpose, by a fault or by the recipient's magic number",
                duration_ms=0.0,
                request=AttemptHttp(headers=headers, body=body.decode()),
                response=None,
            )
        if self._client is None:
            self._client = WebhookClient(
                self._targets, self._authorities, self._deadline, keep_alive=self._keep_alive
            )
        return await self._client.post(event.account, event.url, headers, body)

    def _announce(
        self, attempt: Attempt, result: AttemptResult, event: WebhookEvent, message: Message
    ) -> None:
        warnings = list(
            webhook_warnings(
                attempt,
                event.mode,
                self._deadline,
                receiver_ms=result.receiver_ms,
                is_refused=result.is_refused,
                in_container=self._in_container,
            )
        )
        self.outcomes[attempt.outcome] += 1
        self._bus.announce(WebhookAttempted(attempt, event.mode, warnings))
        for warning in warnings:
            self._journal.warn(attempt.account, message.request_id, warning)

    def _headers(self, event: WebhookEvent, message: Message, body: bytes) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": f"{USER_AGENT}/{__version__}",
        }
        if message.traceparent is not None:
            headers["traceparent"] = message.traceparent
        secrets = self._secrets(event)
        if not secrets:
            return headers
        # Real time, because a receiver refuses a timestamp that is far from its own clock.
        timestamp = self._real.now() // SECOND
        keys = map(key_of, secrets)
        if event.mode is WebhookMode.WRONG_SIGNATURE:
            keys = map(wrong_key, keys)
        return headers | {
            "webhook-id": event.public_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                signature(key, event.public_id, timestamp, body) for key in keys
            ),
        }

    def _secrets(self, event: WebhookEvent) -> tuple[str, ...]:
        """Return the secrets of the endpoint with the event's URL, else of the first with any."""
        endpoints = [e for e in self._accounts.get(event.account).endpoints if e.secrets]
        same_url = (e.secrets for e in endpoints if e.url == event.url)
        return next(same_url, endpoints[0].secrets if endpoints else ())

    def _follow_up(
        self, event: WebhookEvent, attempt: Attempt, retry_after: str | None
    ) -> tuple[WebhookEvent, Instant | None]:
        """Return the event after an attempt, and when to try again, if at all."""
        tried = replace(event, tries=event.tries + 1)
        if attempt.succeeded:
            if event.mode is WebhookMode.DUPLICATE and event.state is EventState.DUE:
                # At once, and as often as it takes until the receiver accepts it a second time.
                return replace(tried, state=EventState.SUCCEEDED_ONCE), attempt.at
            return replace(tried, state=EventState.DONE), None
        # 410: the endpoint does not exist any more (Standard Webhooks 1.0).
        if event.mode is WebhookMode.LOSE or attempt.status == HTTPStatus.GONE:
            return replace(tried, state=EventState.GIVEN_UP), None
        wait = requested_wait(retry_after, self._real.now())
        due = next_try(event.at, tried.tries, self._accounts.now(event.account), wait)
        return (replace(tried, state=EventState.GIVEN_UP) if due is None else tried), due

    def _step(self, event: WebhookEvent, due: Instant) -> Step:
        return Step(self._ids.next(), event.account, Lane.WEBHOOK, due, event.message, event.id)


class Payload(msgspec.Struct, rename="camel"):
    """The body of a webhook; `to` is one recipient. Source of each field: documented elsewhere."""

    id: str
    event: str
    status: str
    to: str
    from_: str = msgspec.field(name="from")
    timestamp: str
    message_id: str
    sid: str | None


def payload(event: WebhookEvent, message: Message, form: AnswerForm) -> bytes:
    """Return the body that every attempt of an event carries."""
    message_id, sid = form.ids(message.id)
    return msgspec.json.encode(
        Payload(
            id=message_id,
            event=event.event,
            status=event.event.removeprefix("message."),
            to=message.recipients[event.position],
            from_=message.sender,
            timestamp=iso_seconds(event.at),
            message_id=message_id,
            sid=sid,
        )
    )


def next_try(event_at: Instant, tries: int, now: Instant, wait: int = 0) -> Instant | None:
    """Return when to try again after so many tries, or None to give up.

    `wait` is what the receiver asked for, in microseconds from now; it can only postpone a try.
    A try that is overdue, because of such a wait or because no process ran, is due now.
    """
    if tries >= len(TRIES_AFTER):
        return None
    return max(event_at + TRIES_AFTER[tries] * SECOND, now + wait)


def requested_wait(retry_after: str | None, real_now: Instant) -> int:
    """Return the wait that a `Retry-After` header asks for: microseconds, at most a day.

    It is in seconds, or an HTTP date, which is real time.
    """
    if retry_after is None:
        return 0
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # Nine digits are more than a day, and `int` refuses to read thousands of them.
        return min(int(text[:9]) * SECOND, DAY)
    moment = _http_date(text)
    return 0 if moment is None else min(max(from_datetime(moment) - real_now, 0), DAY)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year can be too large
        return None
    # An HTTP date is in GMT; a time of unknown offset cannot be compared with ours.
    return moment if moment.tzinfo is not None else None
