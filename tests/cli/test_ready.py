"""`ready`: whether a sandbox answers."""

import pytest
from command import finish, free_port, run, start
from live import Secured, serving


@pytest.mark.live
def test_ready_waits_until_it_answers_and_ends_with_0() -> None:
    port = str(free_port())
    waiting = start("ready", "--wait", "120", "--port", port)
    with serving("--port", port):
        assert finish(waiting) == (0, "", "")
        assert run("ready", MSGINE_SANDBOX_PORT=port)[0] == 0
        assert run("ready", "--port", port, MSGINE_SANDBOX_HOST="0.0.0.0")[0] == 0


@pytest.mark.live
@pytest.mark.parametrize("wait", [[], ["--wait", "0.1"]])
def test_ready_ends_with_1_where_nothing_answers(wait: list[str]) -> None:
    port = str(free_port())
    sentence = f"No sandbox answers on 127.0.0.1:{port}.\n"
    assert run("ready", "--port", port, *wait) == (1, "", sentence)


@pytest.mark.live
def test_ready_uses_https_with_tls(secured: Secured) -> None:
    port = secured.live.origin.rpartition(":")[2]
    assert run("ready", "--port", port, MSGINE_SANDBOX_TLS="1")[0] == 0
    assert run("ready", "--port", port)[0] == 1
