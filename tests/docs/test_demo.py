"""The demonstration suite stands alone, as a user's would, and coverage names what it missed."""

import shutil
from pathlib import Path

import pytest
from project import ROOT
from session import run_session

DEMO = ROOT / "tests" / "demo"


@pytest.mark.parametrize("clock", ["real", "frozen"])
def test_the_demonstration_passes_alone_and_coverage_lists_unmet_behaviours(
    tmp_path: Path, clock: str
) -> None:
    shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("__pycache__"))
    ended = run_session(tmp_path, "--msgine-coverage", "-o", f"msgine_clock={clock}", "demo")
    assert ended.returncode == 0, ended.stdout
    summary = ended.stdout.partition("MsGine coverage")[2]
    met, _, missed = summary.partition("never met:")
    assert "% of the documented behaviours met: " in met
    for behaviour in ("message accepted", "idempotent replay", "message.failed webhook"):
        assert f"  {behaviour}\n" in met
    for behaviour in ("200 a page past the first", "403 forbidden", "several recipients"):
        assert f"  {behaviour}\n" in missed


def test_the_demonstration_uses_public_names_only_and_neither_sleeps_nor_polls() -> None:
    for file in DEMO.glob("*.py"):
        imported = [line for line in file.read_text().splitlines() if "msgine_sandbox" in line]
        assert set(imported) <= {
            line for line in imported if " msgine_sandbox.testing import" in line
        }
    tests = [file.read_text() for file in DEMO.glob("test_*.py")]
    assert len(tests) == 2
    for word in ("sleep(", "while "):
        assert not any(word in test for test in tests)
