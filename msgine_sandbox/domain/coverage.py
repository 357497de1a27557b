"""Coverage: which documented behaviours an account's client has met so far."""

from collections import defaultdict
from typing import Final
from urllib.parse import parse_qs

from msgine_sandbox.bus import Bus
from msgine_sandbox.model.behaviour import ALL, Deed, refusal, webhook
from msgine_sandbox.model.entry import Entry
from msgine_sandbox.model.events import MessageAccepted, RequestAnswered, WebhookTried
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.warning import Code

_KNOWN: Final = frozenset(ALL)
_TOO_MANY: Final = 429


class Coverage:
    """Listens to what happens, and remembers what of it is documented; ends with the process."""

    def __init__(self, bus: Bus) -> None:
        self._met: defaultdict[int | None, set[str]] = defaultdict(set)
        bus.listen(RequestAnswered, lambda event: self._answered(event.entry))
        bus.listen(MessageAccepted, lambda event: self._accepted(event.message))
        bus.listen(WebhookTried, self._tried)

    def met(self, account: int | None) -> frozenset[str]:
        """Give what an account, or anybody at all, has met."""
        if account is not None:
            return frozenset(self._met[account])
        return frozenset().union(*self._met.values())

    def forget(self, account: int | None) -> None:
        """Begin anew for an account, or for all."""
        if account is None:
            self._met.clear()
        else:
            self._met.pop(account, None)

    def _answered(self, entry: Entry) -> None:
        met = self._met[entry.account]
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

    def _tried(self, event: WebhookTried) -> None:
        if event.attempt.heard:
            self._met[event.attempt.account].add(webhook(event.attempt.event))


def _deeds(entry: Entry) -> set[str]:
    found: set[str] = set()
    if entry.replayed:
        found.add(Deed.REPLAYED)
    elif entry.method == "POST":
        found.add(Deed.ACCEPTED)
    elif entry.path.endswith("/messages"):
        found.add(Deed.LISTED)
        if _page(entry.query) > 1:
            found.add(Deed.LATER_PAGE)
    else:
        found.add(Deed.READ)
    if entry.repeats == _TOO_MANY and not any(
        warning.code is Code.RETRIED_TOO_EARLY for warning in entry.warnings
    ):
        found.add(Deed.RETRIED)
    return found


def _page(query: str) -> int:
    return int(parse_qs(query).get("page", ["1"])[-1])
