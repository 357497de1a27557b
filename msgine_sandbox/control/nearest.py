"""Near misses of a wait: which of the newest messages come nearest to what was wanted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgine_sandbox.control.contents import MessagePart, part_of
from msgine_sandbox.control.views import View
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.message import AnswerForm, Message
from msgine_sandbox.services.inbox import Inbox, MessageQuery
from msgine_sandbox.storage.filter import Filter

MOST: Final = 3
"""Messages that are named."""
_MOST_RECIPIENTS: Final = 10
_BEGINNING: Final = 100
"""Characters of a text that are shown."""


class DifferenceView(View, frozen=True, kw_only=True):
    """A parameter of a wait that a message does not fit."""

    field: str
    expected: str
    actual: str | Sequence[str] | None


class NearestView(View, frozen=True, kw_only=True):
    """A message that a wait did not return, and why."""

    id: str
    to: Sequence[str]
    status: Status
    message: str
    """The beginning of its text."""
    differs: Sequence[DifferenceView]


class Nearest:
    """Compares messages with each parameter of a wait on its own."""

    def __init__(
        self,
        inbox: Inbox,
        form: AnswerForm,
        wanted: MessageQuery,
        given: Mapping[str, str],
        part: MessagePart | None,
    ) -> None:
        """Take what was wanted, and the parameters as the client wrote them."""
        self._inbox = inbox
        self._form = form
        self._wanted = wanted
        self._given = given
        self._part = part

    async def of(self, messages: Sequence[Message]) -> list[NearestView]:
        """Return those of some messages, newest first, that differ in the fewest parameters.

        Of those that differ in as many, the ones that only lack the part come first.
        """
        fitting = await self._fitting(messages)
        views = [self._view(each, fitting) for each in messages]
        return sorted(views, key=self._distance)[:MOST]

    def _distance(self, view: NearestView) -> tuple[int, int]:
        """Return how many parameters differ, and how many of them say which message is wanted."""
        differing = [each.field for each in view.differs]
        return len(differing), len(differing) - differing.count(self._part or "")

    async def _fitting(self, messages: Sequence[Message]) -> dict[str, set[int]]:
        """Return for each parameter the ids of the messages that fit it."""
        ids, wanted = [message.id for message in messages], self._wanted.filter
        fitting = {
            name: self._inbox.matching(each, ids)
            for name, each in _alone(wanted).items()
            if name in self._given
        }
        if "to" in fitting and "status" in fitting:
            # The status of that recipient, or else that of the message.
            others = self._inbox.matching(Filter(status=wanted.status), ids) - fitting["to"]
            fitting["status"] |= others
        pattern = self._wanted.pattern
        if pattern is not None:
            try:
                found = await pattern.found_in([_content(message) for message in messages])
            except InvalidRequest:
                pass  # the wait has used up its time, so it is left out
            else:
                pairs = zip(ids, found, strict=True)
                fitting["matches"] = {message for message, is_match in pairs if is_match}
        if self._part is not None and not self._part.is_in_every_message:
            fitting[self._part] = {
                each.id for each in messages if await part_of(each, self._part, self._form)
            }
        return fitting

    def _view(self, message: Message, fitting: Mapping[str, set[int]]) -> NearestView:
        return NearestView(
            id=self._form.message_id(message.id),
            to=message.to[:_MOST_RECIPIENTS],
            status=message.status,
            message=message.text[:_BEGINNING],
            differs=[
                DifferenceView(
                    field=name, expected=self._expected(name), actual=self._actual(message, name)
                )
                for name, ids in fitting.items()
                if message.id not in ids
            ],
        )

    def _expected(self, name: str) -> str:
        if name == "to":
            # Of its readings, the one that has each plus of the query.
            return self._wanted.filter.to[:2][-1]
        return f"a {name}" if name == self._part else self._given[name]

    def _actual(self, message: Message, name: str) -> Any:
        match name:
            case "id" | "before":
                return self._form.message_id(message.id)
            case "to":
                return message.recipients[:_MOST_RECIPIENTS]
            case "status":
                return self._status(message)
            case "channel":
                return message.channel
            case "since":
                return iso_micros(message.created_at)
            case MessagePart.CODE | MessagePart.LINK:
                return None
        return _content(message)[:_BEGINNING]

    def _status(self, message: Message) -> Status:
        to = self._wanted.filter.to
        own = [each.status for each in message.deliveries if each.recipient in to]
        return own[0] if own else message.status


def _alone(wanted: Filter) -> dict[str, Filter]:
    """Return a filter for each parameter; that for a status needs the recipient as well."""
    return {
        "id": Filter(id=wanted.id),
        "before": Filter(before=wanted.before),
        "channel": Filter(channel=wanted.channel),
        "to": Filter(to=wanted.to),
        "status": Filter(status=wanted.status, to=wanted.to),
        "q": Filter(anywhere=wanted.anywhere),
        "contains": Filter(contains=wanted.contains),
        "since": Filter(since=wanted.since),
    }


def _content(message: Message) -> str:
    return message.text if message.title is None else f"{message.title} {message.text}"
