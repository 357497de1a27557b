"""compose.yaml: what it says starts, outside of containers, with its environment as written."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import httpx
import pytest
import yaml
from command import LIMIT, free_port
from live import serving
from project import ROOT

from msgine_sandbox import __version__
from msgine_sandbox.settings import Settings, environment_name

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


pytestmark = pytest.mark.live


@contextmanager
def shop(port: int, **environment: str) -> Iterator[str]:
    """Run the application's command on a port, and return its origin."""
    [mount] = SERVICES["app"]["volumes"]
    source, target, _ = mount.split(":")
    program, argument = SERVICES["app"]["command"]
    assert (program, argument) == ("python", target)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / source)],
        env=os.environ | environment | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split()[-1] == str(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=LIMIT)


def placed(url: str, service: str, origin: str) -> str:
    """Return a URL with an origin of here in place of that of a service in the file."""
    [port] = re.findall(r":(\d+)/", url)
    assert SERVICES[service]["ports"][0].endswith(f":{port}")
    assert url.startswith(f"http://{service}:{port}/")
    return url.replace(f"http://{service}:{port}", origin)


def test_the_application_sends_and_is_told_by_webhooks() -> None:
    environment: dict[str, Any] = SERVICES["sandbox"]["environment"]
    assert environment.keys() <= {environment_name(each) for each in fields(Settings)}
    application = SERVICES["app"]["environment"]
    with serving(**environment) as live:
        # As the application's container calls it: by the name of the service.
        named = httpx.get(f"{live.origin}/_sandbox/health", headers={"Host": "sandbox:8256"})
        assert named.json()["status"] == "ok"
        base_url = placed(application["MSGINE_BASE_URL"], "sandbox", live.origin)
        port = free_port()
        callback = placed(application["CALLBACK_URL"], "app", f"http://127.0.0.1:{port}")
        here = {"MSGINE_BASE_URL": base_url, "CALLBACK_URL": callback}
        with shop(port, **application | here) as app:
            sent = httpx.post(f"{app}/orders", params={"to": "+256701234567"}, timeout=LIMIT)
            message = sent.json()["message"]
            account = {"Authorization": f"Bearer {application['MSGINE_TOKEN']}"}
            until_idle = httpx.post(
                f"{live.origin}/_sandbox/clock/advance",
                json={"until": "idle"},
                headers=account,
                timeout=LIMIT,
            )
            assert until_idle.is_success, until_idle.text
            assert httpx.get(f"{app}/orders").json() == {message: "delivered"}
            for mistaken in ({}, {"to": "x"}):
                refused = httpx.post(f"{app}/orders", params=mistaken, timeout=LIMIT)
                assert refused.status_code == 400
                assert "to" in refused.json()["error"]["details"]["field"]


def test_the_application_waits_for_the_health_check_of_the_image() -> None:
    assert SERVICES["app"]["depends_on"] == {"sandbox": {"condition": "service_healthy"}}
    assert re.search(r"^HEALTHCHECK --interval=2s .*\"ready\"", DOCKERFILE, re.MULTILINE)
    assert SERVICES["sandbox"]["healthcheck"]["start_interval"] == "500ms"


def test_the_image_says_what_it_is() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', DOCKERFILE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert labels["version"] == __version__
    assert labels["title"] == project["name"]
    assert labels["description"] == project["description"]
    assert labels["licenses"] == project["license"]
    assert labels["vendor"] == project["authors"][0]["name"]
