"""`python -m benchmarks.starlette_parts`: what own code costs where it stands in for Starlette's.

Decision 18 quotes the figures. The variants of a comparison run in turn, so that a busy machine
slows all of them alike; each figure is the median of the rounds, in CPU time.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msgine_sandbox.asgi.answers import Answer
from msgine_sandbox.asgi.context import open_context
from msgine_sandbox.asgi.routing import Routes, resource
from msgine_sandbox.routes import api_routes
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

ROUNDS = 101
CALLS = 500
BODY = b'{"id": "msg_018f3a5b00c1d2e3", "status": "pending"}' * 6
"""As long as a message."""
HEADERS = [
    (b"host", b"localhost:8256"),
    (b"authorization", b"Bearer test_bench"),
    (b"content-type", b"application/json"),
    (b"content-length", b"58"),
]

Variant = Callable[[], Awaitable[object]]


def declared_paths() -> list[str]:
    """Return the paths of both APIs, in the order in which they are declared."""
    return [each.path for each in api_routes(Sandbox(Settings())).resources]


def scope_of(path: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": HEADERS,
    }


async def receive() -> Message:
    return {"type": "http.request", "body": b""}


async def send(_: Message) -> None:
    """Send nothing anywhere: only what comes before is measured."""


ANSWER = Answer(BODY)


async def handler(_: Request) -> Response:
    return ANSWER


def starlette_router() -> ASGIApp:
    """Return an application that finds a handler and sends its response."""
    return Router([Route(path, handler, methods=["GET"]) for path in declared_paths()])


def our_routes() -> ASGIApp:
    """Return the same with `Routes`, and with the context that these need."""
    routes = Routes(*(resource(path, GET=handler) for path in declared_paths()))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        context = open_context(scope, receive, scope["path"], "req_0", 0)
        response = await routes.handler(context)(context)
        await response(scope, receive, send)

    return app


def call(app: ASGIApp, path: str) -> Variant:
    return lambda: app(scope_of(path), receive, send)


async def starlette_response() -> Response:
    return Response(BODY, 200, media_type="application/json")


async def our_answer() -> Response:
    return Answer(BODY)


async def compare(what: str, variants: dict[str, Variant]) -> None:
    """Print the median of each variant, in microseconds of CPU a call."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, variant in variants.items():
            gc.collect()
            began = time.process_time()
            for _ in range(CALLS):
                await variant()
            times[name].append((time.process_time() - began) / CALLS * 1e6)
    found = ", ".join(f"{name} {median(each):.2f} µs" for name, each in times.items())
    print(f"{what}: {found}")


async def measure() -> None:
    router, routes = starlette_router(), our_routes()
    paths: dict[str, Any] = {
        "the first path declared": "/messages/sms",
        "the last path declared": "/developers/analytics/daily",
        "a path with a parameter": "/messages/msg_018f3a5b00c1d2e3",
    }
    for what, path in paths.items():
        variants = {"Starlette's Router": call(router, path), "Routes": call(routes, path)}
        await compare(f"route and call, {what}", variants)
    await compare(
        "build a response", {"Starlette's Response": starlette_response, "Answer": our_answer}
    )


if __name__ == "__main__":
    asyncio.run(measure())
