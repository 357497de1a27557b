"""The fields of a send's body: one table, by which it is read and unknown fields are found."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Generic

import msgspec

from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.fields import (
    missing_field,
    split_texts_of,
    string_map_of,
    text_of,
    texts_of,
    time_of,
)
from msgine_sandbox.model import warning
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.message import AnswerForm, Message
from msgine_sandbox.services.drafts import Draft, ScheduledTime


class FieldType(Enum):
    """How a field is read; null is the same as absent."""

    TEXT = "a string"
    TEXTS = "a string or an array of strings"
    SPLIT_TEXTS = "a string that is split at its commas, or an array of strings"
    STRING_MAP = "an object whose values are strings"
    TIME = "a time in ISO 8601, with Z or an offset unless it is in UTC"
    KEY = "an idempotency key"


class Source(Enum):
    """The source of a rule of the API."""

    DOCUMENTED = "documented"
    DOCUMENTED_ELSEWHERE = "documented elsewhere"
    SDKS = "seen in SDKs"
    OURS = "our choice"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a body."""

    name: str
    """As clients write it."""
    type: FieldType
    attribute: str
    """The attribute of the draft that gets the value."""
    required: bool = False
    required_first: bool = False
    """Whether its absence is reported before any problem of the fields before it."""
    expected: str | None = None
    """The text for a missing field, where that of its type is not precise."""
    max_length: int | None = None
    """Characters of a text, which has at least one; the channel's service checks it."""
    max_recipients: int | None = None
    """How many a field with recipients can name; the channel's service checks it."""
    source: Source

    def missing(self) -> InvalidRequest:
        """Return the error for a body without the field."""
        return missing_field(self.name, self.expected or self.type.value)


def _scheduled_time(name: str, value: Any) -> ScheduledTime:
    text = text_of(name, value)
    at, has_offset = time_of(name, text, FieldType.TIME.value)
    return ScheduledTime(at, text, has_offset)


_READERS: Final[dict[FieldType, Callable[[str, Any], Any]]] = {
    FieldType.TEXT: text_of,
    FieldType.TEXTS: texts_of,
    FieldType.SPLIT_TEXTS: split_texts_of,
    FieldType.STRING_MAP: string_map_of,
    FieldType.TIME: _scheduled_time,
}


class MessageCodec(Generic[Draft]):
    """How one API reads a draft of one channel from a body, and shows a message of it."""

    def __init__(
        self,
        fields: Sequence[Field],
        draft: Callable[..., Draft],
        view: Callable[[Message, AnswerForm], Any],
        *,
        accepted: int = 201,
    ) -> None:
        """Take the fields, in the order in which problems are found, the draft and the view.

        `accepted` is the status of the answer to a send.
        """
        self.fields = fields
        self.names = frozenset(field.name for field in fields)
        self._ours = [field.name for field in fields if field.source is Source.OURS]
        self.view = view
        self.accepted = accepted
        self._draft = draft
        self._required_first = [field for field in fields if field.required_first]
        self._readers = [
            (field, _READERS[field.type]) for field in fields if field.type in _READERS
        ]

    def warn(self, context: RequestContext, body: Mapping[str, Any]) -> None:
        """Add warnings about fields that the call does not have, or that MsGine does not name."""
        if not self.names.issuperset(body):
            warn_of_unknown(context, body, self.names, "body")
        if context.entry.query:  # asked here as well, to save nearly every send a call
            warn_of_query(context)
        for name in self._ours:
            if body.get(name) is not None:
                context.entry.warnings.append(warning.undocumented_field(name))

    def read(self, body: Mapping[str, Any]) -> Draft:
        """Return the draft that a body describes; unknown fields are ignored, and null is absent.

        Raises:
            InvalidRequest: a field is missing, or of the wrong type.
        """
        for field in self._required_first:
            if body.get(field.name) is None:
                raise field.missing()
        values = {}
        for field, read in self._readers:
            value = body.get(field.name)
            if value is not None:
                values[field.attribute] = read(field.name, value)
            elif field.required:
                raise field.missing()
        return self._draft(**values)


def warn_of_query(context: RequestContext) -> None:
    """Add a warning if a call that has no parameters is given any."""
    if context.entry.query:
        warn_of_unknown(context, context.query, (), "query")


def warn_of_unknown(
    context: RequestContext, names: Iterable[str], known: Collection[str], part: str
) -> None:
    """Add a warning about fields that the call does not have; the part is `body` or `query`."""
    unknown = [name for name in names if name not in known]
    if unknown:
        context.entry.warnings.append(warning.unknown_field(unknown, part))
