"""What a user gets without the repository: the wheel, its metadata, and the docs in it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import httpx
import pytest
from command import LIMIT
from live import serving
from markdown_it import MarkdownIt
from project import DOCS, ROOT

from msgine_sandbox.model.warning import ClientWarning, WarningCode

INSTALLED_DOCS = "msgine_sandbox/docs/"


def build(source: Path, target: str, to: Path) -> Path:
    """Build a wheel or a source distribution, without network, and return the file."""
    arguments = ["-m", "hatchling", "build", "--target", target, "--directory", str(to)]
    subprocess.run([sys.executable, *arguments], cwd=source, check=True, timeout=LIMIT)
    [built] = to.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the source distribution, as installers build it."""
    place = tmp_path_factory.mktemp("built")
    archive = build(ROOT, "sdist", place / "sdist")
    subprocess.run([sys.executable, "-m", "tarfile", "-e", archive, place], check=True)
    [source] = place.glob("msgine_sandbox-*")
    return build(source, "wheel", place / "wheel")


def files(wheel: Path) -> Mapping[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: Path) -> Message:
    [content] = [each for name, each in files(wheel).items() if name.endswith("/METADATA")]
    return message_from_bytes(content)


def relative_links(markdown: str) -> list[str]:
    """Return the links and pictures of a text that lead somewhere only beside other files."""
    inline = [each for block in MarkdownIt().parse(markdown) for each in block.children or ()]
    targets = [each.attrGet("href") or each.attrGet("src") for each in inline]
    return [str(each) for each in targets if each and not urlsplit(str(each)).scheme]


def test_a_wheel_has_every_page_and_picture_of_the_docs(wheel: Path) -> None:
    expected = {
        INSTALLED_DOCS + file.relative_to(DOCS).as_posix(): file.read_bytes()
        for file in DOCS.rglob("*")
        if file.is_file()
    }
    found = {name: each for name, each in files(wheel).items() if name.startswith(INSTALLED_DOCS)}
    assert found == expected


def test_a_wheel_has_the_exchanges_that_are_examples_of_the_openapi_document(wheel: Path) -> None:
    found = {name for name in files(wheel) if name.startswith("msgine_sandbox/exchanges/")}
    expected = {file.name for file in (ROOT / "fixtures" / "exchanges").iterdir()}
    assert {name.rpartition("/")[2] for name in found} == expected


@pytest.mark.live
def test_an_installed_wheel_serves_the_docs_that_are_in_it(wheel: Path, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    place = ["--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*pip, *place, str(wheel)], check=True, timeout=LIMIT)
    with (tmp_path / INSTALLED_DOCS / "README.md").open("a") as index:
        index.write("\nIn this installation.\n")
    # -P: not the package of the checkout, in which the tests run.
    isolated = ("-P", "-m", "msgine_sandbox")
    with serving(program=isolated, PYTHONPATH=str(tmp_path)) as live:
        assert "In this installation." in httpx.get(f"{live.origin}/docs/").text
        explained = httpx.get(live.origin + ClientWarning(WarningCode.LOOKS_LIVE, "").docs)
        assert f'id="{WarningCode.LOOKS_LIVE}"' in explained.text
        document = httpx.get(f"{live.origin}/openapi.json").json()
        sent = document["paths"]["/messages/sms"]["post"]["requestBody"]["content"]
        assert "send-to-one" in sent["application/json"]["examples"]
        picture = httpx.get(f"{live.origin}/docs/pictures/inbox-light.png")
        assert picture.headers["content-type"] == "image/png"


def test_the_metadata_name_both_licences_and_have_their_texts(wheel: Path) -> None:
    fields = metadata(wheel)
    assert fields["License-Expression"] == "MIT AND Apache-2.0"
    named = fields.get_all("License-File") or []
    texts = [
        content.decode()
        for name, content in files(wheel).items()
        if name.partition("/licenses/")[2] in named
    ]
    assert len(texts) == len(named)
    for words in ("Permission is hereby granted", "Apache License", "TERMS AND CONDITIONS FOR USE"):
        assert any(words in text for text in texts)


def test_the_description_has_no_link_into_the_repository(wheel: Path) -> None:
    description = str(metadata(wheel).get_payload())
    assert "pip install msgine-sandbox" in description
    assert relative_links(description) == []
    assert "docs/settings.md" in relative_links((ROOT / "README.md").read_text())


def test_pytest_plugins_are_listed_by_this_classifier(wheel: Path) -> None:
    assert "Framework :: Pytest" in (metadata(wheel).get_all("Classifier") or [])


def test_the_image_is_built_from_all_that_the_wheel_needs(wheel: Path, tmp_path: Path) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    needed = {word for line in copied for word in line.split()}
    assert needed == sent
    context = tmp_path / "context"
    context.mkdir()
    for name in needed:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, context / name)
    assert files(build(context, "wheel", tmp_path / "wheel")).keys() == files(wheel).keys()
