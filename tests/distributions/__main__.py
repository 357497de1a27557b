"""`make dist`: build the wheel and the source distribution, and check both as their users get them.

Each is installed into an empty environment, from which the first message of its description is
sent, and its test is run. The files stay in `dist/`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
LIMIT = 600  # seconds; it only ends a hang
PORT = "localhost:8256"
"""Where the description's first message goes; here to the sandbox that has just been started."""

IN_THE_WHEEL = (
    "msgine_sandbox/py.typed",
    "msgine_sandbox/ui/static/index.html",
    "msgine_sandbox/docs/README.md",
    "msgine_sandbox/exchanges/misdirected.json",
)
IN_THE_SOURCE = (
    "LICENSE",
    "README.md",
    "Makefile",
    "Dockerfile",
    "docs/README.md",
    "tests/distributions",
)
NEVER = re.compile(r"\.pyc$|(^|/)(\.venv|\.git|node_modules|__pycache__|\.hypothesis)/|\.db$")
KEPT = re.compile(r"^fixtures/databases/")
"""What `NEVER` does not mean: database files that tests migrate."""


class Wrong(Exception):
    """A distribution is not as it must be; the text says why."""


def main() -> int:
    """Build and check both, and return the exit status."""
    shutil.rmtree(DIST, ignore_errors=True)
    _run(sys.executable, "-m", "hatchling", "build", "--directory", str(DIST))
    [wheel], [source] = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    try:
        _check_wheel(wheel)
        _check_source(source)
        for distribution in (wheel, source):
            _check_installed(distribution)
            print(f"{distribution.relative_to(ROOT)} holds", flush=True)
    except Wrong as problem:
        print(f"make dist: {problem}", file=sys.stderr)
        return 1
    return 0


def _check_wheel(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    _check_names(wheel, set(files), IN_THE_WHEEL)
    strangers = {
        name for name in files if not name.startswith(("msgine_sandbox", "msgine-sandbox"))
    }
    if strangers:
        raise Wrong(f"{wheel.name} has {min(strangers)}, which is outside of the package")
    [metadata] = (content for name, content in files.items() if name.endswith("/METADATA"))
    _check_metadata(wheel, message_from_bytes(metadata))


def _check_source(source: Path) -> None:
    with tarfile.open(source) as archive:
        root = f"{source.name.removesuffix('.tar.gz')}/"
        names = {each.name.removeprefix(root) for each in archive.getmembers()}
        metadata = archive.extractfile(f"{root}PKG-INFO")
        if metadata is None:
            raise Wrong(f"{source.name} has no metadata")
        _check_metadata(source, message_from_bytes(metadata.read()))
    _check_names(source, names, IN_THE_SOURCE)


def _check_names(distribution: Path, names: set[str], needed: tuple[str, ...]) -> None:
    for each in needed:
        if not any(name == each or name.startswith(f"{each}/") for name in names):
            raise Wrong(f"{distribution.name} has no {each}")
    unwanted = {each for each in names if NEVER.search(each) and not KEPT.match(each)}
    if unwanted:
        raise Wrong(f"{distribution.name} has {min(unwanted)}")


def _check_metadata(distribution: Path, fields: Message) -> None:
    version = str(fields["Version"])
    expected = {
        "Name": "msgine-sandbox",
        "Requires-Python": ">=3.11",
        "Description-Content-Type": "text/markdown",
    }
    for name, value in expected.items():
        if fields[name] != value:
            raise Wrong(f"{distribution.name}: {name} is {fields[name]}, not {value}")
    if f"-{version}" not in distribution.name:
        raise Wrong(f"{distribution.name} is version {version} by its metadata")
    if _description() not in str(fields.get_payload()).strip():
        raise Wrong(f"{distribution.name} has another description than DESCRIPTION.md")


def _check_installed(distribution: Path) -> None:
    """Install a distribution and pytest into an empty environment, and use them from there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _run(sys.executable, "-m", "venv", str(place / "venv"))
        python = str(place / "venv" / "bin" / "python")
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(python, *pip, str(distribution), "pytest", cwd=place)
        _run(python, "-m", "pip", "check", cwd=place)
        _send_first_message(place)
        example = _block("python")
        (place / "test_description.py").write_text(example)
        _run(
            python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_description.py", cwd=place
        )


def _send_first_message(place: Path) -> None:
    command = [str(place / "venv" / "bin" / "msgine-sandbox"), "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=place
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip().removesuffix("/api/v1")
            script = _block("sh").replace(f"http://{PORT}", url)
            if script == _block("sh"):
                raise Wrong("the first message of DESCRIPTION.md is not sent to localhost")
            answer = _run("bash", "-euo", "pipefail", "-c", script.replace("curl ", "curl -sSf "))
        finally:
            process.terminate()
    if '"status":"pending"' not in answer.replace(" ", ""):
        raise Wrong(f"the first message was answered {answer}")


def _description() -> str:
    return (ROOT / "DESCRIPTION.md").read_text(encoding="utf-8").strip()


def _block(language: str) -> str:
    """Return the first block of a language in the description."""
    found = re.search(rf"^```{language}\n(.*?)^```$", _description(), re.M | re.S)
    if found is None:
        raise Wrong(f"DESCRIPTION.md has no block of {language}")
    return found[1]


def _run(*command: str, cwd: Path = ROOT) -> str:
    # Without the package of the checkout, and without settings or options of whoever calls this.
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "MSGINE_", "VIRTUAL_ENV"))
    }
    ended = subprocess.run(
        command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=LIMIT
    )
    if ended.returncode:
        raise Wrong(f"{' '.join(command[:4])} failed:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    sys.exit(main())
