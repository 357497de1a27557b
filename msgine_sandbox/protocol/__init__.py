"""HTTP/1.1: uvicorn's protocol class, with bounds on what a client sends and how long it takes.

Beyond uvicorn, a connection is registered, so that faults can close it; it is kept while it is
idle; heads, trailers and chunk extensions over 64 KiB are refused, as are requests that do not
arrive in time; an offer of another protocol is declined; and every refusal is in the documented
envelope.
"""

import asyncio
import importlib.util

from msgine_sandbox.protocol.writes import Writes
from msgine_sandbox.sandbox import Sandbox


def protocol_for(sandbox: Sandbox) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol class, extended for the connections of a sandbox.

    Built on httptools where that is installed, else on h11, as uvicorn itself chooses.
    """
    bases: tuple[type, ...]
    if importlib.util.find_spec("httptools") is not None:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        from msgine_sandbox.protocol.on_httptools import HttptoolsConnection

        bases = (HttptoolsConnection, HttpToolsProtocol)
    else:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        from msgine_sandbox.protocol.on_h11 import H11Connection

        bases = (H11Connection, H11Protocol)
    known = {
        "known_connections": sandbox.connections,
        "ids": sandbox.ids,
        "real": sandbox.real,
        "writes": Writes(),
    }
    return type("Protocol", bases, known)
