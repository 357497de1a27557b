"""The fixtures, read: `${a*160}` in them is spelled out as 160 times `a`."""

import json
import re
from typing import Any

from project import FIXTURES

_REPEATED = re.compile(r"\$\{(.+?)\*([0-9]+)\}", re.DOTALL)


def vectors(name: str) -> Any:
    """Read one file of the fixtures."""
    return spelled_out(json.loads((FIXTURES / name).read_text(encoding="utf-8")))


def spelled_out(value: Any) -> Any:
    """Spell out every text in a JSON value."""
    if isinstance(value, dict):
        return {name: spelled_out(each) for name, each in value.items()}
    if isinstance(value, list):
        return [spelled_out(each) for each in value]
    if isinstance(value, str):
        return _REPEATED.sub(lambda match: match[1] * int(match[2]), value)
    return value


def exchanges() -> list[Any]:
    """Read every documented exchange."""
    paths = sorted((FIXTURES / "exchanges").glob("*.json"))
    return [vectors(f"exchanges/{path.name}") | {"file": path.stem} for path in paths]
