"""The client and the plugin need the standard library and pytest, unless they start a sandbox.

`make compat` builds an environment for this that has nothing else, not even what the sandbox needs.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

SUITE = """
    import importlib.util, json, urllib.request
    import pytest
    from msgine_sandbox.testing import UNREACHABLE
    from msgine_sandbox.testing.errors import MessageNotFound

    @pytest.mark.parametrize("name", ["msgspec", "starlette", "uvicorn", "httpx", "click"])
    def test_nothing_is_installed(name):
        assert importlib.util.find_spec(name) is None

    def test_a_text_is_delivered(msgine, msgine_webhooks):
        urllib.request.urlopen(urllib.request.Request(
            f"{msgine.base_url}/messages/sms",
            json.dumps({"to": "+256701234567", "message": "Code 493817: https://a.example/x"}).encode(),
            {"Authorization": f"Bearer {msgine.token}", "Content-Type": "application/json"},
        )).close()
        sms = msgine.wait_for_message(to="+256701234567")
        assert (sms.code, sms.links) == ("493817", ["https://a.example/x"])
        msgine.clock.advance(seconds=3)
        assert msgine_webhooks.events == ["message.sent", "message.delivered"]
        assert all(webhook.verified for webhook in msgine_webhooks.received)
        assert [each.status for each in msgine.webhooks.attempts] == [200, 200]
        assert [entry.status for entry in msgine.requests] == [201]
        with msgine.faults.fail(status=503, times=2) as fault:
            assert fault.left == 2
        msgine.change(tier="free")
        assert msgine.settings.tier == "free"
        msgine.reset()
        with pytest.raises(MessageNotFound):
            msgine.wait_for_message(timeout=0.1)
"""


@pytest.fixture
def base_url() -> Iterator[str]:
    """A sandbox that this environment runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "msgine_sandbox", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=120)


@pytest.mark.parametrize("options", [(), ("--msgine-coverage",)], ids=["", "with coverage"])
def test_a_running_sandbox_is_used(session, base_url, options):
    session.write(test_shop=SUITE)
    python = os.environ["COMPAT_CLIENT_PYTHON"]
    status, output = session.run("--msgine-url", base_url, *options, python=python)
    assert (status, "6 passed" in output) == (0, True), output
