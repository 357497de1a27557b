"""The memory of a sandbox stays small, whatever the size of what clients send and ask for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest
from command import LIMIT
from live import Live, serving

MEGABYTE = 1024 * 1024
MOST = 100 * MEGABYTE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def peak(live: Live) -> int:
    """Return the most bytes that the sandbox's process has had resident."""
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@contextmanager
def following(client: httpx.Client) -> Iterator[None]:
    """Read the live events inside the block, as the page does."""
    with client.stream("GET", "/_sandbox/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"

        def read() -> None:
            with pytest.raises((httpx.HTTPError, httpx.StreamError)):
                for _ in lines:
                    pass

        thread = Thread(target=read)
        thread.start()
        yield
    thread.join()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    # The messages are in a file, so that the process has nothing but what is to be bounded.
    with serving(
        "--quiet", "--tier", "unlimited", "--database", str(tmp_path / "sandbox.db")
    ) as live:
        yield live


@pytest.fixture
def client(live: Live) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer test_memory"}
    with httpx.Client(base_url=live.origin, headers=headers, timeout=LIMIT) as client:
        yield client


def test_large_headers_large_emails_and_long_lists_stay_under_a_hundred_megabytes(
    live: Live, client: httpx.Client
) -> None:
    with following(client):
        for number in range(700):
            headers = {"X-Trace": "x" * 60_000}
            if number % 2:
                headers["Authorization"] = ""
            assert client.get("/api/v1/messages", headers=headers).status_code in {200, 401}
        email = {"from": "a@b.example", "to": "jane@example.com", "subject": "S"}
        for _ in range(100):
            body = {**email, "text": "x" * 256 * 1024, "html": "y" * 256 * 1024}
            assert client.post("/api/v1/developers/email", json=body).status_code == 201
        for path in ("messages?limit=1000", "messages?q=x&limit=1000", "requests?limit=10000"):
            assert client.get(f"/_sandbox/{path}").json()["truncated"] is True
            summaries = client.get(f"/_sandbox/{path}&view=summary").json()
            assert len(summaries["data"]) == min(summaries["total"], 1000)
    assert peak(live) < MOST


def test_urls_that_are_too_long_are_not_remembered(live: Live, client: httpx.Client) -> None:
    for number in range(120):
        sms = {"to": "+256701234567", "message": "Hello"}
        url = f"http://localhost:9/{number}/{'x' * 1_000_000}"
        answer = client.post("/api/v1/messages/sms", json=sms | {"callbackUrl": url})
        assert answer.json()["error"]["details"]["expected"] == "at most 2048 characters"
    assert peak(live) < MOST


def test_refused_tokens_are_not_remembered_at_their_full_length() -> None:
    with (
        serving("--quiet", "--token", "test_memory") as live,
        httpx.Client(base_url=live.origin, timeout=LIMIT) as client,
    ):
        for number in range(1100):
            headers = {"Authorization": f"Bearer {number}{'x' * 60_000}"}
            assert client.get("/api/v1/messages", headers=headers).status_code == 401
        assert peak(live) < MOST
