"""What a figure was measured on: versions, processor, load, commit."""

import os
import platform
import re
import sqlite3
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("uvicorn", "starlette", "uvloop", "httptools")


@dataclass(frozen=True)
class Machine:
    """The header of a run."""

    commit: str
    python: str
    packages: dict[str, str]
    sqlite: str
    system: str
    processor: str
    processors: int

    @classmethod
    def here(cls) -> "Machine":
        """Return that of this process."""
        return cls(
            commit=_commit(),
            python=platform.python_version(),
            packages={name: _version(name) for name in PACKAGES},
            sqlite=sqlite3.sqlite_version,
            system=f"{platform.system()} {platform.release().split('-')[0]}",
            processor=_processor(),
            processors=len(os.sched_getaffinity(0)),
        )

    def lines(self, load_before: float, load_after: float) -> list[str]:
        """Return the header in words."""
        packages = ", ".join(f"{name} {found}" for name, found in self.packages.items())
        return [
            f"commit {self.commit}, Python {self.python}, {packages}, SQLite {self.sqlite}",
            f"{self.system}, {self.processors} × {self.processor}, "
            f"load average {load_before:.2f} before, {load_after:.2f} after",
        ]

    def members(self) -> dict[str, object]:
        return asdict(self)


def load_average() -> float:
    """Return how many processes have wanted a processor in the last minute."""
    return os.getloadavg()[0]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def _commit() -> str:
    """Return the commit of the checkout, with a plus where files have been changed since."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    ended = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()
