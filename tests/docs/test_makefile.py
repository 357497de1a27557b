"""What `make` installs, and when; with a program in the place of Python that only notes it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from command import LIMIT
from needs import require
from project import ROOT

SMALL, FULL = ".", ".[dev]"
BASE_URL = "http://127.0.0.1:8256/api/v1"

PYTHON = """\
#!/bin/sh
case "$*" in
  "-m venv "*)
    echo 'A line from venv'
    mkdir -p .venv/bin
    cp python .venv/bin/python
    cp msgine-sandbox .venv/bin/msgine-sandbox ;;
  "-m pip install "*)
    echo 'A line from pip'
    for last; do :; done
    echo "$last" >> installed ;;
  "-m pytest "*) echo 'A line from pytest' ;;
esac
"""

Make = Callable[[str], tuple[str, str]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a target in a folder of its own, and return output and errors."""
    require("make")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    os.utime(tmp_path / "pyproject.toml", (0, 0))
    (tmp_path / "installed").touch()
    for name, script in (("python", PYTHON), ("msgine-sandbox", f"#!/bin/sh\necho {BASE_URL}\n")):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)

    def run(target: str) -> tuple[str, str]:
        # Without the variables by which a make that runs these tests would steer this one.
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        ended = subprocess.run(
            ["make", target, "PYTHON=./python"],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout, ended.stderr

    return run


def installed(folder: Path) -> list[str]:
    """Return what was installed since the last call."""
    notes = folder / "installed"
    names = notes.read_text().split()
    notes.write_text("")
    return names


def change_project(folder: Path) -> None:
    for mark in (folder / ".venv").glob("*"):
        if mark.is_file():
            os.utime(mark, (1, 1))
    os.utime(folder / "pyproject.toml", (2, 2))


def test_the_first_line_of_serve_is_the_base_url_and_the_rest_is_on_standard_error(
    make: Make, tmp_path: Path
) -> None:
    output, errors = make("serve")
    assert output == f"{BASE_URL}\n"
    assert "Installing msgine-sandbox into .venv, once" in errors
    assert "A line from pip" in errors
    assert installed(tmp_path) == [SMALL]
    assert make("serve") == (f"{BASE_URL}\n", "")
    assert installed(tmp_path) == []


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["serve", "test"], [SMALL, FULL]),
        (["test", "serve"], [FULL]),
        (["serve", "test", "serve", "test"], [SMALL, FULL]),
        (["test", "test"], [FULL]),
    ],
    ids=str,
)
def test_targets_in_any_order_install_what_is_missing(
    make: Make, tmp_path: Path, targets: Sequence[str], expected: Sequence[str]
) -> None:
    for target in targets:
        make(target)
    assert installed(tmp_path) == expected


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["serve", "serve"], [SMALL]),
        (["test", "serve"], [FULL]),
        (["serve", "test"], [SMALL, FULL]),
    ],
    ids=str,
)
def test_a_changed_project_is_installed_anew(
    make: Make, tmp_path: Path, targets: Sequence[str], expected: Sequence[str]
) -> None:
    make("serve")
    make("test")
    installed(tmp_path)
    change_project(tmp_path)
    for target in targets:
        make(target)
    assert installed(tmp_path) == expected
