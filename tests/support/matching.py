"""Whether a JSON value is as a fixture says; `fixtures/exchanges/README.md` explains the signs."""

import re
from collections.abc import Iterator
from typing import Any

import httpx

SIGNS = {
    "<time>": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    "<date>": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "<id:msg>": r"msg_[0-9a-f]{16}",
    "<id:req>": r"req_[0-9a-f]{16}",
    "<id:dev>": r"dev_[0-9a-f]{16}",
    "<uuid>": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "<sid>": r"SM[0-9a-f]{16}",
    "<string>": r".+",
    "<digits>": r"[0-9]+",
}
_META = {"requestId": "<id:req>", "timestamp": "<time>"}


def differences(expected: Any, actual: Any, at: str = "body") -> Iterator[str]:
    """Return every difference between a value and what is expected."""
    match expected:
        case {"<times>": times, "<each>": each}:
            yield from differences([each] * times, actual, at)
        case dict() if isinstance(actual, dict):
            for name in expected.keys() | actual.keys():
                yield from _member(expected, actual, name, f"{at}.{name}")
        case list() if isinstance(actual, list) and len(actual) == len(expected):
            for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
                yield from differences(one, other, f"{at}[{index}]")
        case _ if not _fits(expected, actual):
            yield f"{at} is {actual!r} instead of {expected!r}"


def assert_refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the error of a response, which must be in the documented envelope."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content.keys() == {"error", "meta"}
    assert list(differences(_META, content["meta"], "meta")) == []
    assert content["meta"]["requestId"] == answer.headers["x-request-id"]
    assert content["error"]["code"] == code
    assert content["error"]["message"]
    return content["error"]


def _fits(expected: Any, actual: Any) -> bool:
    if isinstance(expected, str) and expected in SIGNS:
        return isinstance(actual, str) and re.fullmatch(SIGNS[expected], actual) is not None
    return type(expected) is type(actual) and expected == actual


def _member(expected: Any, actual: Any, name: str, at: str) -> Iterator[str]:
    if name not in actual:
        yield f"{at} is missing"
    elif name not in expected:
        yield f"{at} is {actual[name]!r}, and should not be there"
    else:
        yield from differences(expected[name], actual[name], at)
