"""HTTPS with a certificate authority of the sandbox."""

import ssl
import stat
from pathlib import Path

import httpx
import pytest
from command import Run
from live import Secured


@pytest.mark.live
def test_with_its_authority_https_is_trusted(secured: Secured) -> None:
    live, authority = secured.live, secured.authority
    assert live.base_url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=authority)
    assert live.send(verify=context).status_code == 201
    port = live.origin.rpartition(":")[2]
    with httpx.Client(verify=context) as client:
        assert client.get(f"https://localhost:{port}/_sandbox/health").status_code == 200
        answer = client.get(
            f"{live.origin}/_sandbox/health",
            headers={"Host": "sandbox.test"},
            extensions={"sni_hostname": "sandbox.test"},
        )
        assert answer.status_code == 200


@pytest.mark.live
def test_without_its_authority_https_is_not_trusted(secured: Secured) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        secured.live.send()


@pytest.mark.live
def test_a_name_that_it_does_not_serve_is_not_trusted(secured: Secured) -> None:
    live, authority = secured.live, secured.authority
    context = ssl.create_default_context(cafile=authority)
    extensions = {"sni_hostname": "elsewhere.test"}
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.Client(verify=context).get(f"{live.origin}/_sandbox/health", extensions=extensions)


def test_the_file_of_the_authority_is_private_unless_it_exists(
    tmp_path: Path, run_here: Run
) -> None:
    file = tmp_path / "ca.pem"
    for mode in (0o600, 0o644):
        assert run_here("--tls", "--tls-ca", str(file), "--port", "0")[0] == 0
        assert stat.S_IMODE(file.stat().st_mode) == mode
        assert file.read_text().count("BEGIN CERTIFICATE") == 1
        file.chmod(0o644)
