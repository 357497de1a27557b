"""`GET /_sandbox/health`: whether the sandbox answers."""

from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox import __version__
from msgine_sandbox.edge.reply import reply
from msgine_sandbox.edge.resource import resource


async def _health(request: Request) -> Response:  # noqa: ARG001
    return reply({"status": "ok", "version": __version__})


ROUTE = resource("/_sandbox/health", GET=_health)
"""Needs no credential, so it stands outside of what the control API asks for."""
