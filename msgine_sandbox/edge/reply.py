"""JSON answers."""

from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Reply:
    """An answer whose body is JSON, whatever else happens: SDKs refuse a 2xx that is not."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.body = body
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self.body)),
        ]
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def reply(content: Any, status: int = 200) -> Reply:
    """Answer with a value as JSON."""
    return Reply(_encode(content), status)
