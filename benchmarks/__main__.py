"""`make bench`: sends against a bare echo, first answers, memory, analytics, a suite, the page."""

import json
import os
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import analytics, page, suite
from benchmarks.load import Result, post, run
from benchmarks.servers import BARE, SANDBOX, resident_megabytes, running

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "10000"))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "100000"))
NUMBERS = 1000


def body(number: int) -> bytes:
    """An SMS to one of a thousand numbers."""
    to = f"+256701{number % NUMBERS:06d}"
    return json.dumps({"to": to, "message": f"Your code is {number:06d}"}).encode()


def echo(number: int) -> bytes:
    return post("/echo", body(number))


def send(number: int) -> bytes:
    return post("/api/v1/messages/sms", body(number), "Authorization: Bearer bench")


def send_with_key(number: int) -> bytes:
    key = f"Idempotency-Key: {os.urandom(12).hex()}"
    return post("/api/v1/messages/sms", body(number), "Authorization: Bearer bench", key)


def compare(folder: str) -> None:
    """Full-pipeline sends on a database file, as a share of what a bare echo takes."""
    database = ("--database", str(Path(folder, "bench.db")))
    shares: dict[str, list[float]] = {"send": [], "send with a key": []}
    with (
        running(BARE, "/health") as (bare, _, _),
        running(SANDBOX, "/_sandbox/health", *database) as (sandbox, _, _),
    ):
        run(bare, REQUESTS // 4, echo)
        run(sandbox, REQUESTS // 4, send)
        for _ in range(ROUNDS):
            reference = run(bare, REQUESTS, echo).rate
            for name, write in (("send", send), ("send with a key", send_with_key)):
                shares[name].append(checked(run(sandbox, REQUESTS, write)).rate / reference)
    print(f"bare echo: {reference:.0f} requests a second in the last round")
    for name, found in shares.items():
        spread = f"{min(found):.2f} to {max(found):.2f}"
        print(f"{name}: {median(found):.2f} of the bare echo ({spread}, {ROUNDS} rounds)")


def checked(result: Result) -> Result:
    """A load of refusals would be a fast one."""
    if set(result.statuses) != {b"201"}:
        raise RuntimeError(f"not every send was accepted: {result.statuses}")
    return result


def start() -> None:
    """From starting the process to its first answer."""
    times: dict[str, list[float]] = {"bare": [], "sandbox": []}
    for _ in range(ROUNDS):
        for name, module, path in (
            ("bare", BARE, "/health"),
            ("sandbox", SANDBOX, "/_sandbox/health"),
        ):
            with running(module, path) as (_, _, seconds):
                times[name].append(seconds)
    bare, ours = median(times["bare"]), median(times["sandbox"])
    print(f"first answer: {ours * 1000:.0f} ms, {ours / bare:.2f} of the bare echo's")


def memory(folder: str) -> None:
    """Resident memory after a hundred thousand messages on a file."""
    database = ("--database", str(Path(folder, "memory.db")))
    with running(SANDBOX, "/_sandbox/health", *database) as (port, process, _):
        before = resident_megabytes(process)
        checked(run(port, MESSAGES, send))
        after = resident_megabytes(process)
    print(f"memory: {after:.0f} MB after {MESSAGES} messages, {before:.0f} MB before the first")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        start()
        compare(folder)
        memory(folder)
    analytics.compare()
    suite.start(ROUNDS)
    suite.each_test()
    suite.demo(ROUNDS)
    page.measure(ROUNDS)
