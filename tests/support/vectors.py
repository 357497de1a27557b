"""The fixtures; `${a*160}` in them stands for 160 times `a`."""

import json
import re
from typing import Any

from project import FIXTURES

_REPEATED = re.compile(r"\$\{(.+?)\*([0-9]+)\}", re.DOTALL)


def vectors(name: str) -> Any:
    """Return the content of one file of the fixtures."""
    return expanded(json.loads((FIXTURES / name).read_text(encoding="utf-8")))


def expanded(value: Any) -> Any:
    """Return a JSON value with the repetitions in its texts written out."""
    if isinstance(value, dict):
        return {name: expanded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [expanded(each) for each in value]
    if isinstance(value, str):
        return _REPEATED.sub(lambda match: match[1] * int(match[2]), value)
    return value


def exchanges() -> list[Any]:
    """Return every documented exchange."""
    paths = sorted((FIXTURES / "exchanges").glob("*.json"))
    return [vectors(f"exchanges/{path.name}") | {"file": path.stem} for path in paths]
