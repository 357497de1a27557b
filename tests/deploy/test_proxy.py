"""What docs/proxy.md says of a proxy with a password, with nginx."""

import re
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
from command import LIMIT, free_port
from live import serving
from nginx import nginx
from project import DOCS

pytestmark = pytest.mark.live

SMS = {"to": "+256701234567", "message": "Hello"}


def test_a_password_of_the_proxy_is_not_taken_for_a_token(tmp_path: Path) -> None:
    _, shown = re.findall(r"```nginx\n(.*?)```", (DOCS / "proxy.md").read_text("utf-8"), re.DOTALL)
    port, passwords = free_port(), tmp_path / "passwords"
    passwords.write_text("jane:{PLAIN}secret\n")
    with serving("--root-path", "/sandbox", "--control-token", "sesame", "--quiet") as live:
        config = (
            shown.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
            .replace("/etc/nginx/passwords", str(passwords))
            .replace("http://127.0.0.1:8256", live.origin.removesuffix("/sandbox"))
        )
        password = {"Authorization": f"Basic {b64encode(b'jane:secret').decode()}"}
        with (
            nginx(tmp_path, config, port),
            httpx.Client(base_url=f"http://localhost:{port}/sandbox", timeout=LIMIT) as client,
        ):
            assert client.post("/api/v1/messages/sms", json=SMS).status_code == 401  # by nginx
            sent = client.post(
                "/api/v1/messages/sms", json=SMS, headers=password | {"X-Api-Key": "test_jane"}
            )
            assert sent.status_code == 201, sent.text
            shown_by_page = client.get(
                "/_sandbox/messages", headers=password | {"X-Control-Token": "sesame"}
            )
            assert [each["id"] for each in shown_by_page.json()["data"]] == [sent.json()["id"]]
