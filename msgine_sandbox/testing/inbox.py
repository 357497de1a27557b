"""The account's messages: list them, wait for one, empty the inbox."""

import builtins
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from msgine_sandbox.testing.client import MAX_ENTRIES, AccountClient, RemoteList, format_time
from msgine_sandbox.testing.errors import MessageNotFound, SandboxError
from msgine_sandbox.testing.message import Message, message_of

_LONGEST: Final = 60  # seconds that the sandbox waits at most
_GRACE: Final = 15  # seconds for the answer to come in besides
_TIMED_OUT: Final = 408
_SHOWN: Final = 10
_WIDTH: Final = 100
_LONG: Final = 40


class Messages(RemoteList[Message]):
    """The account's messages, newest first; each look asks the sandbox."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def list(
        self,
        *,
        channel: str | None = None,
        to: str | None = None,
        status: str | None = None,
        q: str | None = None,
        contains: str | None = None,
        matches: str | None = None,
        since: datetime | None = None,
        limit: int = MAX_ENTRIES,
    ) -> builtins.list[Message]:
        """Give the messages that fit, newest first.

        `q` looks in texts, titles, senders and recipients, `contains` in texts and titles, and
        `matches` is a regular expression for them; `since` is a time of the account's clock.
        """
        wanted = {"channel": channel, "to": to, "status": status, "q": q}
        moment = None if since is None else format_time(since)
        return self._fetch(limit=limit, since=moment, contains=contains, matches=matches, **wanted)[
            0
        ]

    def wait(self, timeout: float, **wanted: str | None) -> Message:
        """Give the newest message that fits, as soon as there is one.

        Raises:
            MessageNotFound: none came within so many seconds.
        """
        __tracebackhide__ = True  # a failed test shows its own line
        for seconds in _portions(timeout):
            try:
                raw = self._client.get(
                    "/messages/wait", {"timeout": seconds, **wanted}, timeout=seconds + _GRACE
                )
            except SandboxError as error:
                if error.status != _TIMED_OUT:
                    raise
                missed = error
            else:
                return message_of(raw, self._client)
        raise MessageNotFound(_told(missed, wanted, timeout)) from None

    def clear(self) -> int:
        """Empty the inbox; tell how many messages there were."""
        return self._client.delete("/messages")

    def _fetch_newest(self, limit: int) -> tuple[builtins.list[Message], int]:
        return self._fetch(limit=limit)

    def _fetch(self, **query: Any) -> tuple[builtins.list[Message], int]:
        listed = self._client.get("/messages", query)
        return [message_of(each, self._client) for each in listed["data"]], listed["total"]


def line(raw: Any) -> str:
    """Write a message, as the sandbox gives it, on one line."""
    to = ", ".join(_shortened(each) for each in raw["to"][:3])
    to += ", …" if len(raw["to"]) > 3 else ""
    title = raw.get("subject", raw.get("title"))
    text = repr(raw["message"]) if title is None else f"{title!r} {raw['message']!r}"
    return f"{raw['status']:<9} to {to}: {text if len(text) <= _WIDTH else text[:_WIDTH] + '…'}"


def _shortened(recipient: str) -> str:
    return recipient if len(recipient) <= _LONG else recipient[:_LONG] + "…"


def _portions(timeout: float) -> Iterator[float]:
    while timeout > _LONGEST:
        yield _LONGEST
        timeout -= _LONGEST
    yield timeout


def _told(missed: SandboxError, wanted: dict[str, str | None], timeout: float) -> str:
    asked = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
    arrived = missed.details.get("arrived", [])
    frozen = " The clock is frozen: advance it." if "frozen" in missed.message else ""
    head = f"No message with {asked}" if asked else "No message"
    if not arrived:
        return f"{head} came within {timeout:g} s, and no other one either.{frozen}"
    lines = [f"  {line(raw)}" for raw in arrived[:_SHOWN]]
    more = len(arrived) - _SHOWN
    lines += [f"  and {more} more"] if more > 0 else []
    return "\n".join(
        [f"{head} came within {timeout:g} s.{frozen} There are, newest first:", *lines]
    )
