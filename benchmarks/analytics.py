"""What analytics cost at a million messages, against ten."""

import http.client
import json
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.servers import SANDBOX, running

FEW = 10
MANY = 1_000_000
PATHS = ("analytics/overview", "analytics/daily?days=90", "sms/history?page=2&limit=5")
ROUNDS = 50


def compare() -> None:
    """Time each call on two sandboxes in turn, and print the ratio of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (filled(Path(folder, f"{count}.db"), count) for count in (FEW, MANY))
        with (
            running(SANDBOX, "/_sandbox/health", "--database", str(few)) as (small, _, _),
            running(SANDBOX, "/_sandbox/health", "--database", str(many)) as (large, _, _),
        ):
            for path in PATHS:
                times: dict[int, list[float]] = {small: [], large: []}
                for _ in range(ROUNDS):
                    for port in (small, large):
                        times[port].append(asked(port, f"/api/v1/developers/{path}"))
                ratio = median(times[large]) / median(times[small])
                print(f"{path}: {ratio:.2f} of the time that {FEW} messages take")


def filled(file: Path, count: int) -> Path:
    """Return a database with so many messages of the last ninety days, all of them delivered."""
    with running(SANDBOX, "/_sandbox/health", "--database", str(file)) as (port, _, _):
        asked(port, "/api/v1/developers/sms", {"to": "+256701234567", "message": "Hello"})
        asked(port, "/_sandbox/clock/advance", {"seconds": 10})  # until it is delivered
    with closing(sqlite3.connect(file)) as connection:
        names = "account, channel, sender, text, encoding, segments, price_micros, currency"
        names += ", size, request_id, developer_micros"
        ago = "created_at - n % 90 * 86400000000"
        numbers = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT ?)"
        connection.execute(
            f"{numbers} INSERT INTO messages (id, sequence, created_at, {names})"
            f" SELECT id + n, n + 1, {ago}, {names} FROM messages, t",
            (count - 1,),
        )
        connection.execute(
            "INSERT INTO deliveries SELECT id, 0, recipient, status, history, reason"
            " FROM messages, deliveries WHERE id > message"
        )
        connection.execute("DELETE FROM tallies")
        connection.execute(
            "INSERT INTO tallies SELECT account, created_at / 86400000000, channel, count(*),"
            " count(*), 0, 0, sum(developer_micros) FROM messages GROUP BY 1, 2, 3"
        )
        connection.commit()
    return file


def asked(port: int, path: str, body: object = None) -> float:
    """Make one call on a connection of its own, and return the seconds that it took."""
    headers = {"X-Api-Key": "bench", "Content-Type": "application/json"}
    method, content = ("GET", None) if body is None else ("POST", json.dumps(body))
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.connect()
        began = time.perf_counter()
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
    if answer.status not in {200, 201}:
        raise RuntimeError(content)
    return took
