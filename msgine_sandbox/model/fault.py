"""A fault: what goes wrong on purpose, with which requests or webhooks, and how often."""

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from random import Random
from typing import Final

import msgspec

from msgine_sandbox.model.ids import written
from msgine_sandbox.model.webhook import Event, Telling

PREFIX: Final = "flt"
_OTHER_SIGNS: Final = re.compile(r"[\[?]")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is about, as far as a fault asks."""

    method: str
    path: str
    """Below the base URL."""
    recipients: Collection[str] = ()


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which requests, or which webhooks, a fault is for; None leaves a question out."""

    method: str | None = None
    path: str | None = None
    """`*` stands for any text."""
    to: str | None = None
    """A recipient, where `*` stands for any text."""
    event: Event | None = None

    def fits(self, asked: Asked) -> bool:
        """Tell whether a request is meant."""
        return (
            self.method in {None, asked.method}
            and (self.path is None or fnmatchcase(asked.path, self.path))
            and (self.to is None or any(map(self.reaches, asked.recipients)))
        )

    def tells(self, event: Event, recipient: str) -> bool:
        """Tell whether a webhook is meant."""
        return self.event in {None, event} and self.reaches(recipient)

    def reaches(self, recipient: str) -> bool:
        """Tell whether a recipient is meant."""
        if self.to is None or "*" not in self.to:
            return self.to in {None, recipient}
        # Only * is a sign: a device's token may have any other in it.
        return fnmatchcase(recipient, _OTHER_SIGNS.sub(r"[\g<0>]", self.to))


class RequestEffect(msgspec.Struct, frozen=True, kw_only=True, tag="request", omit_defaults=True):
    """What becomes of a request: first the delay, then the connection or the answer."""

    status: int | None = None
    code: str | None = None
    retry_after: int | None = None
    """Seconds."""
    delay: float = 0
    """Seconds of real time, as network timeouts are."""
    drop: bool = False
    malformed: bool = False
    commit: bool = False
    """The request is done first; only its answer suffers."""
    spares_replays: bool = False
    """Whoever comes again with an idempotency key is answered."""


class WebhookEffect(msgspec.Struct, frozen=True, kw_only=True, tag="webhook", omit_defaults=True):
    """What becomes of a webhook."""

    telling: Telling = msgspec.field(default=Telling.PLAIN, name="mode")
    delay: float = 0
    """Seconds on the account's clock."""


Effect = RequestEffect | WebhookEffect


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, and how often it has."""

    id: int
    account: int | None
    """Whose requests and webhooks it is for; None is everybody's."""
    match: Match
    effect: Effect
    times: int | None = None
    """How often it acts; None is until it is removed."""
    probability: float = 1.0
    seed: int = 0
    hits: int = 0
    seen: int = 0
    """How many requests or webhooks it was for, whether it acted or chance spared them."""
    magic: bool = False

    @property
    def public_id(self) -> str:
        """The identifier that the control API uses."""
        return written(PREFIX, self.id)

    @property
    def left(self) -> int | None:
        """How often it will still act; None is without end."""
        return None if self.times is None else self.times - self.hits

    def acts_next(self) -> bool:
        """Tell whether chance lets it act on the next one: the same every time, for a seed."""
        if self.probability >= 1:
            return True
        draw = Random(f"{self.seed}/{self.seen}").random()  # noqa: S311  (nothing secret)
        return draw < self.probability
