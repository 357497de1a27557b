"""Sandboxes that the Python client starts and connects to."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from client_sends import post_sms, send_sms
from live import serving

import msgine_sandbox
from msgine_sandbox.settings import SettingsError
from msgine_sandbox.testing import (
    SandboxError,
    SandboxUnreachable,
)


def test_a_sandbox_runs_for_a_block_and_is_stopped_after_it() -> None:
    threads = threading.active_count()
    with msgine_sandbox.start(tier="free", sent_after=0, delivered_after=0) as account:
        assert account.settings.tier == "free"
        send_sms(account)
        assert account.wait_for_message(status="delivered").text == "Hello"
        account.server.wire.call("GET", "/health")  # a connection that is kept
    assert threading.active_count() == threads
    with pytest.raises(httpx.ConnectError):
        httpx.get(account.origin)


@pytest.mark.parametrize("pending", ["nothing", "a wait", "a delay"])
def test_a_stop_does_not_wait_for_what_is_pending(pending: str) -> None:
    with ThreadPoolExecutor() as pool:
        with msgine_sandbox.start() as account, httpx.Client() as idle:
            idle.get(f"{account.origin}/_sandbox/health")
            if pending == "a wait":
                pool.submit(account.wait_for_message, timeout=60)
            if pending == "a delay":
                account.faults.delay(60)
                pool.submit(post_sms, account)
            idle.get(f"{account.origin}/_sandbox/health")
            began = time.monotonic()
        assert time.monotonic() - began < 45


def test_sandboxes_run_side_by_side() -> None:
    with msgine_sandbox.start() as one, msgine_sandbox.start() as other:
        send_sms(one)
        assert other.another(one.token).messages.list() == []


def test_a_sandbox_with_observed_answers_is_used_by_either_form_of_an_id() -> None:
    with msgine_sandbox.start(answers="observed") as account:
        assert account.settings.answers == "observed"
        answer = post_sms(account)
        assert (answer.status_code, answer.json()["cost"]) == (200, 30)
        message = account.wait_for_message()
        assert (message.id, message.sid) == (answer.json()["id"], None)
        assert (message.cost, message.currency) == (30, "UGX")
        assert message.deliver().status == "delivered"
        assert [each.message_id for each in account.requests] == [message.id]
        digits = message.id[:8] + message.id[9:13] + message.id[15:18] + message.id[20]
        account.messages.delete(f"msg_{digits}")
        assert len(account.messages) == 0


def test_a_start_that_fails_says_why_and_leaves_nothing_behind(tmp_path: Path) -> None:
    threads = threading.active_count()
    (tmp_path / "text").write_text("no database" * 100)
    with msgine_sandbox.start() as account:
        port = int(account.origin.rpartition(":")[2])
        with pytest.raises(SettingsError, match="--port"), msgine_sandbox.start(port=port):
            pass
    for settings in ({"prot": 1}, {"tier": "gold"}, {"scenario": str(tmp_path / "none.json")}):
        with pytest.raises(SettingsError), msgine_sandbox.start(**settings):
            pass
    with (
        pytest.raises(Exception, match="is not a SQLite database"),
        msgine_sandbox.start(database=str(tmp_path / "text")),
    ):
        pass
    assert threading.active_count() == threads


def test_a_sandbox_with_a_control_token_needs_it() -> None:
    with serving("--control-token", "sesame") as live:
        with msgine_sandbox.connect(live.origin, control_token="sesame") as account:
            assert len(account.messages) == 0
        with (
            msgine_sandbox.connect(live.origin) as other,
            pytest.raises(SandboxError, match="401"),
        ):
            len(other.messages)
    with msgine_sandbox.start(control_token="sesame") as account:
        assert len(account.messages) == 0


def test_only_accepted_tokens_are_used() -> None:
    with msgine_sandbox.start(token=("test_one", "test_two")) as account:
        assert account.token == "test_one"
        send_sms(account)


def test_over_tls_it_trusts_its_own_sandbox_and_otherwise_the_systems_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with msgine_sandbox.start(tls=True, tls_ca=str(tmp_path / "ca.pem")) as account:
        assert account.base_url.startswith("https://")
        assert len(account.messages) == 0
        with pytest.raises(SandboxUnreachable), msgine_sandbox.connect(account.origin):
            pass
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with msgine_sandbox.connect(account.origin, account.token) as same:
            assert len(same.messages) == 0


def test_connecting_to_something_else_says_that_it_is_not_a_sandbox(receiver: Any) -> None:
    for url, words in (
        ("http://127.0.0.1:9", "No sandbox answers at http://127.0.0.1:9"),
        (receiver.url, "is not msgine-sandbox"),
        ("nonsense", "No sandbox answers at nonsense"),
    ):
        with pytest.raises(SandboxUnreachable, match=words), msgine_sandbox.connect(url):
            pass


@pytest.mark.parametrize("body", [b'{"status": 404, "error": "Not Found"}', b'{"error": []}'])
def test_the_error_of_another_server_is_none_of_a_sandbox(body: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with (
            pytest.raises(SandboxUnreachable, match="is not msgine-sandbox: it answered 404"),
            msgine_sandbox.connect(url),
        ):
            pass
        server.shutdown()
