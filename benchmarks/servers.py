"""Servers in processes of their own."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BARE = ("benchmarks.bare",)
SANDBOX = ("msgine_sandbox", "serve", "--tier", "unlimited", "--port")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(module: tuple[str, ...], path: str, *more: str) -> Iterator[tuple[int, int, float]]:
    """Run a server: its port, its process number and the seconds to its first answer."""
    port = free_port()
    began = time.perf_counter()
    # The sandbox logs each request, as it does by default.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, str(port), *more], stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            while not answers(port, path):
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"the server ended: {log.read().decode(errors='replace')}")
                time.sleep(0.001)
            yield port, process.pid, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def resident_megabytes(process: int) -> float:
    """Return the resident memory of a process (Linux)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
