"""Searching and waiting by a regular expression: what it may be, and what it may cost."""

import asyncio
from typing import Any

import pytest
from box import NUMBER, Box, bounded, sandbox
from matching import assert_refused

SLOW = "^(a|a)*$"
"""It takes time that doubles with each `a`: that of centuries for `TEXT`."""
TEXT = "a" * 100 + "!"
TOO_MUCH = [
    "(((a{1000}){1000}){1000})",
    "a{1000000000}",
    "(?:(?:a{1000}){1000,}){1000,}",
    "(?:(?:a{00001000}){00001000}){00001000}",
    "(?:" * 60 + "a" + ")+" * 60,
    "(?x)(?:(?:a{ 1000}){ 1000}) # comment )\n{ 1000}",
    "(?x)(?:(?:a){#,}\n1000}){#,}\n1000}",
    "(?:(?:(?:a){1000})(?#x){1000})(?#){1000}",
    "a" * 1001,
]
NONSENSE = [
    "(", "[", "*", "a**", "(?P<a>", "(?P<1>a)", r"\1", "(?P=x)", "a{2,1}", "(?<=a", "(?z)", "[b-a]",
    "(?", "\\", r"\N{no such letter}", "(?(2)a|b)", "(" * 500 + ")" * 500,
]  # fmt: skip


async def refusal(box: Box, path: str, **query: Any) -> dict[str, Any]:
    answer = await box.call("GET", f"/_sandbox/messages{path}", params=query)
    error = assert_refused(answer, 400, "invalid_request")
    assert error["details"]["field"] == "matches"
    assert error["details"]["value"] == query["matches"]
    assert error["details"]["expected"]
    return error


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^Your code is \d{6}$", "Your code is 493817", True),
        (r"\b[0-9]{4,8}\b", "Nr 123", False),
        (r"(?i)YOUR CODE", "your code", True),
        (r"(?P<n>\d)-(?P=n)", "1-1", True),
        (r"(?s)a.b", "a\nb", True),
        (r"(?m)^b$", "a\nb\nc", True),
        (r"(?x) \d{3} [ ] \d{3}  # two halves", "493 817", True),
        (r"(?<!\d)\d{6}(?!\d)", "12345678", False),
        (r"[^\W\d_]+", "123", False),
        (r"(?>a+)b", "aaab", True),
        (r"a++a", "aaa", False),
        (r"(a)?b(?(1)c|d)", "bd", True),
        (r"\Aa\Z", "a", True),
        (r"é", "café", True),
        (r"(a+)+$", TEXT, False),
        (r"(?:\d{3}[ -]?){3}", "493 817 221", True),
    ],
)
async def test_it_means_what_it_means_in_python(
    box: Box, pattern: str, text: str, *, found: bool
) -> None:
    message = await box.accepted(message=text)
    expected = [message["id"]] if found else []
    assert await box.message_ids(matches=pattern) == expected


async def test_the_subject_is_searched_too() -> None:
    async with sandbox(tier="unlimited") as box:
        body = {"from": "a@example.com", "to": "b@example.com", "subject": "Code", "text": "493817"}
        await box.developers("POST", "/email", body)
        assert len(await box.message_ids(matches="^Code [0-9]{6}$")) == 1


@pytest.mark.parametrize("pattern", [*NONSENSE, *TOO_MUCH])
@pytest.mark.parametrize("path", ["", "/wait"])
async def test_nonsense_and_what_repeats_too_much_is_refused(
    box: Box, path: str, pattern: str
) -> None:
    await refusal(box, path, matches=pattern)


async def test_a_thousand_characters_are_allowed(box: Box) -> None:
    assert await box.message_ids(matches="a" * 1000) == []


@pytest.mark.parametrize("path", ["", "/wait"])
async def test_what_takes_too_long_is_refused_while_others_are_answered(path: str) -> None:
    async with bounded(pattern_seconds=0.1) as box:
        await box.accepted(message=TEXT)
        slow = asyncio.create_task(refusal(box, path, matches=SLOW))
        others = asyncio.create_task(box.other().accepted())
        await asyncio.wait({slow, others}, return_when=asyncio.FIRST_COMPLETED)
        assert others.done()
        assert not slow.done()
        assert "100 ms" in (await slow)["message"]


async def test_a_wait_is_refused_once_a_message_takes_too_long() -> None:
    async with bounded(pattern_seconds=0.05) as box:
        waiting = asyncio.create_task(refusal(box, "/wait", matches=SLOW, timeout=60))
        other = asyncio.create_task(box.get("/_sandbox/messages/wait", matches="[b!]", timeout=60))
        await box.accepted(message=TEXT)
        await waiting
        assert (await other)["message"] == TEXT


async def test_all_messages_of_a_call_share_its_time() -> None:
    # One takes some milliseconds, so that only all of them together are too slow.
    async with bounded(pattern_seconds=0.1) as box:
        text = "a" * 14 + "!"
        await box.accepted(NUMBER, text)
        assert await box.message_ids(matches=SLOW) == []
        await asyncio.gather(*[box.accepted(NUMBER, text) for _ in range(200)])
        await refusal(box, "", matches=SLOW)
        narrowed = await box.get("/_sandbox/messages", matches=SLOW, contains="b")
        assert narrowed["total"] == 0
