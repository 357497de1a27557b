"""Calls in the name of one account, which every part of the client makes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgine_sandbox.testing.wire import Wire

MANY: Final = 1000
"""How many entries the sandbox gives of a list at most."""


class Caller:
    """One account's line to its sandbox."""

    def __init__(self, wire: Wire, token: str) -> None:
        self.wire = wire
        self.token = token

    def get(self, path: str, /, **params: object) -> Any:
        """Give what a path has."""
        return self.wire.call("GET", path, self.token, params=params)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        """Give what a POST is answered with."""
        return self.wire.call("POST", path, self.token, json=json, **more)

    def put(self, path: str, json: Any) -> Any:
        """Give what a PUT is answered with."""
        return self.wire.call("PUT", path, self.token, json=json)

    def patch(self, path: str, json: Any) -> Any:
        """Give what a PATCH is answered with."""
        return self.wire.call("PATCH", path, self.token, json=json)

    def delete(self, path: str) -> int:
        """Give how many a DELETE removed."""
        return int(self.wire.call("DELETE", path, self.token)["deleted"])


def instant(text: str) -> datetime:
    """Read a time of the sandbox."""
    return datetime.fromisoformat(text)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in values.items() if value is not None}


def written(at: datetime) -> str:
    """Write a time for the sandbox.

    Raises:
        ValueError: it has no time zone, so that nobody knows which moment it is.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone: give it one, such as datetime.UTC")
    return at.isoformat()
