"""The bench runs as its page says, and judges its own figures rightly; no test asserts a time."""

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from xml.etree import ElementTree

import httpx
import pytest
from project import DOCS

from benchmarks import __main__ as bench
from benchmarks.cpu import CpuClock
from benchmarks.figures import Figure, Row, at_least, at_most, figure, rounded
from benchmarks.filling import FAILED, TOKEN, filled
from benchmarks.load import get, run
from benchmarks.machine import Machine
from benchmarks.peers.programs import PEERS
from benchmarks.picture import picture
from benchmarks.report import Report, put_into_page
from benchmarks.servers import sandbox

TINY = "--rounds 1 --requests 40 --messages 100 --many 2000"
PARTS = sorted(set(bench.PARTS) - {"page"})  # it needs Chromium, and tests of the page have it
SECOND = 1e9  # nanoseconds
WORK = 0.2 * SECOND
SVG = "{http://www.w3.org/2000/svg}"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the bench reads /proc")


def work(nanoseconds: float) -> None:
    began = time.thread_time_ns()
    while time.thread_time_ns() - began < nanoseconds:
        pass


def report_of(*figures: Figure) -> Report:
    rows = {
        "rate": Row("rate", "sends", "of the echo", at_least(0.8)),
        "time": Row("time", "a <call>", "ms", at_most(50)),
        "free": Row("free", "without a goal", "ms"),
    }
    return Report(Machine.here(), rows, figures, 0.5, 1.0)


def cells(report: Report) -> list[Sequence[str]]:
    """Return the cells of the report's table in Markdown, below its headings."""
    lines = [line for line in report.markdown().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.live
@linux_only
@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_bench_measures_all_of_its_rows(part: str, tmp_path: Path) -> None:
    names = [row.name for row in bench.PARTS[part].ROWS if row.name != "demo"]  # tests/demo is run
    file, picture = tmp_path / "figures.json", tmp_path / "figures.svg"
    outputs = ["--json", str(file), "--svg", str(picture)]
    assert bench.main(["--rows", ",".join(names), *TINY.split(), *outputs]) == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert {each["row"] for each in found["figures"]} == set(names)
    assert all(each["value"] > 0 for each in found["figures"])
    assert found["packages"].keys() == {"uvicorn", "starlette", "uvloop", "httptools"}
    ElementTree.parse(picture)


@pytest.mark.live
@linux_only
def test_a_filled_file_is_one_that_a_sandbox_opens_with_all_its_messages(tmp_path: Path) -> None:
    count = 50
    file = filled(tmp_path / "filled.db", count)
    with sandbox(file) as server:
        origin, headers = f"http://127.0.0.1:{server.port}", {"X-Api-Key": TOKEN}
        with httpx.Client(base_url=origin, headers=headers) as client:
            history = client.get("/api/v1/developers/sms/history", params={"limit": 5}).json()
            failed = client.get("/_sandbox/messages", params={"status": "failed"}).json()
            sent = client.post(
                "/api/v1/messages/sms", json={"to": "+256701234567", "message": "Newest"}
            ).json()
            newest = client.get("/api/v1/messages").json()
    assert history["total"] == count
    assert {each["status"] for each in history["messages"]} == {"delivered"}
    assert failed["total"] == count // FAILED + 1
    assert newest["data"][0]["id"] == sent["id"]


@linux_only
def test_the_processor_time_of_threads_and_child_processes_counts() -> None:
    clock, own = CpuClock(os.getpid()), time.process_time_ns()
    before = clock.nanoseconds()
    thread = threading.Thread(target=work, args=(WORK,))
    thread.start()
    while thread.is_alive():
        clock.nanoseconds()
    thread.join()
    spent = time.process_time_ns() - own
    assert WORK * 0.5 < clock.nanoseconds() - before < spent * 1.5
    child = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", child], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert CpuClock(process.pid).nanoseconds() > 0.1 * SECOND
        assert CpuClock(process.pid, by_ticks=True).nanoseconds() > 0.1 * SECOND
        assert clock.nanoseconds() - before > 0.1 * SECOND
        process.communicate(b"\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nConnection: close\r\ncontent-length: 2\r\n\r\n{}",
    ],
    ids=["kept", "chunked", "closed"],
)
def test_a_load_sends_each_request_once_however_the_answers_end(answer: bytes) -> None:
    requests: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while received := self.request.recv(4096):
                requests.append(received)
                self.request.sendall(answer)
                if b"close" in answer:
                    return

    class Threads(socketserver.ThreadingTCPServer):
        request_queue_size = 64

    with Threads(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = run(server.server_address[1], 100, lambda number: get(f"/{number}"))
        server.shutdown()
    assert result.statuses == {b"201": 100}
    assert sorted(requests) == sorted(get(f"/{number}") for number in range(100))
    with pytest.raises(RuntimeError, match="201"):
        result.expect(200)


@pytest.mark.parametrize(
    ("goal", "value", "is_met"),
    [
        (at_least(0.8), 0.8, True),
        (at_least(0.8), 0.79, False),
        (at_least(1.0), 0.996, True),  # it is shown as 1.00
        (at_most(1.3), 1.3, True),
        (at_most(1.3), 1.31, False),
        (at_most(3000), 3000.4, True),
        (at_most(3000), 31_000, False),
    ],
)
def test_a_goal_is_met_if_the_figure_that_is_shown_meets_it(
    goal: object, value: float, is_met: bool
) -> None:
    assert goal.is_met(value) is is_met  # type: ignore[attr-defined]


def test_a_figure_is_the_median_with_its_quartiles() -> None:
    found = figure("rate", [5, 1, 2, 4, 3], us=[10, 30, 20])
    assert (found.low, found.value, found.high) == (2, 3, 4)
    assert found.parts == {"us": 20}
    assert figure("rate", [7]) == Figure("rate", 7, 7, 7)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.384, "0.38"), (12.34, "12.3"), (999.6, "1,000"), (12345, "12,345")]
)
def test_a_number_has_as_many_digits_as_say_something(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_the_table_says_whether_each_goal_is_met_and_with_how_much() -> None:
    fewer = replace(figure("time", [20]), is_smaller=True)
    report = report_of(figure("rate", [0.5, 0.7, 0.6], us_echo=[80]), fewer, figure("free", [1]))
    assert cells(report) == [
        ["rate", "sends", "0.60 of the echo", "0.55 to 0.65", "≥ 0.80", "no", "80.0 µs echo"],
        ["time", "a <call>", "20.0 ms", "", "≤ 50.0", "yes, with fewer", ""],
        ["free", "without a goal", "1.00 ms", "", "", "", ""],
    ]


def test_the_picture_has_its_figures_in_words() -> None:
    report = report_of(figure("rate", [0.4]), figure("time", [20]), figure("free", [1]))
    root = ElementTree.fromstring(picture(report))
    assert root.findtext(f"{SVG}title")
    words = root.findtext(f"{SVG}desc") or ""
    assert words == "sends: 0.40 of the echo, goal ≥ 0.80; a <call>: 20.0 ms, goal ≤ 50.0"
    bars = [each.get("class") for each in root.iter(f"{SVG}rect")]
    assert bars == ["missed", "met"]


def test_a_table_replaces_the_one_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- bench: begin -->\n\nold\n\n<!-- bench: end -->\n\nrest\n")
    put_into_page(page, "bench", "| new |")
    put_into_page(page, "bench", "| newer |")
    expected = "# A\n\n<!-- bench: begin -->\n\n| newer |\n\n<!-- bench: end -->\n\nrest\n"
    assert page.read_text() == expected
    with pytest.raises(ValueError, match="peers"):
        put_into_page(page, "peers", "| new |")


def test_rows_are_chosen_by_name_or_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.chosen("send,growth", is_short=False) == {
        "send",
        *(row.name for row in bench.PARTS["growth"].ROWS),
    }
    assert bench.chosen(None, is_short=False) == bench.ROWS.keys()
    assert "page-paint" not in bench.chosen(None, is_short=True)
    assert bench.main(["--rows", "nothing"]) == 2
    assert "there is no row nothing" in capsys.readouterr().err


def test_every_row_and_peer_is_explained_in_the_page() -> None:
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([\w-]+)`", page.partition("## What each row does")[2]))
    assert bench.ROWS.keys() - explained == set()
    assert [peer.name for peer in PEERS if peer.name not in page] == []


def test_the_versions_of_the_peers_are_pinned() -> None:
    assert [peer.name for peer in PEERS if not peer.absent and peer.version == "?"] == []


def test_a_part_that_cannot_be_measured_is_named_and_the_others_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Iterator[Figure]:
        yield figure("webhooks", [1])
        raise RuntimeError("1 of 2 webhooks came")

    def succeed(*_: object) -> Iterator[Figure]:
        yield figure("advance", [1])

    monkeypatch.setattr(bench.PARTS["deliveries"], "measure", fail)
    monkeypatch.setattr(bench.PARTS["travel"], "measure", succeed)
    assert bench.main(["--rows", "deliveries,travel"]) == 1
    printed = capsys.readouterr()
    assert "not measured: deliveries: 1 of 2 webhooks came" in printed.err
    assert "webhooks to a local receiver" in printed.out
    assert "advance over 100,000 unheard" in printed.out
