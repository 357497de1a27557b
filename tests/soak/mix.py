"""The mixed load: what clients of a sandbox do, each with the answers that are right for it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any

from client import Answer, Client, request
from ledger import DELIVERED, NUMBERS, PUSH, Ledger, Owed, Plan
from receivers import Receivers

ENDPOINT = "test_unlimited_soak_endpoint"
"""Its webhooks go to an endpoint that accepts them, and those of `CALLBACK` by callbackUrl."""
CALLBACK = "test_unlimited_soak_callback"
QUIET = "test_unlimited_soak_quiet"
"""It gets no webhooks, as all others below."""
TRAVEL = "test_unlimited_soak_travel"
"""Its clock is moved."""
FAILING = "test_unlimited_soak_failing"
"""Its webhooks go to receivers that fail in every way."""
FAULTS = "test_unlimited_soak_faults"
EMPTIED = "test_unlimited_soak_emptied"
LIMITED = "test_free_soak"
ACCOUNTS = (ENDPOINT, CALLBACK, QUIET, TRAVEL, FAULTS, FAILING)
"""Those of which every message is in the ledger."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

SMS = "/api/v1/messages/sms"
EMAIL = "/api/v1/developers/email"
PUSHES = "/api/v1/developers/push"
CREATED = frozenset({201})
OK = frozenset({200})


@dataclass
class Counts:
    """What a second of load has come to."""

    requests: int = 0
    unasked: int = 0
    """Answers of 500 and above that nothing asked for."""
    waits: list[float] = field(default_factory=list)
    """Seconds of each plain send, from when it was due."""


class Mix:
    """Starts requests at random, from a seed. The probability of each kind is its weight."""

    def __init__(self, client: Client, ledger: Ledger, receivers: Receivers, seed: int) -> None:
        self._client = client
        self._ledger = ledger
        self._receivers = receivers
        self._random = Random(seed)
        self._number = 0
        self._ids: deque[tuple[str, str]] = deque(maxlen=1000)
        """The latest messages, each with the token of its account."""
        self._replayed: deque[tuple[str, Any, str]] = deque(maxlen=100)
        """Keys with their body and message."""
        self._failing = cycle(
            [
                *map(receivers.url, receivers.failing),
                "http://no-such-name.invalid/hooks",
                "http://name.hangs.test/hooks",
            ]
        )
        self.counts = Counts()
        self.wrong: Counter[str] = Counter()
        """Answers that were not right, with what asked for them."""
        self.kinds: list[tuple[Callable[[float], Awaitable[None]], float]] = [
            (self._send, 40),
            (self._send_with_webhooks, 18),
            (self._send_with_key, 6),
            (self._send_again, 4),
            (self._send_email, 5),
            (self._send_push, 4),
            (self._send_to_magic_number, 3),
            (self._send_scheduled, 1),
            (self._send_to_many, 0.2),
            (self._send_to_failing_receiver, 0.7),
            (self._send_beyond_the_limit, 1),
            (self._refused, 2),
            (self._read, 6),
            (self._search, 3),
            (self._control, 3),
            (self._wait, 1),
            (self._hang_up, 1.3),
            (self._move_clock, 0.5),
            (self._fault, 0.6),
            (self._empty, 0.3),
        ]

    async def prepare(self) -> None:
        """Set the accounts up."""
        endpoint = {"url": self._receivers.url("good"), "secret": SECRET}
        await self._call(OK, "PUT", "/_sandbox/webhooks", {"endpoints": [endpoint]}, token=ENDPOINT)

    async def start(self, due: float) -> None:
        """Make the next request, which was due at a monotonic time."""
        kinds, weights = zip(*self.kinds, strict=True)
        await self._random.choices(kinds, weights)[0](due)

    async def _call(
        self,
        right: Collection[int],
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Collection[str] = (),
    ) -> Answer:
        answer = await self._client.call(method, path, body, token=token, headers=headers)
        self.counts.requests += 1
        if answer.status not in right:
            self.counts.unasked += answer.status >= 500
            self.wrong[
                f"{method} {path.split('?')[0]}: {answer.status} {bytes(answer.body[:300])!r}"
            ] += 1
        return answer

    async def _sent(
        self,
        token: str,
        path: str,
        body: Mapping[str, Any],
        recipients: Mapping[str, Plan],
        *,
        has_webhooks: bool = False,
        headers: Collection[str] = (),
        right: Collection[int] = CREATED,
    ) -> str | None:
        """Send, and note what is owed for it; return the id of the message."""
        answer = await self._call(right, "POST", path, body, token=token, headers=headers)
        if answer.status != 201:
            return None
        message: str = answer.content["id"]
        scheduled = "scheduledFor" in body
        owed = Owed(recipients, has_webhooks, scheduled)
        in_real_time = token != TRAVEL and not scheduled
        self._ledger.acknowledged(message, owed, time.monotonic() if in_real_time else None)
        self._ids.append((message, token))
        return message

    def _to(self) -> str:
        return f"+256701{self._random.randrange(1_000_000):06d}"

    def _text(self) -> str:
        self._number += 1
        words = "Your order is on its way, and will be with you before the evening. "
        return f"Code {self._number:06d}. " + words * self._random.randrange(1, 4)

    async def _send(self, due: float) -> None:
        to = self._to()
        await self._sent(QUIET, SMS, {"to": to, "message": self._text()}, {to: DELIVERED})
        self.counts.waits.append(time.monotonic() - due)

    async def _send_with_webhooks(self, due: float) -> None:
        token = self._random.choice((ENDPOINT, CALLBACK))
        to = self._to()
        body = {"to": to, "message": self._text()}
        if token == CALLBACK:
            name = "slow" if self._random.random() < 0.1 else "good"
            body["callbackUrl"] = self._receivers.url(name)
        await self._sent(token, SMS, body, {to: DELIVERED}, has_webhooks=True)

    async def _send_with_key(self, due: float) -> None:
        to = self._to()
        body = {"to": to, "message": self._text()}
        key = f"Idempotency-Key: {self._random.randbytes(12).hex()}"
        message = await self._sent(QUIET, SMS, body, {to: DELIVERED}, headers=[key])
        if message is not None:
            self._replayed.append((key, body, message))

    async def _send_again(self, due: float) -> None:
        if not self._replayed:
            return
        key, body, message = self._random.choice(self._replayed)
        answer = await self._call(CREATED, "POST", SMS, body, token=QUIET, headers=[key])
        if answer.status == 201 and answer.content["id"] != message:
            self.wrong["a retried key was answered with another message"] += 1

    async def _send_email(self, due: float) -> None:
        number = self._random.randrange(10_000)
        to = [f"jane{number}@example.com", f"joe{number}@example.com"]
        html = "<p>It is on its way.</p>" * self._random.randrange(1, 40)
        body = {"from": "shop@example.com", "to": to, "subject": "Your order", "html": html}
        await self._sent(QUIET, EMAIL, body, dict.fromkeys(to, DELIVERED))

    async def _send_push(self, due: float) -> None:
        to = f"token-{self._random.randrange(10_000)}"
        body = {"title": "Your order", "body": self._text(), "tokens": [to]}
        await self._sent(ENDPOINT, PUSHES, body, {to: PUSH}, has_webhooks=True)

    async def _send_to_magic_number(self, due: float) -> None:
        to, plan = self._random.choice(list(NUMBERS.items()))
        body = {"to": to, "message": self._text()}
        await self._sent(ENDPOINT, SMS, body, {to: plan}, has_webhooks=True)

    async def _send_scheduled(self, due: float) -> None:
        to = self._to()
        later = timedelta(seconds=self._random.randrange(3, 8))
        at = datetime.now(UTC).replace(microsecond=0) + later  # which is shown in whole seconds
        body = {"to": to, "message": self._text(), "scheduledFor": at.isoformat()}
        path = "/api/v1/developers/sms"
        right = {201, 400}  # on a busy machine that time has come when the request is read
        await self._sent(ENDPOINT, path, body, {to: DELIVERED}, has_webhooks=True, right=right)

    async def _send_to_many(self, due: float) -> None:
        first = self._random.randrange(900_000)
        to = [f"+256701{first + each:06d}" for each in range(100)]
        await self._sent(
            QUIET, SMS, {"to": to, "message": self._text()}, dict.fromkeys(to, DELIVERED)
        )

    async def _send_to_failing_receiver(self, due: float) -> None:
        to = self._to()
        body = {"to": to, "message": self._text(), "callbackUrl": next(self._failing)}
        await self._sent(FAILING, SMS, body, {to: DELIVERED})

    async def _send_beyond_the_limit(self, due: float) -> None:
        await self._call({201, 429}, "POST", SMS, {"to": self._to(), "message": "x"}, token=LIMITED)

    async def _refused(self, due: float) -> None:
        status, body, token = self._random.choice(
            [
                (400, {"to": "+2567", "message": "x"}, QUIET),
                (400, {"to": self._to()}, QUIET),
                (401, {"to": self._to(), "message": "x"}, None),
                (401, {"to": self._to(), "message": "x"}, "test_revoked"),
                (403, {"to": self._to(), "message": "x"}, "test_readonly"),
                (503, {"to": "+256700005030", "message": "x"}, QUIET),
                (429, {"to": "+256700004290", "message": "x"}, QUIET),
            ]
        )
        await self._call({status}, "POST", SMS, body, token=token)

    async def _read(self, due: float) -> None:
        message, token = self._random.choice(self._ids) if self._ids else ("msg_0", QUIET)
        page = self._random.randrange(1, 20)
        right, path = self._random.choice(
            [
                ({200, 404}, f"/api/v1/messages/{message}"),
                ({200, 404}, f"/api/v1/developers/{message}"),
                (OK, f"/api/v1/messages?page={page}&limit=100"),
                (OK, f"/api/v1/messages?page={page * 20}&limit=100&status=delivered"),
                (OK, f"/api/v1/developers/email/history?page={page}"),
                (OK, "/api/v1/developers/analytics/overview"),
                (OK, "/api/v1/developers/analytics/daily?days=7"),
            ]
        )
        await self._call(right, "GET", path, token=token)

    async def _search(self, due: float) -> None:
        number = self._random.randrange(max(self._number, 1))
        right, query = self._random.choice(
            [
                (OK, f"q={number:06d}"),
                (OK, f"contains=Code+{number:06d}"),
                # 400 where the processor time of a call is used up.
                ({200, 400}, f"matches=Code+0*{number}%5C.&limit=1"),
                ({200, 400}, "matches=(a%2B)%2B%24&limit=1"),
                (OK, "status=sent&limit=50"),
                (OK, "channel=email&limit=20"),
            ]
        )
        token = self._random.choice((*ACCOUNTS, None))
        await self._call(right, "GET", f"/_sandbox/messages?{query}", token=token)

    async def _control(self, due: float) -> None:
        path = self._random.choice(
            [
                "/_sandbox/health",
                "/_sandbox/accounts",
                "/_sandbox/requests?limit=50",
                "/_sandbox/requests?status=4xx&limit=20",
                "/_sandbox/webhooks/attempts?limit=20",
                "/_sandbox/coverage",
            ]
        )
        await self._call(OK, "GET", path, token=self._random.choice(ACCOUNTS))

    async def _wait(self, due: float) -> None:
        text = f"waited for {self._random.randbytes(8).hex()}"
        path = "/_sandbox/messages/wait?status=delivered&contains=" + text.replace(" ", "+")
        waiting = asyncio.create_task(
            self._call({200}, "GET", f"{path}&timeout=30", token=CALLBACK)
        )
        to = self._to()
        await self._sent(CALLBACK, SMS, {"to": to, "message": text}, {to: DELIVERED})
        await self._call({408}, "GET", f"{path}+never&timeout=1", token=CALLBACK)
        await waiting

    async def _hang_up(self, due: float) -> None:
        path = self._random.choice(
            ["/_sandbox/messages/wait?contains=never&timeout=60", "/_sandbox/events"]
        )
        await self._client.abandon(request("GET", path, token=QUIET), self._random.random())

    async def _move_clock(self, due: float) -> None:
        to = self._to()
        await self._call(OK, "POST", "/_sandbox/clock/freeze", token=TRAVEL)
        await self._sent(TRAVEL, SMS, {"to": to, "message": self._text()}, {to: DELIVERED})
        seconds = self._random.choice((1, 2, 60, 3600))
        await self._call(OK, "POST", "/_sandbox/clock/advance", {"seconds": seconds}, token=TRAVEL)
        await self._call(OK, "POST", "/_sandbox/clock/resume", token=TRAVEL)

    async def _fault(self, due: float) -> None:
        to = self._to()
        effect = self._random.choice(
            [{"status": 503}, {"delay": 0.2}, {"status": 500, "commit": True}]
        )
        fault = {"match": {"to": to}, "effect": effect, "times": 1}
        answer = await self._call(CREATED, "POST", "/_sandbox/faults", fault, token=FAULTS)
        body = {"to": to, "message": self._text()}
        right = {effect.get("status", 201)}
        await self._sent(FAULTS, SMS, body, {to: DELIVERED}, right=right)
        await self._sent(FAULTS, SMS, body, {to: DELIVERED})
        if answer.status == 201:
            path = f"/_sandbox/faults/{answer.content['id']}"
            await self._call(OK, "DELETE", path, token=FAULTS)

    async def _empty(self, due: float) -> None:
        for _ in range(5):
            body = {"to": self._to(), "message": self._text()}
            await self._call(CREATED, "POST", SMS, body, token=EMPTIED)
        if self._random.random() < 0.5:
            await self._call(OK, "DELETE", "/_sandbox/messages", token=EMPTIED)
        else:
            await self._call(OK, "POST", "/_sandbox/reset", token=EMPTIED)
