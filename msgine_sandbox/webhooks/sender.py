"""Giving notices: sign, send, record, and plan the next try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.journal import Journal
from msgine_sandbox.model.clock import SECOND, Instant, RealTime
from msgine_sandbox.model.events import WebhookTried
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import Attempt, Exchange, Notice, NoticeState, Telling
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline
from msgine_sandbox.version import __version__
from msgine_sandbox.webhooks.outcome import Outcome
from msgine_sandbox.webhooks.payload import payload
from msgine_sandbox.webhooks.policy import Targets
from msgine_sandbox.webhooks.remarks import remarks
from msgine_sandbox.webhooks.schedule import asked_to_wait, next_try
from msgine_sandbox.webhooks.signature import forged, key_of, signature

if TYPE_CHECKING:
    from msgine_sandbox.webhooks.client import Client

GONE = 410


class Sender:
    """Gives one notice at a time, and remembers every try."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        timeline: Timeline,
        bus: Bus,
        journal: Journal,
        ids: Ids,
        real: RealTime,
        targets: Targets,
        deadline: float,
        *,
        contained: bool,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._bus = bus
        self._journal = journal
        self._ids = ids
        self._real = real
        self._targets = targets
        self._deadline = deadline
        self._contained = contained
        self._client: Client | None = None

    async def perform(self, step: Step) -> None:
        """Try a notice when it is due, and plan what follows from the answer."""
        notice = await self._store.webhooks.get(step.subject)
        message = await self._store.messages.get(step.message)
        if notice is None or message is None:
            async with self._store.unit:
                await self._store.steps.remove([step])
            return
        attempt, outcome = await self._try(notice, message)
        after, due = self._follow_up(notice, attempt, outcome)
        again = self._again(after, due)
        async with self._store.unit:
            # Gone when the account was reset meanwhile: then nothing of it is to come back.
            if not await self._store.steps.remove([step]):
                return
            await self._store.webhooks.record(attempt, after)
            await self._store.steps.add(again)
            self._timeline.planned(again)
        self._announce(attempt, notice, message)

    async def resend(self, attempt: Attempt) -> Attempt | None:
        """Send what an earlier try sent once more, at once; None when its message is gone."""
        notice = await self._store.webhooks.get(attempt.notice)
        message = await self._store.messages.get(attempt.message)
        if notice is None or message is None:
            return None
        fresh, _ = await self._try(notice, message)
        async with self._store.unit:
            current = await self._store.webhooks.get(notice.id)
            if current is None:
                return None
            await self._store.webhooks.record(fresh, current)
        self._announce(fresh, notice, message)
        return fresh

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.close()

    async def _try(self, notice: Notice, message: Message) -> tuple[Attempt, Outcome]:
        at = self._accounts.now(notice.account)
        body = payload(notice, message)
        headers = self._headers(notice, body)
        if notice.telling is Telling.LOST:
            outcome = _lost(headers, body)
        else:
            outcome = await self._connected().post(notice.url, headers, body)
        attempt = Attempt(
            id=self._ids.next(),
            account=notice.account,
            notice=notice.id,
            message=notice.message,
            event=notice.event,
            url=notice.url,
            number=await self._store.webhooks.tries(notice) + 1,
            at=at,
            status=outcome.status,
            duration_ms=outcome.duration_ms,
            error=outcome.error,
            request=outcome.request,
            response=outcome.response,
        )
        return attempt, outcome

    def _announce(self, attempt: Attempt, notice: Notice, message: Message) -> None:
        self._bus.announce(WebhookTried(attempt))
        found = remarks(attempt, notice.telling, self._deadline, contained=self._contained)
        for warning in found:
            self._journal.warn(attempt.account, message.request_id, warning)

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": f"msgine-sandbox-webhook/{__version__}",
        }
        secret = self._secret(notice)
        if secret is None:
            return headers
        # Real time, because a receiver refuses a timestamp that is far from its own clock.
        timestamp = self._real.now() // SECOND
        key = key_of(secret)
        if notice.telling is Telling.FORGED:
            key = forged(key)
        return headers | {
            "webhook-id": notice.public_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(key, notice.public_id, timestamp, body),
        }

    def _secret(self, notice: Notice) -> str | None:
        """Give the secret of the endpoint with that URL, else the account's first one."""
        endpoints = [e for e in self._accounts.get(notice.account).endpoints if e.secret]
        same = (e.secret for e in endpoints if e.url == notice.url)
        return next(same, endpoints[0].secret if endpoints else None)

    def _connected(self) -> Client:
        if self._client is None:
            # Here, to keep httpx off the path to the first answer.
            from msgine_sandbox.webhooks.client import Client

            self._client = Client(self._targets, self._deadline)
        return self._client

    def _follow_up(
        self, notice: Notice, attempt: Attempt, outcome: Outcome
    ) -> tuple[Notice, Instant | None]:
        """Give the notice after a try, and when to try again, if at all."""
        tried = replace(notice, tries=notice.tries + 1)
        if attempt.heard:
            if notice.telling is Telling.TWICE and notice.state is NoticeState.DUE:
                return replace(tried, state=NoticeState.HEARD_ONCE), attempt.at
            return replace(tried, state=NoticeState.DONE), None
        if notice.telling is Telling.LOST or attempt.status == GONE:
            return replace(tried, state=NoticeState.GIVEN_UP), None
        wait = asked_to_wait(outcome.retry_after, self._real.now())
        due = next_try(notice.at, tried.tries, self._accounts.now(notice.account), wait)
        return (replace(tried, state=NoticeState.GIVEN_UP) if due is None else tried), due

    def _again(self, notice: Notice, due: Instant | None) -> list[Step]:
        if due is None:
            return []
        return [
            Step(self._ids.next(), notice.account, Lane.WEBHOOK, due, notice.message, notice.id)
        ]


def _lost(headers: dict[str, str], body: bytes) -> Outcome:
    return Outcome(
        status=None,
        error="Lost on purpose, by a fault or by the recipient's magic number",
        duration_ms=0.0,
        request=Exchange(headers=headers, body=body.decode()),
        response=None,
    )
