"""The columns of a noun, named once: they are the fields of the struct that is stored."""

from collections.abc import Collection, Iterable, Sequence
from enum import EnumType
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import astuple, fields

Row = Sequence[Any]
"""The values of one row, as SQLite takes and returns them."""
Noun = TypeVar("Noun", bound=msgspec.Struct)


class Columns(Generic[Noun]):
    """The columns of a struct's fields, in their order, and the way from one to the other.

    A column has the encoded name of its field (`msgspec.field(name=…)`), so that an attribute can
    be renamed without a change of the schema.
    """

    def __init__(self, noun: type[Noun], *, json: Collection[str] = ()) -> None:
        """Read the columns off a struct; `json` names those that are stored as JSON."""
        self._noun = noun
        self._fields = noun.__struct_encode_fields__
        self._is_array = bool(noun.__struct_config__.array_like)
        self._json = [self._fields.index(name) for name in json]
        # SQLite takes members of enums, too, but that takes five times as long as plain values.
        self._enums = [
            (index, int if issubclass(field.type, int) else str)
            for index, field in enumerate(fields(noun))
            if isinstance(field.type, EnumType)
        ]
        self.names = ", ".join(self._fields)
        self.marks = ", ".join("?" * len(self._fields))

    def insert(self, table: str, verb: str = "INSERT") -> str:
        """Return the statement that inserts a row of these columns."""
        return f"{verb} INTO {table} ({self.names}) VALUES ({self.marks})"

    def row(self, noun: Noun) -> Row:
        """Return the row of a struct."""
        values = [*astuple(noun)]
        for index, plain in self._enums:
            values[index] = plain(values[index])
        for index in self._json:
            values[index] = to_json(values[index])
        return values

    def noun(self, row: Row) -> Noun:
        """Return the struct of a row that was selected with `names`."""
        values = [*row]
        for index in self._json:
            values[index] = from_json(values[index])
        found = values if self._is_array else dict(zip(self._fields, values, strict=True))
        # Not strict, because SQLite has no booleans: they come back as 0 and 1.
        return msgspec.convert(found, self._noun, strict=False)

    def nouns(self, rows: Iterable[Row]) -> list[Noun]:
        """Return the structs of rows that were selected with `names`."""
        return [self.noun(row) for row in rows]


def to_json(value: Any) -> str | None:
    """Return a value as JSON text; None stays NULL."""
    return None if value is None else msgspec.json.encode(value).decode()


def from_json(text: str | None) -> Any:
    """Return the plain objects and arrays that a JSON text stands for; NULL stays None."""
    return None if text is None else msgspec.json.decode(text)
