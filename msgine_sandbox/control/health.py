"""`GET /_sandbox/health`: whether the sandbox answers."""

from starlette.requests import Request

from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.version import __version__


async def _health(request: Request) -> Reply:  # noqa: ARG001
    return reply({"status": "ok", "version": __version__})


ROUTE = resource("/_sandbox/health", GET=_health)
"""Needs no credential, so it stands outside of what the control API asks for."""
