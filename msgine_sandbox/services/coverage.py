"""Coverage: which documented behaviours an account's client has met so far."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import parse_qs

from msgine_sandbox.model.behaviour import (
    ALL,
    OF_DEVELOPERS,
    Behaviour,
    DeveloperBehaviour,
    refusal,
    webhook,
)
from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.characters import is_whole
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.errors import RateLimitExceeded
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.message import Message
from msgine_sandbox.services.bus import Bus, MessageAccepted, RequestAnswered, WebhookAttempted

_KNOWN: Final = frozenset(ALL)
_DEVELOPERS: Final = "/developers/"
_CALLS: Final[dict[tuple[str, str], Sequence[str]]] = {
    **{("POST", str(channel)): (traits.accepted,) for channel, traits in TRAITS.items()},
    ("POST", "device"): (DeveloperBehaviour.REGISTERED,),
    ("DELETE", "device"): (DeveloperBehaviour.REMOVED,),
    ("GET", "overview"): (DeveloperBehaviour.OVERVIEW,),
    ("GET", "daily"): (DeveloperBehaviour.DAILY,),
}
"""The behaviours of a successful call, by its method and the last segment of its path."""
# Every request needs one of these, and Python 3.11 is slow to find the members of an enum.
_PUSH: Final = Channel.PUSH
_READ: Final = (Behaviour.READ,)
_LISTS: Final = {"messages", "history"}
_UNCOUNTED: Final = "account"
"""The last segment of a call whose answer nobody knows, so that a client can do nothing with it."""


class Coverage:
    """Listens to the bus, and remembers in memory which documented behaviours it announced."""

    def __init__(self, bus: Bus) -> None:
        self._met: defaultdict[int | None, set[str]] = defaultdict(set)
        self._developers: set[int | None] = set()
        bus.listen(RequestAnswered, self._answered)
        bus.listen(MessageAccepted, self._accepted)
        bus.listen(WebhookAttempted, self._attempted)

    def met(self, account: int | None) -> frozenset[str]:
        """Return the behaviours that an account has met, or for None those that any has."""
        if account is not None:
            return frozenset(self._met[account])
        return frozenset().union(*self._met.values())

    def applicable(self, account: int | None) -> Sequence[str]:
        """Return the behaviours that count for an account, or for None those that count for any.

        Those of the Developers API count from the first call to it.
        """
        calls = self._developers if account is None else self._developers & {account}
        return (*ALL, *OF_DEVELOPERS) if calls else ALL

    def forget(self, account: int | None) -> None:
        """Forget what an account has met, or for None what all have."""
        if account is None:
            self._met.clear()
            self._developers.clear()
        else:
            self._developers.discard(account)
            self._met.pop(account, None)

    def _answered(self, event: RequestAnswered) -> None:
        entry = event.entry
        met = self._met[entry.account]
        if _DEVELOPERS in entry.path:
            self._developers.add(entry.account)
        if entry.status is None:
            return
        if entry.code is not None:
            met |= {refusal(entry.status, entry.code)} & _KNOWN
        elif entry.status < 400:
            met.update((Behaviour.REPLAYED,) if entry.replayed else _behaviours_of(entry, met))
            repeats = entry.repeats
            if repeats is not None and repeats.status == RateLimitExceeded.status:
                # Where the client has waited for Retry-After, and did not succeed by chance.
                met |= set() if repeats.is_early else {Behaviour.RETRIED}

    def _accepted(self, event: MessageAccepted) -> None:
        message = event.message
        met = self._met[message.account]
        if len(message.recipients) > 1:
            met.add(Behaviour.SEVERAL_RECIPIENTS)
        if message.callback_url is not None:
            met.add(Behaviour.CALLBACK_URL)
        if message.scheduled_at is not None:
            met.add(DeveloperBehaviour.SCHEDULED)
        if message.channel is _PUSH and _is_partial(message):
            met.add(DeveloperBehaviour.PARTIAL)

    def _attempted(self, event: WebhookAttempted) -> None:
        if event.attempt.succeeded:
            self._met[event.attempt.account].add(webhook(event.attempt.event))


def _is_partial(message: Message) -> bool:
    """Return whether a push was sent to some recipients only."""
    statuses = message.timelines.statuses_at(message.seen_at)
    return set(statuses) == {Status.SENT, Status.FAILED}


def _behaviours_of(entry: JournalEntry, met: Collection[str]) -> Sequence[str]:
    """Return the behaviours, besides those that were met, that a successful call stands for."""
    last = entry.path.rpartition("/")[2]
    behaviours = _CALLS.get((entry.method, last))
    if behaviours is not None:
        return behaviours
    if last == _UNCOUNTED:
        return ()
    if last in _LISTS:
        # The query of a list is parsed until a later page has been asked for.
        is_later = Behaviour.LATER_PAGE not in met and _is_later_page(entry.query)
        return (Behaviour.LISTED, Behaviour.LATER_PAGE) if is_later else (Behaviour.LISTED,)
    return _READ


def _is_later_page(query: str) -> bool:
    page = parse_qs(query).get("page", ["1"])[-1]
    # A fault may have answered with success what the handler would have refused.
    return is_whole(page) and int(page) > 1
