"""The lowest versions that pyproject.toml allows, as constraints for pip.

Run as a program, this file writes them to tests/lowest.txt.
"""

import re
import tomllib

from project import ROOT

CONSTRAINTS = ROOT / "tests" / "lowest.txt"


def lowest_versions() -> str:
    """Return a constraint for each package that the sandbox needs, with and without TLS."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["tls"]
    return "".join(map(_constraint, needed))


def _constraint(requirement: str) -> str:
    name, version = re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+)(?:;.*)?", requirement).groups()
    return f"{name}=={version}\n"


if __name__ == "__main__":
    CONSTRAINTS.write_text(lowest_versions(), encoding="utf-8")
