"""Email in the second generation."""

from typing import Any

import pytest
from box import DEVELOPERS, Box
from sends import EMAIL, SENDS


async def test_an_email_goes_to_everybody_once(box: Box) -> None:
    copies = {"to": "a@example.com,b@example.com", "cc": ["b@example.com", "c@example.com"]}
    sent = await box.develop("POST", "/email", EMAIL | copies | {"bcc": "d@example.com"})
    assert sent["to"] == ["a@example.com", "b@example.com"]
    assert sent["cost"] == 20
    look = await box.look(sent)
    assert (look["cc"], look["bcc"]) == (["c@example.com"], ["d@example.com"])
    assert [each["to"] for each in look["recipients"]] == [f"{n}@example.com" for n in "abcd"]


async def test_html_alone_is_read_as_its_text(box: Box) -> None:
    html = "<style>b{color:#123456}</style><p>Your code is <b>493817</b></p><p>Webale!</p>"
    body = {name: value for name, value in EMAIL.items() if name != "text"} | {"html": html}
    sent = await box.develop("POST", "/email", body)
    assert sent["content"] == sent["message"] == html
    found = await box.get("/_sandbox/messages/wait", contains="code is 493817", timeout=0)
    assert (found["message"], found["html"]) == ("Your code is 493817\nWebale!", html)


async def test_a_subject_is_searched_too(box: Box) -> None:
    await box.develop("POST", "/email", EMAIL | {"subject": "Code 493817"})
    for found in ({"contains": "Code 493817"}, {"matches": r"\d{6} It"}, {"q": "code 4938"}):
        assert (await box.get("/_sandbox/messages", **found))["total"] == 1


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("delivered", ["pending", "sent", "delivered"]),
        ("bounce", ["pending", "sent", "failed"]),
        ("refused", ["pending", "failed"]),
        ("stuck", ["pending"]),
        ("unconfirmed", ["pending", "sent"]),
        ("slow", ["pending", "sent", "delivered"]),
    ],
)
@pytest.mark.parametrize("label", ["", "+17", "+a.b"])
async def test_a_magic_address_decides_what_becomes_of_its_email(
    box: Box, name: str, statuses: list[str], label: str
) -> None:
    await box.freeze()
    to = f"{name}{label}@Sandbox.MsGine.test"
    sent = await box.develop("POST", "/email", EMAIL | {"to": ["jane@example.com", to]})
    await box.advance(minutes=59)
    jane, magic = (await box.look(sent))["recipients"]
    assert jane["status"] == "delivered"
    assert (magic["status"] == "sent") is (name in {"slow", "unconfirmed"})
    await box.advance(minutes=1)
    _, magic = (await box.look(sent))["recipients"]
    assert [each["status"] for each in magic["timeline"]] == statuses


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/email", {"to": "answered-503-2@sandbox.msgine.test"}),
        ("/email", {"bcc": "Answered-503-2+x@SANDBOX.msgine.test"}),
        ("/push", {"tokens": ["sandbox-answered-503-2"]}),
        ("/push", {"userIds": ["sandbox-answered-503-2"], "tokens": []}),
    ],
)
async def test_a_magic_recipient_refuses_so_many_requests(
    box: Box, path: str, to: dict[str, Any]
) -> None:
    body = SENDS[path] | to
    answers = [await box.call("POST", DEVELOPERS + path, json=body) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 201, 201]
    assert (await box.get("/_sandbox/messages"))["total"] == 2
