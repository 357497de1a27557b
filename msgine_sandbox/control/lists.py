"""Lists that the control API returns: bounded in bytes, and with summaries on request."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

from msgine_sandbox.asgi.answers import Answer
from msgine_sandbox.control.views import View

MAX_BYTES: Final = 8 * 1024 * 1024
"""Bytes of an answer with a list, beyond which it ends early."""
_FRAME: Final = 100
"""More bytes than what is around the entries."""
_PART: Final = 64 * 1024
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Detail(StrEnum):
    """How much a list says about each of its entries."""

    SUMMARY = "summary"


class ListPage:
    """The first entries of a list, as many as were asked for or as an answer holds.

    Each is encoded when it is added, so that the whole list is never in memory as objects.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._parts = [bytearray(b"[")]
        self._size = _FRAME
        self.truncated = False
        """Whether it ended before the limit."""

    @property
    def is_full(self) -> bool:
        """Whether the list ends here."""
        return self.truncated or self._count >= self._limit

    def add(self, view: View) -> None:
        """Add an entry, unless the list is full or the answer would be too large."""
        if self.is_full:
            return
        encoded = _encode(view)
        if self._count and self._size + len(encoded) > MAX_BYTES:
            self.truncated = True
            return
        if len(self._parts[-1]) > _PART:
            self._parts.append(bytearray())
        if self._count:
            self._parts[-1] += b","
        self._parts[-1] += encoded
        self._size += len(encoded) + 1
        self._count += 1

    def array(self) -> msgspec.Raw:
        """Return the entries as JSON, for an answer that has more than the list."""
        return msgspec.Raw(b"".join([*self._parts, b"]"]))

    def answer(self, total: int, *, is_minimum: bool = False) -> Answer:
        """Return the list as an answer, with how many entries there are in all, or at least."""
        counted = b'],"total":%d' % total + b',"totalIsMinimum":true' * is_minimum
        ending = b',"truncated":true}' if self.truncated else b"}"
        return ListAnswer([b'{"data":', *self._parts, counted, ending])


class ListAnswer(Answer):
    """An answer in parts, because a copy of all of them would be large."""

    def __init__(self, parts: Sequence[bytes | bytearray]) -> None:
        super().__init__(b"")
        self._parts = parts
        self.headers["content-length"] = str(sum(map(len, parts)))

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send the parts; of the answer to HEAD, only the headers."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for part in self._parts if scope["method"] != "HEAD" else ():
            await send({"type": "http.response.body", "body": bytes(part), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
