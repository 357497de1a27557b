"""Faults of an account: what happens on purpose to requests, deliveries and webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Literal, TypedDict, Unpack

from msgine_sandbox.testing.client import AccountClient, without_none
from msgine_sandbox.testing.errors import SandboxError

_NOT_FOUND: Final = 404


class RequestFilter(TypedDict, total=False):
    """Which requests a fault applies to, and how often.

    All given members must match; none of them means every request. `times` is how many requests it
    applies to, `probability` the chance of each matching one, drawn from `seed`.
    """

    method: str | None
    path: str | None
    to: str | None
    times: int | None
    probability: float | None
    seed: int | None


class DeliveryFilter(TypedDict, total=False):
    """Which deliveries a fault decides, and how many.

    All given members must match; none of them means every delivery to a recipient. `times` is how
    many deliveries it decides, `probability` the chance of each matching one, drawn from `seed` in
    the order of acceptance.
    """

    to: str | None
    channel: str | None
    times: int | None
    probability: float | None
    seed: int | None


class WebhookFilter(TypedDict, total=False):
    """Which webhooks a fault applies to, and how often.

    All given members must match; none of them means every webhook. `times` is how many webhooks it
    applies to, `probability` the chance of each matching one, drawn from `seed`.
    """

    event: str | None
    to: str | None
    times: int | None
    probability: float | None
    seed: int | None


_HOW_OFTEN: Final = ("times", "probability", "seed")


class Fault:
    """One fault; as a context manager it is removed at the end of the block."""

    def __init__(self, raw: Mapping[str, Any], client: AccountClient) -> None:
        self._client = client
        self._raw = raw
        self.id = str(raw["id"])

    @property
    def hits(self) -> int:
        """How many times the fault was applied."""
        return int(self._fetch()["hits"])

    @property
    def left(self) -> int | None:
        """How many times it will still apply; None means until it is removed."""
        left: int | None = self._fetch()["left"]
        return left

    @property
    def effect(self) -> Mapping[str, Any]:
        """What goes wrong, as the JSON of the control API."""
        effect: Mapping[str, Any] = self._raw["effect"]
        return effect

    @property
    def match(self) -> Mapping[str, Any]:
        """What it applies to, as the JSON of the control API."""
        match: Mapping[str, Any] = self._raw["match"]
        return match

    def remove(self) -> None:
        """Remove the fault; `hits` and `left` keep their last values."""
        self._fetch()
        with _ignore_not_found():
            self._client.delete(f"/faults/{self.id}")

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Fault {self.id} {dict(self.effect)} for {dict(self.match) or 'all'}>"

    def _fetch(self) -> Mapping[str, Any]:
        """Return the fault as it is now, or as it last was if it has been removed."""
        with _ignore_not_found():
            self._raw = self._client.get(f"/faults/{self.id}")
        return self._raw


class Faults:
    """The account's faults, the oldest first; the first one that matches is applied.

    Each method adds a fault that applies until it is removed, or `times` times.
    """

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def fail(
        self,
        status: int = 503,
        *,
        retry_after: int | None = None,
        commit: bool = False,
        envelope: bool = True,
        **which: Unpack[RequestFilter],
    ) -> Fault:
        """Answer requests with an error; with `commit` the message is accepted nevertheless.

        `retry_after` is in seconds. Without the `envelope` the body is `{"message": …}` alone.
        """
        effect = {
            "status": status,
            "retryAfter": retry_after,
            "commit": commit or None,
            "envelope": None if envelope else False,
        }
        return self._add(effect, **which)

    def delay(
        self, seconds: float, *, commit: bool = False, **which: Unpack[RequestFilter]
    ) -> Fault:
        """Answer requests late, in real time; with `commit` the message is accepted first."""
        return self._add({"delay": seconds, "commit": commit or None}, **which)

    def drop(
        self, when: Literal["before", "after"] = "before", **which: Unpack[RequestFilter]
    ) -> Fault:
        """Close the connection without a response, before or after the message is accepted."""
        return self._add({"drop": when}, **which)

    def malformed(self, *, commit: bool = False, **which: Unpack[RequestFilter]) -> Fault:
        """Answer a success with truncated JSON; with `commit` the message is accepted."""
        return self._add({"malformed": True, "commit": commit or None}, **which)

    def delivery(
        self,
        outcome: Literal["delivered", "failed", "refused", "sent", "pending"] = "failed",
        *,
        reason: str | None = None,
        after: timedelta | float | None = None,
        **which: Unpack[DeliveryFilter],
    ) -> Fault:
        """Let deliveries end in this way, whatever the recipient; the response is not affected.

        `failed` is after `sent`, `refused` from `pending`; `sent` and `pending` last. `reason` is
        why it fails. `after` is a duration or a number of seconds of the account's clock, from
        acceptance to the last status.
        """
        seconds = after.total_seconds() if isinstance(after, timedelta) else after
        return self._add({"delivery": outcome, "reason": reason, "after": seconds}, **which)

    def duplicate_webhooks(self, **which: Unpack[WebhookFilter]) -> Fault:
        """Send webhooks twice."""
        return self._add_for_webhooks("duplicate", **which)

    def reorder_webhooks(self, **which: Unpack[WebhookFilter]) -> Fault:
        """Send the `message.sent` webhook after those that should follow it."""
        return self._add_for_webhooks("reorder", **which)

    def lose_webhooks(self, **which: Unpack[WebhookFilter]) -> Fault:
        """Send no webhooks."""
        return self._add_for_webhooks("lose", **which)

    def forge_webhooks(self, **which: Unpack[WebhookFilter]) -> Fault:
        """Sign webhooks with a wrong key."""
        return self._add_for_webhooks("wrong-signature", **which)

    def delay_webhooks(self, by: timedelta | float, **which: Unpack[WebhookFilter]) -> Fault:
        """Send webhooks late, by a duration or a number of seconds of the account's clock."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return self._add_for_webhooks("delay", seconds, **which)

    def clear(self) -> int:
        """Remove all faults and return how many there were."""
        return self._client.delete("/faults")

    def __iter__(self) -> Iterator[Fault]:
        listed = self._client.get("/faults")["data"]
        return (Fault(raw, self._client) for raw in listed)

    def __len__(self) -> int:
        return int(self._client.get("/faults")["total"])

    def _add_for_webhooks(
        self, mode: str, delay: float | None = None, **which: Unpack[WebhookFilter]
    ) -> Fault:
        return self._add({"webhook": mode, "delay": delay}, **which)

    def _add(self, effect: Mapping[str, Any], **which: Any) -> Fault:
        how_often = {name: which.pop(name, None) for name in _HOW_OFTEN}
        body = {"effect": without_none(effect), "match": without_none(which), **how_often}
        return Fault(self._client.post("/faults", without_none(body)), self._client)


@contextmanager
def _ignore_not_found() -> Iterator[None]:
    """Ignore that the fault is gone already: removed elsewhere, or by a reset."""
    try:
        yield
    except SandboxError as error:
        if error.status != _NOT_FOUND:
            raise
