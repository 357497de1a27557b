"""The package keeps the form that docs/architecture.md describes; import-linter has the layers."""

import ast
import re
import statistics
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from box import boxed, sandbox
from hypothesis import settings
from project import ROOT

import msgine_sandbox
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

PACKAGE = Path(msgine_sandbox.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LINES = {module: len(module.read_text().splitlines()) for module in MODULES}


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            yield module, node


def test_modules_are_neither_fragments_nor_heaps() -> None:
    fragments = [module for module, lines in LINES.items() if lines < 60]
    assert len(fragments) <= len(MODULES) / 4
    assert statistics.median(LINES.values()) >= 95
    assert [module.name for module, lines in LINES.items() if lines > 400] == []


def test_a_class_name_is_used_once_by_the_server_and_once_by_the_client() -> None:
    places: defaultdict[tuple[bool, str], list[str]] = defaultdict(list)
    for module, node in nodes():
        if isinstance(node, ast.ClassDef):
            is_client = module.parent.name == "testing"
            places[is_client, node.name].append(str(module.relative_to(PACKAGE)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_docstrings_say_what_is_returned_or_raised() -> None:
    found = [
        f"{module.name}: {text}"
        for module, node in nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and (text := ast.get_docstring(node) or "").startswith(("Give", "Tell", "See to it"))
    ]
    assert found == []


def test_no_service_is_given_a_callback() -> None:
    # A bus calls listeners, and time travel is given a function of the time: both call downwards.
    allowed = {"Listener", "listener", "change", "distance", "check"}
    found = [
        f"{module.name}: {node.arg}"
        for module, node in nodes()
        if "services" in module.parts
        and isinstance(node, ast.arg)
        and node.annotation is not None
        and "Callable" in ast.unparse(node.annotation)
        and node.arg not in allowed
    ]
    assert found == []


def test_every_service_has_its_place_in_the_calling_order() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [order] = [
        each["layers"]
        for each in project["tool"]["importlinter"]["contracts"]
        if each["name"].startswith("Calling order")
    ]
    placed = {name for layer in order for name in layer.split(" | ")}
    services = {
        ".".join(module.relative_to(PACKAGE.parent).with_suffix("").parts)
        for module in (PACKAGE / "services").rglob("*.py")
        if module.name != "__init__.py"
    }
    assert services == placed


def test_no_property_depends_on_how_fast_the_machine_is() -> None:
    assert settings().deadline is None
    tests = set((ROOT / "tests").rglob("*.py")) - {Path(__file__)}
    given = [file.name for file in tests if re.search(r"\bdeadline=(?!None)", file.read_text())]
    assert given == []


async def test_a_send_walks_through_few_modules_and_functions() -> None:
    # What a request costs is above all how many different functions it walks through.
    entered: Counter[CodeType] = Counter()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            entered[frame.f_code] += 1

    # Without retention, which looks in the background for what is too old.
    async with sandbox(tier="unlimited", keep_messages=0, keep_megabytes=0) as box:
        await box.accepted()  # what is imported or opened once does not count
        sys.setprofile(profile)
        try:
            await box.accepted()
        finally:
            sys.setprofile(None)
    assert 20 < len({code.co_filename for code in entered}) <= 39
    assert len(entered) <= 106
    assert entered.total() <= 122


SENDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a send": ({}, []),
    "with a key": ({"key": "k"}, ["SELECT idempotency", "INSERT idempotency"]),
    "with a webhook planned": (
        {"callbackUrl": "http://127.0.0.1:1/"},
        ["INSERT steps", "INSERT steps"],
    ),
    "to three recipients": ({"to": ["+256701234567", "+256701234568", "+256701234569"]}, []),
}


@pytest.mark.parametrize(("send", "more"), SENDS.values(), ids=SENDS)
async def test_a_send_runs_few_statements_and_one_commit(
    send: dict[str, Any], more: list[str]
) -> None:
    built = Sandbox(Settings(tier="unlimited", keep_messages=0, keep_megabytes=0))
    statements: list[str] = []
    async with boxed(built) as box:
        await box.accepted()
        # The connection itself, because nothing else sees each statement that SQLite runs.
        connection = built.store.database._connection
        connection.set_trace_callback(statements.append)
        await box.accepted(**send)
        connection.set_trace_callback(None)
    ran = Counter(_kind(statement) for statement in statements)
    assert ran == Counter(["BEGIN", "INSERT messages", "INSERT tallies", "COMMIT", *more])


def _kind(statement: str) -> str:
    words = statement.split("(")[0].replace("OR REPLACE", "").split()
    table = {"INSERT": words[2:3], "SELECT": statement.partition(" FROM ")[2].split()[:1]}
    return " ".join([words[0], *table.get(words[0], [])])
