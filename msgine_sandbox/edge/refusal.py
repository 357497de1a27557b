"""Refusing at the door, where no exception handler listens yet."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from msgine_sandbox.edge.errors import render
from msgine_sandbox.model.errors import ApiError


async def refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with an error instead of letting it in."""
    response = await render(Request(scope), error)
    await response(scope, receive, send)
