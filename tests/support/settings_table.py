"""The table of all settings in docs/settings.md; run as a program, this file writes it there."""

import re
from collections.abc import Mapping

from project import DOCS

from msgine_sandbox.settings import table

SETTINGS = DOCS / "settings.md"
_TABLE = re.compile(r"^\| flag \|.*?(?=\n\n)", re.MULTILINE | re.DOTALL)


def expected_table() -> str:
    """Return the table as it should be in the docs."""
    rows = [
        f"| {_flags(row)} | `{row['environment']}` | {row['default']} | {row['what']} |"
        for row in table()
    ]
    return "\n".join(
        ["| flag | environment | default | what |", "| --- | --- | --- | --- |", *rows]
    )


def _flags(row: Mapping[str, str]) -> str:
    return ", ".join(f"`{each}`" for each in (row["flag"], row["opposite"]) if each)


def documented_tables() -> list[str]:
    """Return the tables of settings that are in the docs."""
    return _TABLE.findall(SETTINGS.read_text(encoding="utf-8"))


def write_table() -> None:
    """Replace the table in the docs."""
    page = SETTINGS.read_text(encoding="utf-8")
    SETTINGS.write_text(_TABLE.sub(lambda _: expected_table(), page), encoding="utf-8")


if __name__ == "__main__":
    write_table()
