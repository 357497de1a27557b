"""The ASGI lifespan, and the refusal of what is neither that nor HTTP.

Instead of Starlette's `Router`, whose module takes 2 % of a start to import.
"""

import traceback

from starlette.types import Receive, Scope, Send

from msgine_sandbox.services.lifecycle import Lifecycle


async def run_other_than_http(
    scope: Scope, receive: Receive, send: Send, lifecycle: Lifecycle
) -> None:
    """Run the lifespan, or close a WebSocket, of which the sandbox has none.

    Raises:
        ValueError: the protocol is another one (ASGI, "Applications").
        Exception: the sandbox cannot start or stop; the server has been told.
    """
    kind = scope["type"]
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1000, "reason": ""})
    elif kind == "lifespan":
        await _run_lifespan(receive, send, lifecycle)
    else:
        raise ValueError(f"The sandbox does not know the ASGI protocol {kind}")


async def _run_lifespan(receive: Receive, send: Send, lifecycle: Lifecycle) -> None:
    await receive()
    phase = "startup"
    try:
        # Before any request, because steps of an earlier process may be due. Our own server has
        # started it already, in order to load a scenario first. An application may be started again
        # after it was closed, as tests do, and goes on with what it has.
        await lifecycle.start()
        await send({"type": "lifespan.startup.complete"})
        phase = "shutdown"
        await receive()
        await lifecycle.close()
    except BaseException:
        await send({"type": f"lifespan.{phase}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})
