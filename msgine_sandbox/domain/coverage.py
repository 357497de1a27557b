"""Coverage: which documented behaviours an account's client has met so far."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

from msgine_sandbox.bus import Bus
from msgine_sandbox.model.behaviour import (
    ALL,
    OF_DEVELOPERS,
    Deed,
    DeveloperDeed,
    refusal,
    webhook,
)
from msgine_sandbox.model.entry import Entry
from msgine_sandbox.model.events import MessageAccepted, RequestAnswered, WebhookTried
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.tally import tally_of
from msgine_sandbox.model.warning import Code

_KNOWN: Final = frozenset(ALL)
_TOO_MANY: Final = 429
_DEVELOPERS: Final = "/developers/"
_CALLS: Final = {
    ("POST", "sms"): Deed.ACCEPTED,
    ("POST", "email"): DeveloperDeed.EMAIL,
    ("POST", "push"): DeveloperDeed.PUSH,
    ("POST", "device"): DeveloperDeed.REGISTERED,
    ("DELETE", "device"): DeveloperDeed.REMOVED,
    ("GET", "overview"): DeveloperDeed.OVERVIEW,
    ("GET", "daily"): DeveloperDeed.DAILY,
}
_LISTS: Final = {"messages", "history"}


class Coverage:
    """Listens to what happens, and remembers what of it is documented; ends with the process."""

    def __init__(self, bus: Bus) -> None:
        self._met: defaultdict[int | None, set[str]] = defaultdict(set)
        self._developers: set[int | None] = set()
        bus.listen(RequestAnswered, lambda event: self._answered(event.entry))
        bus.listen(MessageAccepted, lambda event: self._accepted(event.message))
        bus.listen(WebhookTried, self._tried)

    def met(self, account: int | None) -> frozenset[str]:
        """Give what an account, or anybody at all, has met."""
        if account is not None:
            return frozenset(self._met[account])
        return frozenset().union(*self._met.values())

    def counted(self, account: int | None) -> Sequence[str]:
        """Give what counts for an account, or anybody: what its generations of the API have."""
        calls = self._developers if account is None else self._developers & {account}
        return (*ALL, *OF_DEVELOPERS) if calls else ALL

    def forget(self, account: int | None) -> None:
        """Begin anew for an account, or for all."""
        if account is None:
            self._met.clear()
            self._developers.clear()
        else:
            self._developers.discard(account)
            self._met.pop(account, None)

    def _answered(self, entry: Entry) -> None:
        met = self._met[entry.account]
        if _DEVELOPERS in entry.path:
            self._developers.add(entry.account)
        if entry.status is None:
            return
        if entry.code is not None:
            met |= {refusal(entry.status, entry.code)} & _KNOWN
        elif entry.status < 400:
            met |= _deeds(entry)

    def _accepted(self, message: Message) -> None:
        met = self._met[message.account]
        if len(message.deliveries) > 1:
            met.add(Deed.SEVERAL)
        if message.callback_url is not None:
            met.add(Deed.CALLED_BACK)
        if message.scheduled_at is not None:
            met.add(DeveloperDeed.SCHEDULED)
        if tally_of(message).partial:
            met.add(DeveloperDeed.PARTIAL)

    def _tried(self, event: WebhookTried) -> None:
        if event.attempt.heard:
            self._met[event.attempt.account].add(webhook(event.attempt.event))


def _deeds(entry: Entry) -> set[str]:
    found: set[str] = {Deed.REPLAYED} if entry.replayed else _call(entry)
    if entry.repeats == _TOO_MANY and not any(
        warning.code is Code.RETRIED_TOO_EARLY for warning in entry.warnings
    ):
        found.add(Deed.RETRIED)
    return found


def _call(entry: Entry) -> set[str]:
    """Give which call a request was."""
    last = entry.path.rpartition("/")[2]
    if (entry.method, last) in _CALLS:
        return {_CALLS[entry.method, last]}
    if last in _LISTS:
        return {Deed.LISTED, Deed.LATER_PAGE} if _page(entry.query) > 1 else {Deed.LISTED}
    return {Deed.READ}


def _page(query: str) -> int:
    return int(parse_qs(query).get("page", ["1"])[-1])
