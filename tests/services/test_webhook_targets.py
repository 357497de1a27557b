"""Webhook targets: which addresses a sandbox may connect to."""

import httpx
import pytest
from box import sandbox
from live import serving


@pytest.mark.parametrize(
    ("policy", "url", "why"),
    [
        ("any", "http://169.254.169.254/latest/meta-data", "link-local"),
        ("any", "http://[fe80::1]/", "link-local"),
        ("any", "http://[::ffff:169.254.169.254]/", "link-local"),
        ("any", "http://[fd00:ec2::254]/", "link-local"),
        ("any", "http://[64:ff9b::169.254.169.254]/", "link-local"),  # NAT64
        ("any", "http://[2002:a9fe:a9fe::]/", "link-local"),  # 6to4
        ("any", "http://100.100.100.200/", "link-local"),
        ("any", "http://224.0.0.1/", "multicast"),
        ("local", "http://8.8.8.8/", "public"),
        ("local", "http://[64:ff9b::8.8.8.8]/", "public"),
        ("public", "http://127.0.0.1:9/", "not public"),
        ("public", "http://10.0.0.1/", "not public"),
        ("public", "http://[64:ff9b::10.0.0.1]/", "not public"),
        ("public", "http://localhost:9/", "not public"),
        ("public", "http://0.0.0.0:9/", "not public"),
        ("public", "http://[::1]:9/", "not public"),
    ],
)
async def test_a_target_that_is_not_allowed_is_refused_on_connecting(
    policy: str, url: str, why: str
) -> None:
    async with sandbox(webhook_policy=policy) as box:
        await box.freeze()
        await box.accepted("+256700000004", callbackUrl=url)
        await box.advance(seconds=1)
        [attempt] = await box.attempts()
        assert attempt["status"] is None
        assert attempt["error"].startswith("Refused: ")
        assert why in attempt["error"]


@pytest.mark.live
def test_the_sandbox_does_not_call_itself() -> None:
    with serving() as live, httpx.Client(headers={"X-Api-Key": "t"}) as http:
        body = {
            "to": "+256700000004",
            "message": "Hello",
            "callbackUrl": f"{live.origin}/_sandbox/reset",
        }
        assert http.post(f"{live.base_url}/messages/sms", json=body).status_code == 201
        http.post(f"{live.origin}/_sandbox/clock/advance", json={"seconds": 1})
        [attempt] = http.get(f"{live.origin}/_sandbox/webhooks/attempts").json()["data"]
        assert "is this sandbox itself" in attempt["error"]
