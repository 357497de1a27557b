"""Reading fields by type from a body of the public API, or from the query of any call."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from starlette.datastructures import QueryParams

from msgine_sandbox.model.characters import is_whole
from msgine_sandbox.model.clock import LATEST, Instant, from_datetime
from msgine_sandbox.model.errors import InvalidRequest

_Choice = TypeVar("_Choice", bound=StrEnum)
TIME = (  # a text, because few starts need it, and to compile it takes time from each
    # Not 24:00, which only some versions of Python read.
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}(?::?[0-5][0-9])?)?"
)
_WITH_OFFSET = "a time in ISO 8601 with Z or an offset"


class Fields:
    """The fields of a JSON object or a query, read by type; null is the same as absent."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.get = content.get

    def forbid_unknown(self, names: Collection[str], whose: str) -> None:
        """Raise InvalidRequest unless every field has one of these names."""
        for name in self._content:
            if name not in names:
                raise InvalidRequest(
                    f"{whose} has no {name}", field=name, expected=", ".join(sorted(names))
                )

    def required(self, name: str, expected: str) -> Any:
        """Return a field's value.

        Raises:
            InvalidRequest: it is missing.
        """
        value = self.get(name)
        if value is None:
            raise missing_field(name, expected)
        return value

    def text(self, name: str) -> str | None:
        """Return a string, or None if it is absent."""
        value = self.get(name)
        return None if value is None else text_of(name, value)

    def required_text(self, name: str) -> str:
        """Return a required string."""
        return text_of(name, self.required(name, "a string"))

    def query_int(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 1 to `most`, written in decimal digits."""
        value = self.get(name)
        if value is None:
            return default
        if is_whole(value) and 1 <= int(value) <= most:
            return int(value)
        raise invalid_field(name, value, f"a whole number from 1 to {most}")

    def row_id(self, name: str, parse: Callable[[str], int | None], noun: str) -> int | None:
        """Return the row that an identifier names, or None if it is absent."""
        value = self.text(name)
        found = None if value is None else parse(value)
        if value is not None and found is None:
            raise invalid_field(name, value, f"the id of {noun}")
        return found

    def flag(self, name: str) -> bool:
        """Return whether a parameter of a query is `true`; absent, it is `false`."""
        value = self.get(name)
        if value in {None, "true", "false"}:
            return bool(value == "true")
        raise invalid_field(name, value, "true or false")

    def choice(self, name: str, kind: type[_Choice]) -> _Choice | None:
        """Return a member of an enumeration, or None if it is absent."""
        return None if self.get(name) is None else self.required_choice(name, kind)

    def required_choice(self, name: str, kind: type[_Choice]) -> _Choice:
        """Return a required member of an enumeration."""
        expected = "one of " + ", ".join(kind)
        value = self.required(name, expected)
        if value in list(kind):
            return kind(value)
        raise invalid_field(name, value, expected)

    def instant(self, name: str) -> Instant | None:
        """Return a time, written in ISO 8601 with its offset from UTC, or None if it is absent."""
        value = self.text(name)
        return None if value is None else instant_of(name, value)


class ControlQuery(Fields):
    """The query of a control call: each parameter is given once."""

    def __init__(self, given: QueryParams, names: Collection[str], whose: str) -> None:
        """Take the parameters of a request.

        Raises:
            InvalidRequest: one has a name that is not among these, or is given twice.
        """
        super().__init__(given)
        self.forbid_unknown(names, whose)
        for name in given:
            values = given.getlist(name)
            if len(values) > 1:
                raise invalid_field(name, values, "given once")

    def words(self, name: str) -> str | None:
        """Return a text that is not empty, or None if it is absent.

        An empty one, as of a variable that a shell script has not set, would fit everything.
        """
        text = self.text(name)
        if text == "":
            raise invalid_field(name, text, "a text that is not empty")
        return text


def text_of(name: str, value: Any) -> str:
    """Return a field's value as a string."""
    if isinstance(value, str):
        return value
    raise invalid_field(name, value, "a string")


def texts_of(name: str, value: Any) -> list[str]:
    """Return the strings of an array, or one string as a list."""
    values = value if isinstance(value, list) else [value]
    for each in values:
        if not isinstance(each, str):
            raise invalid_field(name, each, "a string or an array of strings")
    return values


def split_texts_of(name: str, value: Any) -> list[str]:
    """Return the strings of an array, or one string split at its commas.

    Each is stripped of spaces, and may then be empty. Source: seen in SDKs; stripping is our
    choice.
    """
    values = value.split(",") if isinstance(value, str) else texts_of(name, value)
    return [each.strip() for each in values]


def string_map_of(name: str, value: Any) -> dict[str, str]:
    """Return an object whose values are strings."""
    if not isinstance(value, dict):
        raise invalid_field(name, value, "an object of strings")
    for key, each in value.items():
        if not isinstance(each, str):
            raise invalid_field(f"{name}.{key}", each, "a string")
    return value


def instant_of(name: str, text: str) -> Instant:
    """Parse a field's text as a time in ISO 8601 with its offset from UTC.

    Raises:
        InvalidRequest: it has another form, or is before 1970 or after 9999.
    """
    instant, has_offset = time_of(name, text, _WITH_OFFSET)
    if has_offset:
        return instant
    raise invalid_field(name, text, _WITH_OFFSET)


def time_of(name: str, text: str, expected: str) -> tuple[Instant, bool]:
    """Parse a field's text as a time in ISO 8601, and return whether it has its offset from UTC.

    One without is in UTC. `expected` is what an error says of the field.

    Raises:
        InvalidRequest: it has another form, or is before 1970 or after 9999.
    """
    parts = re.fullmatch(TIME, text)
    if parts is None:
        raise invalid_field(name, text, expected)
    has_offset = parts["offset"] is not None
    try:
        instant = from_datetime(datetime.fromisoformat(text if has_offset else f"{text}Z"))
    except ValueError:  # the 30th of February
        instant = -1
    if 0 <= instant <= LATEST:
        return instant, has_offset
    raise invalid_field(name, text, expected)


def missing_field(name: str, expected: str) -> InvalidRequest:
    """Return the error for a required field that is absent."""
    return InvalidRequest(f"{name} is required", field=name, expected=expected)


def invalid_field(name: str, value: Any, expected: str) -> InvalidRequest:
    """Return the error for a field whose value is not allowed."""
    return InvalidRequest(f"{name} must be {expected}", field=name, value=value, expected=expected)
