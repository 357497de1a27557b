"""Plans: which statuses a delivery has when, by what is to happen to it."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.delivery import PlannedStatus, Status, Timeline
from msgine_sandbox.model.fault import DeliveryEffect, Fault
from msgine_sandbox.model.magic import Outcome
from msgine_sandbox.services.magic import ORDINARY, OUTCOMES, MagicOutcome

UNPLANNED: Final = (PlannedStatus(Status.PENDING, 0),)
_QUEUED: Final = PlannedStatus(Status.QUEUED, 0)


class Plans:
    """The timelines of deliveries, from acceptance or the scheduled time on.

    A fault that was added decides first, then the recipient if it is magic. Without `by_clock`,
    only such faults do: all other statuses are changed by control calls.
    """

    def __init__(self, sent_after: int, delivered_after: int, *, by_clock: bool = True) -> None:
        """Take the microseconds from acceptance to sending and to delivery."""
        self._sent_after = sent_after
        self._delivered_after = delivered_after
        self.by_clock = by_clock
        self.built_in = {channel: self._built_in(channel) for channel in Channel}
        """The timelines that no fault has decided, by the name of a magic recipient.

        None has that of all others. A table, and no method, because every send looks here.
        """

    def _built_in(self, channel: Channel) -> Mapping[str | None, Timeline]:
        outcomes = (ORDINARY, *OUTCOMES.values())
        return {each.rule: self._of_magic(channel, each) for each in outcomes}

    def _of_magic(self, channel: Channel, magic: MagicOutcome) -> Timeline:
        if not self.by_clock:
            return UNPLANNED
        effect, traits = magic.delivery, TRAITS[channel]
        if effect.outcome is Outcome.FAILED and traits.settled_at_acceptance:
            # A push service knows at once what a carrier learns after sending.
            effect = DeliveryEffect(outcome=Outcome.REFUSED, reason=traits.fails_after_sending)
        return self._timeline(channel, effect, magic.rule)

    def of_fault(self, channel: Channel, fault: Fault) -> Timeline:
        """Return the timeline of a delivery that a fault has decided."""
        assert isinstance(fault.effect, DeliveryEffect)  # noqa: S101  (`decide` returns no other)
        return self._timeline(channel, fault.effect, fault.public_id)

    def _timeline(self, channel: Channel, effect: DeliveryEffect, rule: str | None) -> Timeline:
        traits, outcome = TRAITS[channel], effect.outcome
        pending = PlannedStatus(Status.PENDING, 0, rule)
        after = None if effect.after is None else seconds(effect.after)
        last = self._delivered_after if after is None else after
        if traits.settled_at_acceptance:
            # A push service accepts or refuses at once; only a receipt may follow later.
            sent_at = refused_at = 0
        else:
            sent_at = min(self._sent_after, last)
            refused_at = self._sent_after if after is None else after
        match outcome:
            case Outcome.PENDING:
                return (pending,)
            case Outcome.SENT:
                return pending, PlannedStatus(Status.SENT, refused_at)
            case Outcome.REFUSED:
                reason = effect.reason or traits.fails_without_sending
                return pending, PlannedStatus(Status.FAILED, refused_at, reason)
            case Outcome.FAILED:
                ended = PlannedStatus(
                    Status.FAILED, last, effect.reason or traits.fails_after_sending
                )
            case Outcome.DELIVERED:
                ended = PlannedStatus(Status.DELIVERED, last)
        return pending, PlannedStatus(Status.SENT, sent_at), ended


def scheduled(timeline: Timeline, wait: int) -> Timeline:
    """Return a timeline that begins so many microseconds after acceptance; until then: queued."""
    return (_QUEUED, *[replace(each, after=each.after + wait) for each in timeline])
