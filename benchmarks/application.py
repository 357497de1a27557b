"""The application, called in this process: without a server, and without parsing its answers."""

import asyncio
import json
from typing import Any

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox

TOKEN = "test_unlimited_bench"


class Application:
    """Calls the application of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._app = app_of(sandbox)

    async def call(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> bytes:
        path, _, query = path.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"localhost"),
                (b"content-type", b"application/json"),
                *([(b"authorization", f"Bearer {token}".encode())] if token else []),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        sent = [{"type": "http.request", "body": content}]
        received: list[bytes] = []

        async def receive() -> Any:
            return sent.pop() if sent else await asyncio.Future()

        async def send(message: Any) -> None:
            received.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return b"".join(received)

    async def send(self, to: Any, text: str, token: str = TOKEN) -> bytes:
        body = {"to": to, "message": text}
        return await self.call("POST", "/api/v1/messages/sms", body, token)

    async def fill(self, count: int, to: Any, text: str) -> None:
        for start in range(0, count, 500):
            some = range(start, min(start + 500, count))
            await asyncio.gather(*[self.send(to, f"{text} {n:06d}") for n in some])
