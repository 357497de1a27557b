"""The command `msgine-sandbox`, to which names under `.hangs.test` are never resolved."""

import socket
import sys
import threading
from typing import Any

from msgine_sandbox.__main__ import main

_look_up = socket.getaddrinfo


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    if str(host).endswith(".hangs.test"):
        threading.Event().wait()
    return _look_up(host, *args, **kwargs)


socket.getaddrinfo = _getaddrinfo
sys.argv[0] = "msgine-sandbox"
main()
