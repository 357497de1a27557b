"""Webhooks to receivers whose certificate is from a local authority."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from box import sandbox
from receiver import Receiver, receiving


class Authority(NamedTuple):
    """A certificate authority, its file, and a receiver that it has certified."""

    path: str
    receiver: Receiver


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Authority]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    with receiving(tls) as receiver:
        yield Authority(str(tmp_path / "ca.pem"), receiver)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return monkeypatch


async def attempt_with(local: Authority, **settings: Any) -> dict[str, Any]:
    """Send one webhook to the receiver, and return the attempt."""
    async with sandbox(**settings) as box:
        await box.freeze()
        await box.accepted("+256700000004", callbackUrl=local.receiver.url)
        await box.advance(seconds=1)
        [attempt] = await box.attempts()
        return attempt


async def test_an_authority_that_is_not_known_is_not_trusted(local: Authority) -> None:
    attempt = await attempt_with(local)
    assert (attempt["status"], local.receiver.received) == (None, [])
    assert "CERTIFICATE_VERIFY_FAILED" in attempt["error"]
    assert "--webhook-ca" in attempt["error"]


async def test_a_certificate_for_another_name_is_no_matter_of_authorities(local: Authority) -> None:
    local.receiver.url = local.receiver.url.replace("localhost", "app.localhost")
    attempt = await attempt_with(local, webhook_ca=local.path)
    assert "ostname mismatch" in attempt["error"]
    assert "--webhook-ca" not in attempt["error"]


async def test_the_authority_of_the_setting_is_trusted(local: Authority) -> None:
    assert (await attempt_with(local, webhook_ca=local.path))["status"] == 200
    assert local.receiver.events == ["message.sent"]


async def test_the_authorities_of_the_environment_are_trusted(
    local: Authority, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SSL_CERT_FILE", local.path)
    assert (await attempt_with(local))["status"] == 200


async def test_the_setting_adds_to_the_authorities_of_the_environment(
    local: Authority, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    other = str(tmp_path / "other.pem")
    environment.setenv("SSL_CERT_FILE", other)
    assert (await attempt_with(local, webhook_ca=local.path))["status"] == 200
    assert (await attempt_with(local, webhook_ca=other))["status"] is None
    environment.setenv("SSL_CERT_FILE", local.path)
    assert (await attempt_with(local, webhook_ca=other))["status"] == 200


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_file_of_the_environment_that_is_of_no_use_is_ignored(
    local: Authority,
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: str | None,
) -> None:
    if content is not None:
        (tmp_path / "broken.pem").write_text(content)
    environment.setenv("SSL_CERT_FILE", str(tmp_path / "broken.pem"))
    assert (await attempt_with(local, webhook_ca=local.path))["status"] == 200
    # Older versions of httpx ignore a file that is missing by themselves.
    assert content is None or "broken.pem is of no use, and is ignored" in caplog.text


async def test_a_certificate_for_another_name_is_refused(local: Authority) -> None:
    url = local.receiver.url.replace("localhost", "127.0.0.1")
    local.receiver.url = url
    assert (
        "CERTIFICATE_VERIFY_FAILED" in (await attempt_with(local, webhook_ca=local.path))["error"]
    )


async def test_proxies_of_the_environment_stay_unused(
    local: Authority, environment: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        environment.setenv(name, "http://127.0.0.1:9")
    assert (await attempt_with(local, webhook_ca=local.path))["status"] == 200
