"""Email messages."""

from typing import Any

import pytest
from box import DEVELOPERS, Box, bounded
from iterations import iterations
from sends import EMAIL, SENDS


async def test_an_email_goes_once_to_each_recipient(box: Box) -> None:
    copies = {"to": "a@example.com,b@example.com", "cc": ["b@example.com", "c@example.com"]}
    sent = await box.developers("POST", "/email", EMAIL | copies | {"bcc": "d@example.com"})
    assert sent["to"] == ["a@example.com", "b@example.com"]
    assert sent["cost"] == 20
    details = await box.details(sent)
    assert (details["cc"], details["bcc"]) == (["c@example.com"], ["d@example.com"])
    assert [each["to"] for each in details["recipients"]] == [f"{n}@example.com" for n in "abcd"]


async def test_the_case_of_a_domain_makes_no_other_recipient(box: Box) -> None:
    to = ["jane@Example.com", "jane@example.COM", "Jane@example.com"]
    body = EMAIL | {"to": to, "cc": ["JANE@example.com", "jane@EXAMPLE.com"]}
    sent = await box.developers("POST", "/email", body)
    details = await box.details(sent)
    assert (sent["to"], details["cc"]) == ([to[0], to[2]], ["JANE@example.com"])


async def test_html_without_text_is_shown_as_text(box: Box) -> None:
    html = "<style>b{color:#123456}</style><p>Your code is <b>493817</b></p><p>Webale!</p>"
    body = {name: value for name, value in EMAIL.items() if name != "text"} | {"html": html}
    sent = await box.developers("POST", "/email", body)
    assert sent["content"] == sent["message"] == html
    found = await box.get("/_sandbox/messages/wait", contains="code is 493817", timeout=0)
    assert (found["message"], found["html"]) == ("Your code is 493817\nWebale!", html)


async def test_a_search_covers_the_subject(box: Box) -> None:
    await box.developers("POST", "/email", EMAIL | {"subject": "Code 493817"})
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
async def test_a_magic_address_determines_the_delivery_of_its_email(
    box: Box, name: str, statuses: list[str], label: str
) -> None:
    await box.freeze()
    to = f"{name}{label}@Sandbox.MsGine.test"
    sent = await box.developers("POST", "/email", EMAIL | {"to": ["jane@example.com", to]})
    await box.advance(minutes=59)
    jane, magic = (await box.details(sent))["recipients"]
    assert jane["status"] == "delivered"
    assert (magic["status"] == "sent") is (name in {"slow", "unconfirmed"})
    await box.advance(minutes=1)
    _, magic = (await box.details(sent))["recipients"]
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
async def test_a_magic_recipient_refuses_as_many_requests_as_its_name_says(
    box: Box, path: str, to: dict[str, Any]
) -> None:
    body = SENDS[path] | to
    answers = [await box.call("POST", DEVELOPERS + path, json=body) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 201, 201]
    assert (await box.get("/_sandbox/messages"))["total"] == 2


async def test_others_are_answered_while_long_html_is_read(box: Box) -> None:
    few, _ = await iterations(box.developers("POST", "/email", EMAIL | {"html": "<b>"}))
    html = "<b>" * 150_000 + "Your code is 493817"
    count, sent = await iterations(box.developers("POST", "/email", EMAIL | {"html": html}))
    assert count > 3 * few
    assert (await box.details(sent))["html"] == html


async def test_the_text_and_links_of_html_are_shown(box: Box) -> None:
    link = "https://shop.example/verify?user=7&timestamp=1700000000"
    html = f'<center>Your code</center>482913 <a href="{link}">Verify</a>'
    body = {name: value for name, value in EMAIL.items() if name != "text"} | {"html": html}
    shown = await box.details(await box.developers("POST", "/email", body))
    assert (shown["message"], shown["links"]) == ("Your code\n482913 Verify", [link])


@pytest.mark.parametrize("subject", ["a\r\nBcc: b@example.com", "a\nb", "a\0b"])
async def test_a_subject_is_one_line(box: Box, subject: str) -> None:
    error = await box.developers_error("POST", "/email", EMAIL | {"subject": subject})
    assert (error["details"]["field"], error["details"]["expected"]) == ("subject", "one line")


@pytest.mark.parametrize(
    ("field", "text"),
    [("to", "a" * 400_000 + "@example.com"), ("from", " " * 300_000 + "a@example.com")],
)
async def test_a_text_too_long_for_an_address_is_refused_quickly(
    box: Box, field: str, text: str
) -> None:
    error = await box.developers_error("POST", "/email", EMAIL | {field: text})
    assert (error["details"]["field"], "characters" in error["details"]["reason"]) == (field, True)


async def test_of_the_faults_of_magic_labels_the_latest_are_kept() -> None:
    async with bounded(faults=3) as box:
        labels = [f"answered-500-2+{number}@sandbox.msgine.test" for number in range(5)]
        for label in labels:
            await box.developers_error("POST", "/email", EMAIL | {"to": label})
        listed = (await box.get("/_sandbox/faults"))["data"]
        assert sorted(fault["match"]["to"] for fault in listed) == labels[2:]
        for _ in range(3):  # those of labels do not count towards the bound of others
            await box.add_fault({"status": 503})


async def test_of_the_faults_of_magic_labels_those_that_are_used_up_go_first() -> None:
    async with bounded(faults=3) as box:
        names = ["answered-500-2+0", "answered-500-1+1", "answered-500-1+2", "answered-500-1+3"]
        labels = [f"{name}@sandbox.msgine.test" for name in names]
        for label in labels:
            await box.developers_error("POST", "/email", EMAIL | {"to": label})
        listed = (await box.get("/_sandbox/faults"))["data"]
        assert {fault["match"]["to"] for fault in listed} == {*labels} - {labels[1]}


async def test_too_many_magic_recipients_are_refused_without_a_fault(box: Box) -> None:
    to = [f"answered-500+{n}@sandbox.msgine.test" for n in range(101)]
    error = await box.developers_error("POST", "/email", EMAIL | {"to": to})
    assert error["details"]["value"] == 101
    assert (await box.get("/_sandbox/faults"))["total"] == 0
