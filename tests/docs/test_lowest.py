"""The constraints under which `make lowest` runs."""

from lowest import CONSTRAINTS, lowest_versions


def test_the_constraints_are_the_lowest_versions_of_pyproject() -> None:
    assert CONSTRAINTS.read_text(encoding="utf-8") == lowest_versions(), (
        "Write them anew: .venv/bin/python tests/support/lowest.py"
    )
