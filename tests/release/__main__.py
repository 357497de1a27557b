"""`make dist`: what would be released, and whether it works in empty environments.

It builds the source distribution into `dist/`, and the wheel from it, as installers do. Then it
looks at what is in both and at their metadata, installs each into an environment with nothing else,
and sends the first message of README.md there.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from email import message_from_string
from email.message import Message
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
LIMIT = 600  # seconds
IN_WHEEL = (
    "msgine_sandbox/server.py",
    "msgine_sandbox/py.typed",
    "msgine_sandbox/ui/static/index.html",
    "msgine_sandbox/storage/schema/current.sql",
    "msgine_sandbox/docs/README.md",
    "msgine_sandbox/exchanges/README.md",
)
IN_SOURCE = (
    "PKG-INFO",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "Dockerfile",
    "compose.yaml",
    "deploy/nginx.conf",
    "deploy/kubernetes.yaml",
    "tests/release/__main__.py",
    "docs/README.md",
    "fixtures/exchanges/README.md",
    "clients/typescript/package.json",
)
NOWHERE = re.compile(r"(^|/)(\.git|\.venv[^/]*|__pycache__|node_modules|\.peers|build)(/|$)|\.pyc$")


def main() -> None:
    """Build and check; an exception says what is wrong."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _built(ROOT, "sdist")
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
        [unpacked] = folder.iterdir()
        wheel = _built(unpacked, "wheel")
        _check_contents("the source distribution", IN_SOURCE, _files(unpacked))
        with ZipFile(wheel) as archive:
            names = archive.namelist()
            [metadata] = [each for each in names if each.endswith(".dist-info/METADATA")]
            fields = message_from_string(archive.read(metadata).decode())
        _check_contents("the wheel", IN_WHEEL, names)
        outside = {each.partition("/")[0] for each in names}
        _expect(len(outside) == 2, f"the wheel has other folders: {sorted(outside)}")
        _check_metadata(fields, message_from_string((unpacked / "PKG-INFO").read_text("utf-8")))
        for file in (wheel, source):
            _check_installed(file, folder / f"env-{file.suffix[1:]}", str(fields["Version"]))
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes, works", flush=True)


def _built(project: Path, target: str) -> Path:
    before = set(DIST.glob("*"))
    command = ["-m", "hatchling", "build", "--target", target, "--directory", str(DIST)]
    _run([sys.executable, *command], cwd=project)
    [built] = set(DIST.glob("*")) - before
    return built


def _files(folder: Path) -> list[str]:
    return [each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()]


def _check_contents(what: str, wanted: Sequence[str], names: Sequence[str]) -> None:
    missing = [each for each in wanted if each not in names]
    _expect(not missing, f"{what} lacks {missing}")
    unwanted = [each for each in names if NOWHERE.search(each)]
    _expect(not unwanted, f"{what} has {unwanted[:5]}")
    tests = [each for each in names if PurePosixPath(each).parts[0] == "tests"]
    _expect(what != "the wheel" or not tests, f"{what} has tests")


def _check_metadata(wheel: Message, source: Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    _expect(wheel["Name"] == project["name"], "the name differs")
    _expect(wheel["Requires-Python"] == project["requires-python"], "Requires-Python differs")
    _expect(wheel["License-Expression"] == project["license"], "the licence differs")
    _expect(wheel["Description-Content-Type"] == "text/markdown", "the description is no Markdown")
    required = [
        each for each in wheel.get_all("Requires-Dist") or [] if not re.search(r"extra ==", each)
    ]
    _expect(len(required) == len(project["dependencies"]), f"other requirements: {required}")
    for field in ("Name", "Version", "Requires-Python", "License-Expression", "Summary"):
        _expect(wheel[field] == source[field], f"{field} differs between the two")
    description = str(wheel.get_payload())
    links = re.findall(r"\]\(([^)]+)\)", description)
    within = [each for each in links if not urlsplit(each).scheme]
    _expect(not within, f"links of the description that lead nowhere: {within}")


def _check_installed(file: Path, environment: Path, version: str) -> None:
    """Install a file where nothing else is, and send the first message of README.md."""
    _run([sys.executable, "-m", "venv", str(environment)])
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(programs / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "install", str(file)], cwd=environment)
    _run([*pip, "check"], cwd=environment)
    command = str(programs / "msgine-sandbox")
    shown = _run([command, "--version"], cwd=environment).split()[-1]
    _expect(shown == version, f"the command says that it is {shown}")
    sandbox = subprocess.Popen(
        [command, "--port", "0", "--quiet"], cwd=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert sandbox.stdout is not None
        base_url = sandbox.stdout.readline().strip()
        example = _first_message().replace("http://localhost:8256/api/v1", base_url)
        answer = _run(["bash", "-euc", example.replace("curl ", "curl -sS ", 1)], cwd=environment)
        _expect('"status":"pending"' in answer, f"the first message was answered {answer}")
        page = base_url.removesuffix("/api/v1") + "/docs/settings"
        _expect("--root-path" in _run(["curl", "-sS", page]), "the docs are not served")
    finally:
        sandbox.terminate()
        sandbox.wait(timeout=LIMIT)
        sandbox.stdout.close()


def _first_message() -> str:
    text = (ROOT / "README.md").read_text("utf-8").partition("## The first message")[2]
    return text.partition("```sh\n")[2].partition("```")[0]


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    ended = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, timeout=LIMIT)
    _expect(ended.returncode == 0, f"{command} ended with status {ended.returncode}")
    return ended.stdout


def _expect(holds: bool, problem: str) -> None:
    if not holds:
        raise SystemExit(problem)


if __name__ == "__main__":
    main()
