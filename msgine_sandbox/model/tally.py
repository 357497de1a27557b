"""Tallies: numbers of messages by status, and their cost, which can be added up."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import add

import msgspec
from msgspec.structs import astuple

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.delivery import Status, Timelines, stored_timelines

_NOT_SENT_YET = frozenset({Status.QUEUED, Status.PENDING})


class Tally(msgspec.Struct, frozen=True):
    """Recipients of SMS and emails, or whole pushes; the cost is in millionths.

    Of an SMS or an email each recipient counts: as sent once the carrier has it, and later also as
    delivered or failed. A push counts once, when it has been sent or has failed for every
    recipient: as sent, as failed, or as partial. Source: our choice, after the names.
    """

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    partial: int = 0
    cost: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Return the sum of both."""
        return Tally(*map(add, astuple(self), astuple(other)))

    def times(self, count: int) -> "Tally":
        """Return the tally multiplied by a whole number, which may be negative."""
        return Tally(*(each * count for each in astuple(self)))


NOTHING = Tally()


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of all."""
    summed = NOTHING
    for each in tallies:
        summed = summed.plus(each)
    return summed


def tally_of(channel: Channel, timelines: Timelines) -> Tally:
    """Return what a message counts as when its timelines have ended, without its cost."""
    form = timelines.form
    # By their text, because a text keeps its hash; that of the timelines is computed each time.
    tally = _tally(channel, form.text)
    if len(form.each) == timelines.recipients or channel is Channel.PUSH:
        return tally
    return tally.times(timelines.recipients)  # all have the same timeline


@lru_cache(1024)
def _tally(channel: Channel, text: str) -> Tally:
    each = stored_timelines(0, 1, 1, text).form.each
    if channel is Channel.PUSH:
        return _push_tally([timeline[-1].status for timeline in each])
    statuses = [one.status for timeline in each for one in timeline]
    return Tally(
        sent=statuses.count(Status.SENT),
        delivered=statuses.count(Status.DELIVERED),
        failed=statuses.count(Status.FAILED),
    )


def _push_tally(statuses: Sequence[Status]) -> Tally:
    if not _NOT_SENT_YET.isdisjoint(statuses):
        return NOTHING
    failed = statuses.count(Status.FAILED)
    if failed == len(statuses):
        return Tally(failed=1)
    return Tally(partial=1) if failed else Tally(sent=1)
