"""Four cells behind nginx, with deploy/nginx.conf as it is."""

import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cells import CELLS, configured
from command import LIMIT, free_port, start
from live import Live
from nginx import nginx

pytestmark = pytest.mark.live

SPELLINGS = [
    "Authorization: Bearer {}",
    "authorization: bearer {}",
    "Authorization: BEARER   {} ",
    "Authorization: {}",
    "X-Api-Key: {}",
    "Authorization: Bearer {}\r\nX-Api-Key: another",
    "Authorization: {}\r\nX-Api-Key: another",
]
TOKENS = [f"test_cells_{number}" for number in range(2000)]
BEFORE = 6
"""Messages of a token before its cell is killed."""
MOST = 900


# Routing: nginx alone, with cells that say their names


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of nginx before four cells that answer with their names."""
    ports = [free_port() for _ in (*CELLS, "proxy")]
    *cells, port = ports
    config = configured(port, {n: f"127.0.0.1:{p}" for n, p in zip(CELLS, cells, strict=True)})
    for name, each in zip(CELLS, cells, strict=True):
        config += f"server {{ listen 127.0.0.1:{each}; location / {{ return 200 {name}; }} }}\n"
    with nginx(tmp_path_factory.mktemp("nginx"), config, port):
        yield port


def asked(port: int, requests: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """Return the status and body of requests, given by path and headers."""
    # nginx closes a connection after its thousandth request.
    return [
        answer
        for begin in range(0, len(requests), 500)
        for answer in pipelined(port, requests[begin : begin + 500])
    ]


def pipelined(port: int, requests: list[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection,
        connection.makefile("rb") as file,
    ):
        for path, headers in requests:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: p\r\n{headers}\r\n\r\n".encode())
        for _ in requests:
            status = int(file.readline().split()[1])
            head = dict(line.rstrip().split(b": ", 1) for line in iter(file.readline, b"\r\n"))
            yield status, file.read(int(head[b"Content-Length"])).decode()


def test_a_token_is_always_at_one_cell_in_every_spelling(named: int) -> None:
    found: dict[str, set[str]] = {}
    for spelling in SPELLINGS:
        answers = asked(named, [("/api/v1/messages", spelling.format(token)) for token in TOKENS])
        for token, (status, cell) in zip(TOKENS, answers, strict=True):
            assert status == 200
            found.setdefault(token, set()).add(cell)
    assert [token for token, cells in found.items() if len(cells) > 1] == []
    shares = Counter(cell for [cell] in found.values())
    assert shares.keys() == set(CELLS)
    assert all(400 <= count <= 600 for count in shares.values()), shares


def test_a_control_call_goes_where_the_account_is(named: int) -> None:
    for token in TOKENS[:50]:
        credential = SPELLINGS[0].format(token)
        paths = ["/api/v1/messages", "/_sandbox/messages", "/_sandbox/events", "/_sandbox/reset"]
        assert len(set(asked(named, [(path, credential) for path in paths]))) == 1


@pytest.mark.parametrize(
    "headers",
    [
        "X-Other: 1",
        "X-Control-Token: sesame",
        "X-Sandbox-Account: acc_0000000000000001",
        "X-Api-Key: ",
    ],
)
@pytest.mark.parametrize("path", ["/_sandbox/messages", "/_sandbox/events", "/_sandbox/metrics"])
def test_a_control_call_without_an_account_is_refused(named: int, path: str, headers: str) -> None:
    [(status, body)] = asked(named, [(path, headers)])
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (400, "invalid_request")
    assert "name an account by its token" in error["message"]
    assert json.loads(body)["meta"].keys() == {"requestId", "timestamp"}


def test_each_cell_can_be_asked_as_a_whole(named: int) -> None:
    paths = [f"/cells/{number}/_sandbox/metrics" for number in range(len(CELLS))]
    assert asked(named, [(path, "X: 1") for path in paths]) == [(200, cell) for cell in CELLS]
    for path in ("/_sandbox/health", "/_sandbox/magic", "/ui/main.js"):
        assert asked(named, [(path, "X: 1")])[0][0] == 200


# Four sandboxes


class Cell:
    """A sandbox with a file, which can be killed and started again at its port."""

    def __init__(self, number: int, folder: Path) -> None:
        self.port = free_port()
        self._flags = ["--port", str(self.port), "--tier", "unlimited", "--quiet"]
        self._flags += ["--database", str(folder / f"cell-{number}.db")]
        self._flags += ["--root-path", f"/cells/{number}", "--allowed-host", "sandbox.test"]
        self.start()

    def start(self) -> None:
        process = start("serve", *self._flags, stderr=None)
        assert process.stdout is not None
        self.live = Live(process, process.stdout.readline().strip())
        assert self.live.base_url

    def kill(self) -> None:
        self.live.process.kill()
        self._end()

    def stop(self) -> None:
        self.live.process.terminate()
        self._end()

    def _end(self) -> None:
        self.live.process.wait(timeout=LIMIT)
        assert self.live.process.stdout is not None
        self.live.process.stdout.close()


def call(
    connection: http.client.HTTPConnection, method: str, path: str, token: str = "", **fields: Any
) -> tuple[int, Any]:
    headers = {"Host": "sandbox.test"} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = None
    if fields:
        headers |= {
            "Content-Type": "application/json",
            "Idempotency-Key": fields["message"].replace(" ", "-"),
        }
        body = json.dumps(fields)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read()
    is_json = response.headers.get_content_type() == "application/json"
    return response.status, json.loads(content) if is_json else content


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        yield connection
    finally:
        connection.close()


class Sender(threading.Thread):
    """Sends messages of one token, each until it is accepted, until its cell is back."""

    def __init__(
        self, port: int, token: str, back: threading.Event, failed: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.port, self.token, self._back, self._failed = port, token, back, failed
        self.accepted: list[str] = []
        self.refused: list[int] = []
        self.has_begun = threading.Event()

    def run(self) -> None:
        with connected(self.port) as connection:
            while len(self.accepted) < MOST and not self._back.is_set():
                text = f"{len(self.accepted)} of {self.token}"
                while (status := self._status(connection, text)) != 201:
                    self.refused.append(status)
                    self._failed.set()
                    self._back.wait(LIMIT)
                self.accepted.append(text)
                if len(self.accepted) == BEFORE:
                    self.has_begun.set()

    def _status(self, connection: http.client.HTTPConnection, text: str) -> int:
        fields = {"to": "+256701234567", "message": text}
        return call(connection, "POST", "/api/v1/messages/sms", self.token, **fields)[0]


def test_a_killed_cell_concerns_its_tokens_only_and_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    port = free_port()
    with ExitStack() as opened:
        cells = [Cell(number, tmp_path) for number in range(len(CELLS))]
        for cell in cells:
            opened.callback(lambda each=cell: each.stop())
        addresses = {n: f"127.0.0.1:{cell.port}" for n, cell in zip(CELLS, cells, strict=True)}
        opened.enter_context(nginx(tmp_path, configured(port, addresses), port))
        proxy = opened.enter_context(connected(port))
        tokens = [f"test_load_{number}" for number in range(24)]
        for token in tokens:
            assert call(proxy, "GET", "/_sandbox/account", token)[0] == 200
        owned = []
        for number in range(len(CELLS)):
            _, accounts = call(proxy, "GET", f"/cells/{number}/_sandbox/accounts?limit=1000")
            owned.append({each["token"] for each in accounts["data"]})
        assert sorted(each for some in owned for each in some) == sorted(tokens)
        killed = max(range(len(CELLS)), key=lambda number: len(owned[number]))

        back, failed = threading.Event(), threading.Event()
        senders = [Sender(port, token, back, failed) for token in tokens]
        for sender in senders:
            sender.start()
        victims = [each for each in senders if each.token in owned[killed]]
        assert all(each.has_begun.wait(LIMIT) for each in senders)
        cells[killed].kill()
        assert failed.wait(LIMIT)
        cells[killed].start()
        back.set()
        for sender in senders:
            sender.join(LIMIT)
            assert not sender.is_alive()

        others = [each for each in senders if each not in victims]
        assert [each.refused for each in others if each.refused] == []
        assert {status for each in victims for status in each.refused} == {502}
        for sender in senders:
            path = "/_sandbox/messages?limit=1000&view=summary"
            status, listed = call(proxy, "GET", path, sender.token)
            assert status == 200
            assert [each["message"] for each in listed["data"]][::-1] == sender.accepted


def test_what_is_the_same_at_every_cell_does_not_lead_below_one(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as opened:
        cell = Cell(0, tmp_path)
        opened.callback(cell.stop)
        addresses = dict.fromkeys(CELLS, f"127.0.0.1:{cell.port}")
        opened.enter_context(nginx(tmp_path, configured(port, addresses), port))
        proxy = opened.enter_context(connected(port))
        for path, base in (("/openapi.json", "/api/v1"), ("/_sandbox/openapi.json", "/")):
            assert call(proxy, "GET", path)[1]["servers"][0]["url"] == base
        for path in ("/_sandbox", "/llms.txt", "/docs/", "/docs/api", "/ui/docs.css"):
            status, content = call(proxy, "GET", path)
            assert (status, "/cells/" in str(content)) == (200, False), path
        # An address that the page names is none of its links.
        assert b"http://localhost:8256/cells/0/" in call(proxy, "GET", "/docs/scaling")[1]
        assert call(proxy, "GET", "/cells/0/openapi.json")[1]["servers"][0]["url"] == (
            "/cells/0/api/v1"
        )
        proxy.request("GET", "/cells/0")
        with proxy.getresponse() as response:
            assert response.headers["Location"] == "/cells/0/"

        # Of a repeated header a sandbox takes the last, and nginx hashes the first or none.
        request = "GET /_sandbox/account HTTP/1.1\r\nHost: sandbox.test\r\nConnection: close\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
            connection.sendall(
                f"{request}X-Api-Key: test_first\r\nX-Api-Key: test_last\r\n\r\n".encode()
            )
            with connection.makefile("rb") as file:
                file.read()
        opened_by = call(proxy, "GET", "/cells/0/_sandbox/accounts?q=test_last")[1]
        assert opened_by["data"] == []


def test_live_events_arrive_while_the_stream_is_open(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as opened:
        cell = Cell(0, tmp_path)
        opened.callback(cell.stop)
        addresses = dict.fromkeys(CELLS, f"127.0.0.1:{cell.port}")
        opened.enter_context(nginx(tmp_path, configured(port, addresses), port))
        for path in ("/_sandbox/events", "/cells/0/_sandbox/events"):
            stream = opened.enter_context(connected(port))
            headers = {"Host": "sandbox.test", "Authorization": "Bearer test_events"}
            stream.request("GET", path, headers=headers)
            events = opened.enter_context(stream.getresponse())
            lines = iter(events.readline, b"")
            sender = opened.enter_context(connected(port))
            fields = {"to": "+256701234567", "message": path}
            assert call(sender, "POST", "/api/v1/messages/sms", "test_events", **fields)[0] == 201
            # It would never come if nginx waited until its buffer is full: the stream stays open.
            assert any(path.encode() in line for line in lines if line.startswith(b"data:"))
