"""The peers: how each is started, what it is asked, and what it does for that."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.calls import sms
from benchmarks.load import get, post
from benchmarks.machine import ROOT
from benchmarks.servers import Server, started

_CONFIGURED = Path(__file__).parent
_INSTALLED = ROOT / ".peers"
_MODULES = _INSTALLED / "node_modules"
_COMMANDS = _MODULES / ".bin"


@dataclass(frozen=True)
class Peer:
    """A program that stands in for a service."""

    name: str
    package: str
    work: str
    """What it does with a message, as the table says it."""
    command: Sequence[str] = ()
    """How it is started; the port is the next argument."""
    health: str = "/messages/first"
    status: int = 201
    """What it answers to a POST."""
    has_get: bool = True
    warm_up: int = 1000
    """Requests before the first that counts: about what a suite or a short load test makes."""
    by_ticks: bool = False
    absent: str = ""
    """Why no registry has it."""

    @property
    def version(self) -> str:
        """The version that is pinned."""
        lock = (_CONFIGURED / "package-lock.json").read_text(encoding="utf-8")
        found = json.loads(lock)["packages"].get(f"node_modules/{self.package}")
        if found:
            return str(found["version"])
        pinned = (_CONFIGURED / "requirements.txt").read_text(encoding="utf-8")
        match = re.search(rf"^{self.package}==(.+)$", pinned, re.M)
        return match[1] if match else "?"

    @property
    def description(self) -> str:
        return f"{self.name} {self.version}: {self.work}"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Server]:
        """Run it on a copy of its configuration, beside which it may write."""
        copy = folder / self.name
        shutil.copytree(_CONFIGURED, copy)
        with started(self.command, self.health, folder=copy) as server:
            yield replace(server, by_ticks=self.by_ticks)

    def post(self, number: int) -> bytes:
        """Write the send of a message."""
        return post("/messages", json.dumps(sms(number)).encode())

    def get(self, _: int) -> bytes:
        """Write the read of a message."""
        return get("/messages/first")


class _Moto(Peer):
    """Takes an SMS as Amazon's SNS does: a form, answered in XML."""

    def post(self, number: int) -> bytes:
        message = sms(number)
        form = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": message["to"],
            "Message": message["message"],
        }
        credential = "Credential=key/20260101/us-east-1/sns/aws4_request"
        signed = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
        written = post("/", urlencode(form).encode(), f"Authorization: {signed}")
        return written.replace(b"application/json", b"application/x-www-form-urlencoded")


def _jar() -> str:
    return str(next(iter((_MODULES / "wiremock" / "build").glob("*.jar")), "wiremock.jar"))


_WIREMOCK = Peer(
    "WireMock",
    "wiremock",
    "matches a stub by path and JSON, answers from a template with the message's fields, and keeps "
    "the request in its journal; a GET is answered from a template, not from what was stored",
    ("java", "-jar", _jar(), "--root-dir", "wiremock", "--bind-address", "127.0.0.1", "--port"),
)
PEERS = (
    _WIREMOCK,
    replace(
        _WIREMOCK,
        name="WireMock-warm",
        work="the same after 50,000 requests, when Java has compiled what runs often",
        warm_up=50_000,
    ),
    Peer(
        "Mockoon",
        "@mockoon/cli",
        "stores the message in a data bucket in memory under an id of its own, and reads it from "
        "there; storing takes longer the more there are",
        (
            str(_COMMANDS / "mockoon-cli"), "start", "--disable-log-to-file", "--data",
            "mockoon.json", "--port",
        ),
    ),
    Peer(
        "Prism",
        "@stoplight/prism-cli",
        "checks the request against an OpenAPI document and answers with the document's example; "
        "stores nothing",
        (str(_COMMANDS / "prism"), "mock", "openapi.yaml", "--host", "127.0.0.1", "--port"),
    ),
    Peer(
        "json-server",
        "json-server",
        "stores the message in memory under an id of its own, and reads it from there; with a JSON "
        "file it would write all messages again with each",
        (str(_COMMANDS / "json-server"), "db.js", "--host", "127.0.0.1", "--quiet", "--port"),
    ),
    _Moto(
        "moto",
        "moto",
        "takes an SMS by the Publish of SNS, a form that is answered 200 with XML, and stores it "
        "in memory; SNS has no call that reads it",
        (str(_INSTALLED / "python" / "bin" / "moto_server"), "-H", "127.0.0.1", "-p"),
        health="/moto-api/",
        status=200,
        has_get=False,
        by_ticks=True,
        warm_up=300,
    ),
    Peer(
        "emulate",
        "emulate",
        "",
        absent="the registries have no such server; npm's package of that name is another program",
    ),
)  # fmt: skip


def missing(peer: Peer) -> str:
    """Return why a peer cannot be measured; empty if it can."""
    if peer.absent:
        return peer.absent
    program = peer.command[0]
    if shutil.which(program) is None:
        return f"{Path(program).name} is not installed"
    jars = [part for part in peer.command if part.endswith(".jar") and not Path(part).is_file()]
    return f"{jars[0]} is not installed" if jars else ""
