"""Messages that are read again and again until they arrive, where a webhook would tell."""

from collections import OrderedDict
from typing import Final

from msgine_sandbox.model import warning
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.lifecycle import NEXT
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.warning import ClientWarning

PATIENCE: Final = 5
"""Reads of one message on its way, from which on they are polling."""
_REMEMBERED: Final = 4096


class Polls:
    """Counts the reads of messages that are still on their way."""

    def __init__(self) -> None:
        self._reads: OrderedDict[int, int] = OrderedDict()

    def judged(self, account: Account, message: Message) -> list[ClientWarning]:
        """Count a read, and tell when it is one too many and no webhook is there."""
        if not NEXT[message.status]:
            return []
        reads = self._reads[message.id] = self._reads.pop(message.id, 0) + 1
        if len(self._reads) > _REMEMBERED:
            self._reads.popitem(last=False)
        told = message.callback_url is not None or account.endpoints
        return [] if told or reads < PATIENCE else [warning.polls(message.public_id, reads)]
