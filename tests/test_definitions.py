"""The definitions that the control API reports, and the advice of each warning."""

import re
from pathlib import Path

import pytest

from msgine_sandbox.model.warning import ADVICE, WarningCode

WARNINGS = Path(__file__).parent.parent / "docs" / "warnings.md"


@pytest.mark.parametrize("code", WarningCode)
def test_every_warning_has_advice_and_a_section_that_contains_it(code: WarningCode) -> None:
    assert code in ADVICE, f"model/warning.py: ADVICE has no entry for {code}"
    assert code in sections(), f"docs/warnings.md has no section {code}"
    assert ADVICE[code] in sections()[code], f"docs/warnings.md, {code}: the advice is missing"


def test_no_section_explains_a_warning_that_does_not_exist() -> None:
    assert sections().keys() - set(WarningCode) == set()


def sections() -> dict[str, str]:
    """Return the text below each heading of docs/warnings.md, without markup or line breaks."""
    content = WARNINGS.read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", content, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], map(plain, parts[1::2]), strict=True))


def plain(markdown: str) -> str:
    linked = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"\s+", " ", linked.replace("`", "").replace("**", ""))
