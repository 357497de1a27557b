"""What is imported by a start: counts, which do not depend on how fast the machine is."""

import subprocess
import sys
from importlib.metadata import packages_distributions

SERVER = """
import os, socket, sys, threading
before = set(sys.modules)
from msgine_sandbox import cli, server
from msgine_sandbox.cli import serve

for name in vars(server):
    if name.endswith("_AFTER"):  # what is prepared some time later
        setattr(server, name, 3600)

def ask(url):
    with socket.create_connection((b"127.0.0.1", int(url.split(":")[2].split("/")[0]))) as client:
        client.sendall(b"GET /_sandbox/health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    print(*sys.modules.keys() - before, flush=True)
    os._exit(0)

serve.print_url = lambda url: threading.Thread(target=ask, args=[url]).start()
sys.argv[1:] = ["serve", "--port", "0", "--quiet"]
cli.main()
"""

CLIENT = """
import sys
before = set(sys.modules)
import msgine_sandbox
from msgine_sandbox.testing import process

spawn = process._spawn

def spied(*args):
    print(*sys.modules.keys() - before)
    return spawn(*args)

process._spawn = spied
with msgine_sandbox.start() as account:
    print(*sys.modules.keys() - before)
    answered = set(sys.modules)
    account.clock.now
    print(*sys.modules.keys() - answered)
"""

NEEDED = {
    *("click", "httptools", "msgspec", "starlette", "uvicorn", "uvloop"),
    *("anyio", "exceptiongroup", "sniffio", "typing_extensions"),  # what these import
    "python_multipart",  # which Starlette imports where it is installed, here for `mcp`
}
"""The packages of others that a first answer needs; all further ones are imported on first use."""


def imported_by(program: str) -> list[set[str]]:
    """Run a program, and return the modules that it names, a set for each line."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return [set(line.split()) for line in ended.stdout.splitlines()]


def ours(modules: set[str]) -> set[str]:
    return {each for each in modules if each.partition(".")[0] == "msgine_sandbox"}


def test_a_first_answer_needs_few_packages_and_modules() -> None:
    [modules] = imported_by(SERVER)
    packages = {each.partition(".")[0] for each in modules} & packages_distributions().keys()
    assert packages - {"msgine_sandbox"} <= NEEDED
    # Large tables, and the first of them for no reason but that a host is a text.
    assert not modules & {"encodings.idna", "stringprep", "unicodedata", "difflib"}
    unused = {"msgine_sandbox.request_log", "msgine_sandbox.scenario", "msgine_sandbox.testing"}
    assert not modules & {*unused, "starlette.routing"}
    assert 100 < len(ours(modules)) <= 132


def test_the_client_is_imported_while_the_sandbox_starts() -> None:
    before, meanwhile, first_call = imported_by(CLIENT)
    assert not before & {"email", "http.client", "ssl", "msgine_sandbox.testing.account"}
    assert len(ours(before)) <= 14
    assert {"http.client", "msgine_sandbox.testing.account"} <= meanwhile
    assert len(ours(meanwhile)) <= 24
    assert first_call == set()


def test_tests_that_name_a_class_of_the_client_import_all_of_it() -> None:
    named = "import sys; from msgine_sandbox.testing import Server; print(*sys.modules)"
    [modules] = imported_by(named)
    assert {"http.client", "ssl", "encodings.idna", "msgine_sandbox.testing.account"} <= modules
