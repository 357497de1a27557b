"""Whether the sandbox answers."""

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.routing import resource
from msgine_sandbox.control.views import HealthView
from msgine_sandbox.version import __version__


async def _health(request: Request) -> Answer:  # noqa: ARG001
    return json_answer(HealthView(version=__version__))


HEALTH = resource("/_sandbox/health", GET=_health)
"""Whether the sandbox answers; it needs no credential, and no control token."""
