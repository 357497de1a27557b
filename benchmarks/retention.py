"""Twice as many messages as are kept in memory: resident memory over time, and the slowest call.

Run as `python -m benchmarks.retention`; RETENTION_MESSAGES says how many are sent.
"""

import csv
import http.client
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from statistics import quantiles

from benchmarks.calls import send
from benchmarks.load import run
from benchmarks.servers import SANDBOX, running

MESSAGES = int(os.environ.get("RETENTION_MESSAGES", "200000"))
STEP = 10_000


@dataclass
class Probe:
    """Reads a page from a connection of its own, again and again, and notes how long it takes."""

    port: int
    milliseconds: list[float] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Probe":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": "Bearer bench"}
        while not self._ended.wait(0.005):
            began = time.perf_counter()
            connection.request("GET", "/api/v1/messages?limit=10", headers=headers)
            connection.getresponse().read()
            self.milliseconds.append((time.perf_counter() - began) * 1000)
        connection.close()


def total(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/api/v1/messages?limit=1", headers={"Authorization": "Bearer bench"})
    found = connection.getresponse().read().split(b'"total":')[1]
    connection.close()
    return int(found.split(b",")[0].split(b"}")[0])


def main() -> None:
    writer = csv.writer(sys.stdout)
    names = ["sent", "kept", "resident_mb", "sends_per_second", "page_p50_ms", "page_p99_ms"]
    writer.writerow([*names, "page_max_ms"])
    with running(SANDBOX) as server:
        for sent in range(STEP, MESSAGES + 1, STEP):
            with Probe(server.port) as probe:
                rate = run(server.port, STEP, send("bench")).expect(201).rate
            points = quantiles(probe.milliseconds, n=100)
            row = [total(server.port), server.resident_megabytes, rate, points[49], points[98]]
            row = [round(each, 1) for each in (*row, max(probe.milliseconds))]
            writer.writerow([sent, *row])
            sys.stdout.flush()


if __name__ == "__main__":
    main()
