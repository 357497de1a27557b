"""The columns of a table, defined once: they are the fields of the struct that it stores."""

from collections.abc import Collection, Iterable, Sequence
from enum import EnumType
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import astuple, fields

Row = Sequence[Any]
"""The values of one row, as SQLite takes and returns them."""
Condition = tuple[str, Row]
"""An SQL expression and the values of its placeholders.

No value stands in the text of a statement: `sqlite3` keeps the latest 128 texts prepared, and to
prepare one takes ten times as long as to look up a row.
"""
Stored = TypeVar("Stored", bound=msgspec.Struct)


class Columns(Generic[Stored]):
    """The columns of a struct's fields, in their order, and the conversion of rows.

    A column has the encoded name of its field (`msgspec.field(name=…)`), so that an attribute can
    be renamed without a change of the schema.
    """

    def __init__(self, struct: type[Stored], *, json: Collection[str] = ()) -> None:
        """Take the columns from a struct; `json` names those that are stored as JSON."""
        self._type = struct
        self._fields = struct.__struct_encode_fields__
        self._is_array = bool(struct.__struct_config__.array_like)
        self._json = [self._fields.index(name) for name in json]
        self.names = ", ".join(self._fields)
        self.marks = ", ".join("?" * len(self._fields))

    @cached_property
    def _enums(self) -> list[tuple[int, type]]:
        """The fields that are members of enums, with the types of their values.

        SQLite takes members as they are, but needs 0.5 µs more for each. Not in the constructor,
        because each start would wait until the annotations of every table are evaluated.
        """
        return [
            (index, int if issubclass(field.type, int) else str)
            for index, field in enumerate(fields(self._type))
            if isinstance(field.type, EnumType)
        ]

    def insert(self, table: str, verb: str = "INSERT") -> str:
        """Return the statement that inserts a row of these columns."""
        return f"{verb} INTO {table} ({self.names}) VALUES ({self.marks})"

    def to_row(self, struct: Stored) -> Row:
        """Return the values of a struct for `insert`, or for `names` in another statement."""
        values = [*astuple(struct)]
        for index, plain in self._enums:
            values[index] = plain(values[index])
        for index in self._json:
            values[index] = to_json(values[index])
        return values

    def from_row(self, row: Row) -> Stored:
        """Return the struct of a row that was selected with `names`."""
        values = [*row]
        for index in self._json:
            values[index] = from_json(values[index])
        found = values if self._is_array else dict(zip(self._fields, values, strict=True))
        # Not strict, because SQLite has no booleans: they come back as 0 and 1.
        return msgspec.convert(found, self._type, strict=False)

    def from_rows(self, rows: Iterable[Row]) -> list[Stored]:
        """Return the structs of rows that were selected with `names`."""
        return [self.from_row(row) for row in rows]


def to_json(value: Any) -> str | None:
    """Return a value as JSON text; None stays NULL."""
    return None if value is None else msgspec.json.encode(value).decode()


def from_json(text: str | None) -> Any:
    """Return the plain objects and arrays that a JSON text stands for; NULL stays None."""
    return None if text is None else msgspec.json.decode(text)
