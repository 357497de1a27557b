"""What is to go wrong on purpose: with requests, and with webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal, TypedDict, Unpack

from msgine_sandbox.testing.client import AccountClient, without_none
from msgine_sandbox.testing.fault import Fault


class Which(TypedDict, total=False):
    """Which requests a fault is for, and how often it acts; what is left out does not matter."""

    method: str | None
    path: str | None
    to: str | None
    times: int | None
    probability: float | None
    seed: int | None


class WhichWebhooks(TypedDict, total=False):
    """Which webhooks a fault is for, and how often it acts; what is left out does not matter."""

    event: str | None
    to: str | None
    times: int | None
    probability: float | None
    seed: int | None


class Faults:
    """The account's faults, the oldest first: of those that fit, the first acts.

    Each method adds one that acts until it is removed, or `times` times.
    """

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def fail(
        self,
        status: int = 503,
        *,
        retry_after: int | None = None,
        commit: bool = False,
        **which: Unpack[Which],
    ) -> Fault:
        """Answer requests with an error; with `commit` the message is accepted all the same."""
        effect = {"status": status, "retryAfter": retry_after, "commit": commit or None}
        return self._add(effect, **which)

    def delay(self, seconds: float, *, commit: bool = False, **which: Unpack[Which]) -> Fault:
        """Answer late, in real time; with `commit` the message is accepted before."""
        return self._add({"delay": seconds, "commit": commit or None}, **which)

    def drop(self, when: Literal["before", "after"] = "before", **which: Unpack[Which]) -> Fault:
        """Close the connection without an answer, before or after the message is accepted."""
        return self._add({"drop": when}, **which)

    def malformed(self, *, commit: bool = False, **which: Unpack[Which]) -> Fault:
        """Answer with a success whose JSON breaks off; with `commit` the message is accepted."""
        return self._add({"malformed": True, "commit": commit or None}, **which)

    def duplicate_webhooks(self, **which: Unpack[WhichWebhooks]) -> Fault:
        """Send webhooks twice."""
        return self._add_webhook("duplicate", **which)

    def reorder_webhooks(self, **which: Unpack[WhichWebhooks]) -> Fault:
        """Send the webhook of `sent` after those that should follow it."""
        return self._add_webhook("reorder", **which)

    def lose_webhooks(self, **which: Unpack[WhichWebhooks]) -> Fault:
        """Send no webhooks."""
        return self._add_webhook("lose", **which)

    def forge_webhooks(self, **which: Unpack[WhichWebhooks]) -> Fault:
        """Sign webhooks with a wrong key."""
        return self._add_webhook("wrong-signature", **which)

    def delay_webhooks(self, by: timedelta | float, **which: Unpack[WhichWebhooks]) -> Fault:
        """Send webhooks late, by a duration or seconds of the account's clock."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return self._add_webhook("delay", seconds, **which)

    def clear(self) -> int:
        """Remove all; tell how many there were."""
        return self._client.delete("/faults")

    def __iter__(self) -> Iterator[Fault]:
        listed = self._client.get("/faults")["data"]
        return (Fault(raw, self._client) for raw in listed)

    def __len__(self) -> int:
        return int(self._client.get("/faults")["total"])

    def _add_webhook(
        self, twist: str, delay: float | None = None, **which: Unpack[WhichWebhooks]
    ) -> Fault:
        return self._add({"webhook": twist, "delay": delay}, **which)

    def _add(self, effect: dict[str, Any], **which: Any) -> Fault:
        times, probability, seed = (which.pop(name, None) for name in _HOW_OFTEN)
        body = {"effect": without_none(effect), "match": without_none(which), "times": times}
        body |= {"probability": probability, "seed": seed}
        return Fault(self._client.post("/faults", without_none(body)), self._client)


_HOW_OFTEN = ("times", "probability", "seed")
