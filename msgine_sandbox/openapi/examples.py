"""Examples of calls: the exchanges that the contract tests replay."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from msgine_sandbox.model.choices import Answers
from msgine_sandbox.settings import BASE_PATH

_PACKAGE: Final = Path(__file__).parents[1]
_TEXTS: Final[Mapping[str, str]] = {
    "<time>": "2026-01-15T10:30:00Z",
    "<date>": "2026-01-15",
    "<id:msg>": "msg_018f3a5b00c1d2e3",
    "<id:req>": "req_018f3a5b00c1d2e4",
    "<id:dev>": "dev_018f3a5b00c1d2e5",
    "<uuid>": "018f3a5b-00c1-4d2e-8300-3a5b00c1d2e3",
    "<sid>": "SM018f3a5b00c1d2e3",
    "<string>": "…",
    "<digits>": "12",
}
"""What an example shows for each kind of text that an exchange leaves open."""
_REFERENCE: Final = "${"
_OBSERVED: Final = "observed-"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One request, and how it is answered."""

    name: str
    """That of its file."""
    title: str
    method: str
    path: str
    """Below the base URL, without its query."""
    body: Any
    """Of the request; None without one."""
    status: int
    answer: Any


def exchanges_folder() -> Path:
    """Return the folder with the exchanges: inside the package, or beside it in a checkout."""
    installed = _PACKAGE / "exchanges"
    return installed if installed.is_dir() else _PACKAGE.parent / "fixtures" / "exchanges"


def examples(answers: Answers) -> Iterator[Example]:
    """Return the exchanges with the API in one form of answers, by name.

    Those that refer to another answer, or repeat a text, are left out.
    """
    for file in sorted(exchanges_folder().glob("*.json")):
        if file.name.startswith(_OBSERVED) is not (answers is Answers.OBSERVED):
            continue
        exchange = json.loads(file.read_text(encoding="utf-8"))
        request, answer = exchange["request"], exchange["answer"]
        path = request["path"].partition("?")[0]
        body = request.get("body")
        if not path.startswith(f"{BASE_PATH}/") or _REFERENCE in json.dumps([path, body]):
            continue
        yield Example(
            name=file.stem,
            title=exchange["name"],
            method=request["method"],
            path=path.removeprefix(BASE_PATH),
            body=body,
            status=answer["status"],
            answer=None if _REFERENCE in json.dumps(answer["body"]) else _shown(answer["body"]),
        )


def _shown(value: Any) -> Any:
    """Return a value with something in place of what an exchange leaves open."""
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        if "<times>" in value:
            return [_shown(value["<each>"])]
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, str):
        return re.sub(r"<[a-z:]+>", lambda found: _TEXTS.get(found[0], found[0]), value)
    return value
