"""The sandbox as a child process of the tests that use it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest
from children import arguments, sandbox_children
from client_sends import NUMBER, send_sms
from command import LIMIT

import msgine_sandbox
from msgine_sandbox.testing import (
    MessageNotFound,
    SandboxUnreachable,
    Server,
    WebhookNotFound,
    WebhookReceiver,
)

UNREACHABLE = "http://127.0.0.1:9/hook"


@pytest.fixture
def others() -> list[int]:
    """The sandboxes of other tests of this session."""
    return sandbox_children()


def connected(origin: str) -> socket.socket:
    """Return a connection to a sandbox, which ends when the sandbox does."""
    url = urlsplit(origin)
    return socket.create_connection((url.hostname, url.port or 0), timeout=LIMIT)


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other end has closed a connection."""
    with suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


# What the child gets


def test_credentials_are_no_arguments_of_the_process(others: list[int]) -> None:
    with msgine_sandbox.start(token="test_secret_one", control_token="sesame") as account:
        [child] = sandbox_children(besides=others)
        assert arguments(child)[1:4] == ["-P", "-m", "msgine_sandbox"]
        assert "secret" not in " ".join(arguments(child))
        assert "sesame" not in " ".join(arguments(child))
        assert account.token == "test_secret_one"
        assert len(account.messages) == 0


def test_settings_in_the_environment_are_those_of_another_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MSGINE_SANDBOX_TIER", "bogus")
    monkeypatch.setenv("MSGINE_SANDBOX_TOKEN", "only_this_one")
    monkeypatch.setenv("MSGINE_SANDBOX_PORT", "1")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    with msgine_sandbox.start(delivery="manual") as account:
        assert account.settings.tier == "starter"


def test_files_of_the_tests_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uvicorn", "queue", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    with msgine_sandbox.start(database="here.db") as account:
        send_sms(account)
    assert (tmp_path / "here.db").exists()


def test_paths_may_be_path_objects(tmp_path: Path) -> None:
    with msgine_sandbox.start(database=tmp_path / "my data.db") as account:
        send_sms(account)
    assert (tmp_path / "my data.db").exists()


# How it ends


def test_it_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(others: list[int]) -> None:
    with msgine_sandbox.start() as account:
        [child] = sandbox_children(besides=others)
        assert os.getsid(child) == child
        assert len(account.messages) == 0
    assert sandbox_children(besides=others) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_process_that_has_started_it(number: signal.Signals) -> None:
    # It looks for signals again and again, because one that comes just before Python blocks, to
    # read for example, is only noticed once it does not block any more.
    program = """
        import msgine_sandbox, time
        with msgine_sandbox.start() as account:
            print(account.origin, flush=True)
            while True:
                time.sleep(0.05)
        """
    with subprocess.Popen(
        [sys.executable, "-c", dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        with closing(connected(parent.stdout.readline().strip())) as connection:
            [child] = sandbox_children(parent.pid)
            parent.send_signal(number)
            assert is_closed(connection)
        parent.wait(LIMIT)
    while Path(f"/proc/{child}").exists():  # until its new parent has taken note of its end
        os.sched_yield()


def test_its_end_is_explained_to_whoever_still_calls_it(
    monkeypatch: pytest.MonkeyPatch, others: list[int]
) -> None:
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")
    with msgine_sandbox.start() as account:
        assert len(account.messages) == 0
        [child] = sandbox_children(besides=others)
        os.kill(child, signal.SIGABRT)
        with pytest.raises(SandboxUnreachable) as failed:
            list(iter(account.messages.list, None))  # until the signal has arrived
    assert str(failed.value).startswith("The sandbox has ended: signal 6, and its output ends")
    assert "Fatal Python error: Aborted" in str(failed.value)


@pytest.mark.parametrize(("settings", "is_logged"), [({}, False), ({"quiet": False}, True)])
def test_its_output_has_no_log_of_requests_unless_that_is_wanted(
    settings: dict[str, bool], is_logged: bool, others: list[int]
) -> None:
    with msgine_sandbox.start(**settings) as account:
        send_sms(account)
        assert len(account.messages) == 1  # the send has been logged before this was answered
        [child] = sandbox_children(besides=others)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(SandboxUnreachable) as failed:
            list(iter(account.messages.list, None))  # until the signal has arrived
    assert ("/api/v1/messages/sms" in str(failed.value)) is is_logged


def test_a_child_that_cannot_even_begin_says_why(
    monkeypatch: pytest.MonkeyPatch, others: list[int]
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    with pytest.raises(SandboxUnreachable, match=r"did not start: status 1, .*(?s:.)*Fatal Python"):
        Server.start()
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxUnreachable, match=r"did not start: .*No such file"):
        Server.start()
    assert sandbox_children(besides=others) == []


def test_a_fork_of_the_tests_may_end_without_stopping_it() -> None:
    with msgine_sandbox.start() as account:
        fork = os.fork()
        if not fork:
            os._exit(0)
        assert os.waitpid(fork, 0)[1] == 0
        assert len(account.messages) == 0


# What tests replace in their own process


def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, lambda: 1_000_000_000.0)
        monkeypatch.setattr(time, f"{name}_ns", lambda: 1_000_000_000_000_000_000)
    for module in ("threading", "subprocess", "socketserver"):
        # As freezing tools do with the names that modules have imported.
        name = "time" if module == "socketserver" else "_time"
        monkeypatch.setattr(f"{module}.{name}", time.monotonic)


def test_a_clock_that_stands_still_neither_delays_it_nor_hangs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = datetime.now(UTC)
    with monkeypatch.context() as patch:
        frozen(patch)
        with msgine_sandbox.start(sent_after=0, delivered_after=0.05) as account:
            with WebhookReceiver(account) as hooks:
                send_sms(account)
                delivered = account.wait_for_message(status="delivered", timeout=LIMIT)
                assert hooks.wait_for(count=2, timeout=LIMIT).event == "message.delivered"
                with pytest.raises(WebhookNotFound):
                    hooks.wait_for(count=3, timeout=0.05)
            with pytest.raises(MessageNotFound):
                account.wait_for_message(contains="never", timeout=0.05)
    assert began.replace(microsecond=0) <= delivered.created_at <= datetime.now(UTC)


def test_no_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> float:
        raise AssertionError("a clock was read")

    with monkeypatch.context() as patch:
        for name in ("time", "monotonic", "perf_counter", "sleep"):
            patch.setattr(time, name, read)
        with msgine_sandbox.start() as account, WebhookReceiver(account) as hooks:
            account.messages.list()
            account.clock.advance(hours=1)
            with pytest.raises(WebhookNotFound):
                hooks.wait_for(timeout=0.01)
            with pytest.raises(MessageNotFound):
                account.wait_for_message(timeout=0.01)


# Beside the code under test


def test_a_webhook_that_fails_in_a_container_is_not_advised_to_go_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("container", "docker")
    with msgine_sandbox.start() as account:
        account.webhooks.listen(UNREACHABLE)
        send_sms(account)
        account.clock.advance(seconds=1)
        assert [each.code for each in account.requests.warnings] == ["webhook-failed"]


# Coroutines that block their own event loop


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No call is warned about because the machine is slow; a test changes it where one is to be."""
    for module in ("client", "receiver"):
        monkeypatch.setattr(f"msgine_sandbox.testing.{module}.WARN_AFTER", LIMIT)
    return monkeypatch


async def test_a_call_that_keeps_its_own_receiver_from_answering_says_so(
    patient: pytest.MonkeyPatch,
) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with msgine_sandbox.start(webhook_timeout=4) as account:
            account.webhooks.listen(f"http://127.0.0.1:{port}/hook", ["message.sent"])
            account.clock.freeze()
            send_sms(account)
            with patient.context() as hasty:
                hasty.setattr("msgine_sandbox.testing.client.WARN_AFTER", 0.5)
                with pytest.warns(RuntimeWarning, match="asyncio.to_thread") as warned:
                    account.clock.advance(seconds=1)
            assert [each.filename for each in warned] == [__file__]
            account.clock.advance(seconds=1)
            await asyncio.to_thread(account.clock.advance, seconds=10)
            assert [each.status for each in account.webhooks.attempts] == [200, None]


async def test_a_wait_in_a_coroutine_warns_only_when_it_blocks(patient: pytest.MonkeyPatch) -> None:
    with msgine_sandbox.start() as account, WebhookReceiver(account) as hooks:
        send_sms(account)
        account.wait_for_message(to=NUMBER)
        patient.setattr("msgine_sandbox.testing.receiver.WARN_AFTER", 0.05)
        with (
            pytest.warns(RuntimeWarning, match="asyncio.to_thread"),
            pytest.raises(WebhookNotFound),
        ):
            hooks.wait_for(event="message.failed", timeout=0.1)


def test_the_process_that_starts_one_imports_the_standard_library_only() -> None:
    script = (
        "import sys; before = set(sys.modules)\n"
        "from msgine_sandbox.testing import Server\n"
        "with Server.start(tier='free') as server: server.account().clock.now\n"
        "added = {each.partition('.')[0] for each in sys.modules.keys() - before}\n"
        "added -= sys.stdlib_module_names | {'msgine_sandbox'}\n"
        "assert not added, added\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
