"""JSON answers."""

from typing import Any

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder(decimal_format="number").encode


def reply(content: Any, status: int = 200) -> Response:
    """Answer with a value as JSON."""
    return reply_bytes(_encode(content), status)


def reply_bytes(body: bytes, status: int = 200) -> Response:
    """Answer with JSON that is written already."""
    return Response(body, status, media_type="application/json")
