"""Where the project's files are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FIXTURES = ROOT / "fixtures"
EXAMPLES = ROOT / "tests" / "examples"
PAGE = ROOT / "msgine_sandbox" / "ui" / "static"
