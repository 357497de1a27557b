"""What the sandbox has acknowledged, what it owes for that, and what came."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from receivers import Webhook

SENT_AFTER, DELIVERED_AFTER = 0.5, 2.0
_SHOWN = 5
_EMPTIED = 50
"""More messages than an account has that is emptied now and then."""
_SETTLED = 120
"""Seconds of waiting for what is owed; only what never comes takes so long."""
_ON_TIME = 1.0
"""Seconds after which something that is due counts as overdue in the figures."""


@dataclass(frozen=True)
class Plan:
    """What happens to a recipient: statuses with their seconds from acceptance, and webhooks."""

    statuses: Sequence[tuple[str, float]] = (("sent", SENT_AFTER), ("delivered", DELIVERED_AFTER))
    times: int = 1
    """How often each webhook comes, to a receiver that accepts it."""


DELIVERED = Plan()
PUSH = Plan((("sent", 0.0), ("delivered", DELIVERED_AFTER)))
NUMBERS: Mapping[str, Plan] = {
    "+256700000001": Plan((("sent", SENT_AFTER), ("failed", DELIVERED_AFTER))),
    "+256700000002": Plan((("failed", SENT_AFTER),)),
    "+256700000003": Plan(()),
    "+256700000004": Plan((("sent", SENT_AFTER),)),
    "+256700000006": Plan(times=2),
    "+256700000007": Plan(),
    "+256700000008": Plan(),
    "+256700000009": Plan(times=0),
}
"""The plans of magic numbers."""


def final_status(plan: Plan) -> str:
    """Return the status in which a recipient ends."""
    return plan.statuses[-1][0] if plan.statuses else "pending"


@dataclass
class Owed:
    """What is owed for an acknowledged message."""

    recipients: Mapping[str, Plan]
    has_webhooks: bool
    """Whether a receiver that accepts them gets its webhooks."""
    scheduled: bool = False

    def changes(self, by: float = DELIVERED_AFTER) -> int:
        """Return how many statuses there are until some seconds after acceptance."""
        plans = self.recipients.values()
        return sum(after <= by for plan in plans for _, after in plan.statuses) + (
            len(self.recipients) if self.scheduled else 0
        )

    def webhooks(self, message: str, by: float = DELIVERED_AFTER) -> Iterator[tuple[Webhook, int]]:
        """Yield each webhook that comes until some seconds after acceptance, and how often."""
        if not self.has_webhooks:
            return
        for to, plan in self.recipients.items():
            for status, after in plan.statuses:
                if plan.times and after <= by:
                    yield (message, f"message.{status}", to), plan.times


@dataclass
class Ledger:
    """All acknowledged messages, and what followers and receivers have seen of them."""

    accepted: Counter[Webhook]
    """Of the receivers."""
    owed: dict[str, Owed] = field(default_factory=dict)
    starts: dict[str, datetime] = field(default_factory=dict)
    """From when a message's times are counted, on its account's clock."""
    statuses: defaultdict[str, list[tuple[str, str, datetime]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    gaps: int = 0
    """How often events were missed, so that the rest can tell nothing."""
    _due: list[tuple[float, float, str]] = field(default_factory=list)

    def acknowledged(self, message: str, owed: Owed, now: float | None) -> None:
        """Note a message; `now` is None where its account's time is not real time."""
        self.owed[message] = owed
        if now is not None:
            for after in (SENT_AFTER, DELIVERED_AFTER):
                self._due.append((now + after, after, message))

    def see(self, event: str, content: Mapping[str, Any]) -> None:
        """Note an event of the sandbox."""
        if event == "message":
            timeline = content["timeline"][0]["at"]
            self.starts[content["id"]] = _time(content["scheduledAt"] or timeline)
        elif event == "status":
            change = (content["to"], content["status"], _time(content["at"]))
            self.statuses[content["messageId"]].append(change)
        elif event == "gap":
            self.gaps += 1

    def backlog(self, now: float) -> int:
        """Return for how many messages a status or a webhook is a second late."""
        self._due = [
            each
            for each in self._due
            if each[0] + _ON_TIME > now or not self._is_done(each[2], each[1])
        ]
        return sum(due + _ON_TIME <= now for due, _, _ in self._due)

    @property
    def is_settled(self) -> bool:
        """Whether everything that is owed has come."""
        return all(self._is_done(message, DELIVERED_AFTER) for message in self.owed)

    def _is_done(self, message: str, by: float) -> bool:
        owed = self.owed[message]
        return len(self.statuses[message]) >= owed.changes(by) and all(
            self.accepted[webhook] >= times for webhook, times in owed.webhooks(message, by)
        )

    def differences(self) -> Iterator[str]:
        """Yield a sentence for each kind of difference between what is owed and what came."""
        if self.gaps:
            yield f"The follower that checks the times missed events {self.gaps} times."
        yield from _sentence("not announced", set(self.owed) - set(self.starts))
        late = [message for message in self.owed if not self._has_right_times(message)]
        yield from _sentence(
            "with other statuses or times than owed", late, lambda m: self.statuses[m]
        )
        wrong: dict[Webhook, str] = {}
        for message, owed in self.owed.items():
            for webhook, times in owed.webhooks(message):
                found = self.accepted[webhook]
                if found != times:
                    wrong[webhook] = f"{found} instead of {times}"
        yield from _sentence("with other webhooks than owed", wrong, wrong.__getitem__)
        owing = {webhook for m, owed in self.owed.items() for webhook, _ in owed.webhooks(m)}
        extra = [w for w in self.accepted if w[0] in self.owed and w not in owing]
        yield from _sentence("with webhooks that nobody owed", extra)

    def missing(self, present: Collection[str], total: int, keep: int) -> Iterator[str]:
        """Yield a sentence if messages are missing that the bound on their number explains not.

        `present` are those of all accounts in this ledger, of `total` in all, and `keep` are kept.
        The oldest go first, and ids grow with time. One that still had something to do when its
        turn came was passed over, so that the order cannot be told exactly afterwards.
        """
        missing = set(self.owed) - set(present)
        newest = sorted(self.owed)[-keep // 2 :]
        yield from _sentence("lost, though they are among the newest", missing & set(newest))
        if missing and total < keep - _EMPTIED:
            yield f"{len(missing)} messages are lost, while {total} of {keep} are kept."

    def _has_right_times(self, message: str) -> bool:
        start = self.starts.get(message)
        if start is None:
            return True  # which is another sentence
        owed = self.owed[message]
        expected = Counter(
            (to, status, start + timedelta(seconds=after))
            for to, plan in owed.recipients.items()
            for status, after in ((("pending", 0.0),) if owed.scheduled else ())
            + tuple(plan.statuses)
        )
        return Counter(self.statuses[message]) == expected


async def settled(ledger: Ledger) -> bool:
    """Wait until nothing is owed any more; return False if that does not happen."""
    until = time.monotonic() + _SETTLED
    while not ledger.is_settled:
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.5)
    return True


def _sentence(what: str, found: Iterable[Any], more: Any = None) -> Iterator[str]:
    listed = sorted(found)
    if listed:
        shown = ", ".join(
            str(each) if more is None else f"{each}: {more(each)}" for each in listed[:_SHOWN]
        )
        yield f"{len(listed)} messages {what}: {shown}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
