"""`make bench-peers`: the sandbox and other servers against the same bare echo.

Each does the work that it has for a message: it reads JSON, keeps it if it can, and answers 201
with JSON; then it answers a GET. The table says what each of them did.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.bursts import Burst, against_echo
from benchmarks.calls import read, send
from benchmarks.client import Client
from benchmarks.figures import Figure, Row, Scale, at_least, figure
from benchmarks.load import run
from benchmarks.machine import Machine, load_average
from benchmarks.peers.programs import PEERS, Peer, missing
from benchmarks.report import Report, put_into_page
from benchmarks.servers import BARE, STEPS, Server, running, sandbox

_OURS = "sandbox"
_FEW = 1000
"""Requests after which a peer is as most users meet it."""
_LONGEST = 2.0
"""Seconds of a burst: there is work of these servers that a few requests do not share."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all peers that are installed; return the exit status."""
    given = _parser().parse_args(arguments)
    scale = Scale(rounds=given.rounds, requests=given.requests, longest=_LONGEST, pause=given.pause)
    before = load_average()
    figures = list(_measured(scale))
    report = Report(Machine.here(), _rows(), figures, before, load_average())
    print(report.table())
    works = _works()
    print("\n" + "\n".join(works))
    if given.json:
        report.write_json(given.json)
    if given.page:
        listed = "\n".join(f"- {each}" for each in works)
        put_into_page(given.page, "peers", f"{report.markdown()}\n\n{listed}")
    return 0


def _measured(scale: Scale) -> Iterator[Figure]:
    """Measure one peer after the other, the sandbox first, and compare with the best of them."""
    ours, warm, best = 0.0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder, running(BARE) as bare:
        with sandbox(Path(folder, "peers.db")) as server:
            with Client(server.port, _OURS) as account:
                message = account.call("POST", "/api/v1/messages/sms", _SMS)["id"]
            path = f"/api/v1/messages/{message}"
            bursts = [
                Burst(f"{_OURS}-post", server, send(_OURS), 201, rest=STEPS),
                Burst(f"{_OURS}-get", server, read(_OURS, path)),
            ]
            for each in against_echo(bare, bursts, scale):
                yield each
                ours = each.value if each.row == f"{_OURS}-post" else ours
        for peer in PEERS:
            if missing(peer):
                continue
            print(f"{peer.name} …", file=sys.stderr, flush=True)
            try:
                for each in _peer(peer, Path(folder), bare, scale):
                    yield each
                    if each.row.endswith("-post"):
                        warm = max(warm, each.value)
                        best = best if peer.warm_up > _FEW else max(best, each.value)
            except RuntimeError as error:
                print(f"benchmarks: {peer.name} is not measured: {error}", file=sys.stderr)
    if best:
        yield figure("best", [ours / best])
        yield figure("best-warm", [ours / warm])


def _peer(peer: Peer, folder: Path, bare: Server, scale: Scale) -> Iterator[Figure]:
    with peer.running(folder) as server:
        post = Burst(f"{peer.name}-post", server, peer.post, peer.status)
        get = Burst(f"{peer.name}-get", server, peer.get)
        bursts = [post, get] if peer.has_get else [post]
        for _ in range(0, peer.warm_up, scale.requests):
            for each in bursts:  # of new connections, as each burst is
                run(server.port, scale.requests, each.write).expect(each.status)
        server.cpu.at_rest(rest=1, bound=60)
        yield from against_echo(bare, bursts, scale)


_SMS = {"to": "+256701234567", "message": "Your code is 493817"}


def _rows() -> dict[str, Row]:
    names = [_OURS, *(peer.name for peer in PEERS)]
    kinds = {"post": "POST of a message", "get": "GET of a message"}
    rows = [
        Row(f"{name}-{kind}", f"{name}, {what}", "of the echo")
        for name in names
        for kind, what in kinds.items()
    ]
    rows += [
        Row("best", "the sandbox's POST against the best peer's", "times", at_least(3)),
        Row("best-warm", "the same, a peer with 50,000 requests included", "times", at_least(3)),
    ]
    return {row.name: row for row in rows}


def _works() -> list[str]:
    """Return for each peer what work it did, or why it did none."""
    return [
        f"{peer.name}: not measured: {why}" if (why := missing(peer)) else peer.description
        for peer in PEERS
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="bursts of each row")
    parser.add_argument("--requests", type=int, default=200, help="requests in a burst")
    parser.add_argument("--pause", type=int, default=0, help="microseconds of the client")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--page", type=Path, metavar="FILE", help="put the table into this page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
